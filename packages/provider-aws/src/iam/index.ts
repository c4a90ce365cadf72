/** What the controller and its nodes may do in AWS, as policies and as a CloudFormation template. */
export { actionsFor, allCalls } from './calls.ts'
export { cloudFormation, interruptionEvents, nodePolicies, policyDocuments } from './cloud-formation.ts'
export { controllerPolicies, type Policy, type PolicyScope, type Statement } from './policies.ts'
