/** DNS on nodes: whether it is on. What is sent to AKS about it follows in `node-class/features.ts`. */
export * from './resolve-local-dns.ts'
