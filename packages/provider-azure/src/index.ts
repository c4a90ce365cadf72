export { aksNodeClass, type AksNodeClass } from './node-class/index.ts'
