/** Nodes of AKS for the controller: `provider` is what it loads, the rest is for tests and tools. */
export { armTemplate, roleDocuments } from './access/index.ts'
export { aksNodeClass, type AksNodeClass } from './node-class/index.ts'
export type { AzureDetails } from './instances/index.ts'
export { labelPolicy as azureLabelPolicy } from './labels/index.ts'
export * from './offline/index.ts'
export { createFrom, provider } from './provider.ts'
export { connect, type ArmError, type AzurePorts, type ConnectOptions } from './sdk/index.ts'
export { azureSettings, type AzureSettings } from './settings.ts'
