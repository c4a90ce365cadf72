/** Scenarios with expected answers: read, answer in normal form, compare. */
export { compareProvision, type Difference, type ExpectedProvision } from './compare.ts'
export { compareDisrupt, type ExpectedDisrupt } from './compare-disrupt.ts'
export { disruptOutputOf, type DisruptOutput } from './disrupt-form.ts'
export { decodeCatalog, type ScenarioCatalog } from './form.ts'
export { provisionOutputOf, type NodeClaimOutput, type ProvisionOutput, type RequirementOutput } from './normal-form.ts'
export { readScenario, reservationLabelKey, type Scenario } from './read-scenario.ts'
