/** Whether the nodes that a NodePool launches join the cluster. */
export {
  recordRegistration,
  registrationCondition,
  registrationVerdict,
  restoredHealth,
  type RegistrationHealth,
} from './registration-health.ts'
