export { listen, type Listener } from './listen.ts'
export { kubernetesVersion } from './documents.ts'
