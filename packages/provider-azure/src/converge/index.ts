/** Agreement of a machine with its claim: the end of its making, tags, identities. */
export { convergeVm } from './converge-vm.ts'
export type { CreationDeps, VmSubject } from './creation.ts'
export { patchOf } from './in-place-update.ts'
