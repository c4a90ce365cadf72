export { crdOf, type CustomResource } from './custom-resource.ts'
export * from './kube/index.ts'
export { nodeClassSchema, type FieldShorthand, type NodeClassOptions } from './node-class.ts'
export * from './v1/index.ts'
