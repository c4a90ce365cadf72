/** Whether the nodes that a NodePool launches join the cluster. */
export * from './registration-health.ts'
