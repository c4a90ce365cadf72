/** Kubelet settings of a NodeClass: what they may be, and which of them are expressions over the instance type. */
export * from './expressions.ts'
export * from './kubelet-problems.ts'
export * from './kubelet-settings.ts'
