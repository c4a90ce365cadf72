/** Launching: what to buy, and the paths by which it becomes a node. */
export { scriptlessBootData, type BootData, type BootDataOf, type BootWish } from './boot-data.ts'
export { billingExtensionName, bootstrapExtensionName, extensionNames, extensionOf } from './extensions.ts'
export type * from './launch-path.ts'
export { launchOnce } from './launch-once.ts'
export { launchVm, type Begun, type LaunchVmDeps } from './launch-vm.ts'
export { planLaunch, type LaunchPlan } from './plan.ts'
export { serviceBootData } from './service-boot-data.ts'
export { identityOf, vmBodyOf, type VmInput } from './vm-body.ts'
