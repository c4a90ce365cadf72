/** Machines of AKS: names, bodies, many in one request, and what becomes of them. */
export * from './batch-request.ts'
export * from './machine-body.ts'
export * from './machine-instance.ts'
export * from './machine-list.ts'
export * from './machine-name.ts'
export * from './machines.ts'
export * from './put-machine.ts'
