export { applyJsonPatch } from './json-patch.ts'
export { builtInListSemantics, atomicList, type ListMerge, type ListSemantics } from './list-semantics.ts'
export { applyMergePatch } from './merge-patch.ts'
export { applyConfiguration, applyStrategicPatch } from './strategic-merge.ts'
