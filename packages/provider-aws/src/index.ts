/** Machines of Amazon EC2 for the controller: `provider` is what it loads, the rest is for tests and tools. */
export { ec2NodeClass, type Ec2NodeClass } from './node-class/index.ts'
export type { Ec2Details } from './instances/index.ts'
export { createFrom, provider } from './provider.ts'
export { connect, type AwsError, type AwsPorts, type ConnectOptions } from './sdk/index.ts'
export { awsSettings, type AwsSettings } from './settings.ts'
export { awsLabelPolicy } from './labels/index.ts'
export { cloudFormation, policyDocuments } from './iam/index.ts'
export { decodeEc2NodeClass, offlineCatalog, type CatalogFile } from './offline/index.ts'
