export { launchErrors } from './compute.ts'
export { handle, startEmulator, type Call, type Emulator } from './emulator.ts'
export { defaultSizes, type Size } from './sizes.ts'
export {
  agentPool,
  clusterGroup,
  machineType,
  managedCluster,
  networkOf,
  nodeGroup,
  subnetId,
  subscription,
  World,
  type LaunchFault,
  type Resource,
  type ServiceError,
  type WorldOptions,
} from './world.ts'
