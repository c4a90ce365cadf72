/** What clients may count on, of kube-sim and of Kubernetes' own API server alike. */
export { contract } from './contract.ts'
export type { ContractApi, ContractCheck } from './contract-api.ts'
