export { armTemplate, roleDocuments } from './access/index.ts'
export { aksNodeClass, type AksNodeClass } from './node-class/index.ts'
export * from './offline/index.ts'
export { labelPolicy as azureLabelPolicy } from './labels/index.ts'
