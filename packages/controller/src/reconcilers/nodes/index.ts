/** How nodes end: drained, repaired, taken away by their cloud; and kubelets where there are none. */
export { startEvictions } from './evictions.ts'
export { interrupt, runInterruptions } from './interruptions.ts'
export { nodeRepair, repairPolicies, watchConditions } from './node-repair.ts'
export { nodeTermination, wakeOnPods } from './node-termination.ts'
export { runSimulatedKubelet } from './simulated-kubelet.ts'
