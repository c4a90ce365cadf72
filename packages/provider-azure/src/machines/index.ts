/** Machines of AKS: names, bodies, and many in one request. */
export * from './batch-request.ts'
export * from './machine-body.ts'
export * from './machine-name.ts'
