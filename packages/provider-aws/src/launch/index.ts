/** Launching: what to ask of EC2, from which templates, and what its answers teach. */
export { fleetInput } from './fleet.ts'
export { launcher, type LaunchDeps } from './launch.ts'
export { launchTemplates, type LaunchTemplates } from './launch-templates.ts'
export {
  machineTemplates,
  type MachineTemplate,
  type MachineTemplates,
  type MachineTemplatesDeps,
  type UserDataWish,
} from './machine-templates.ts'
export { overridesOf, planLaunch, type LaunchPlan } from './plan.ts'
