export { startControllers, type ControllerName, type ControllersOptions } from './start-controllers.ts'
export { fakeNodeKey, kubeletStateKey, runForKey, stopAfterKey, type KubeletOptions } from './kubelet/kubelet.ts'
export type { Range } from './random.ts'
export type { SchedulerOptions } from './scheduler/scheduler.ts'
