export { armTemplate, roleDocuments } from './access/index.ts'
export { aksNodeClass, type AksNodeClass } from './node-class/index.ts'
