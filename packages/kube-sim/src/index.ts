export * from './face.ts'
export { createApiServer, type ApiServer, type ApiServerOptions } from './server/api-server.ts'
export { listen, type Listener } from './http/index.ts'
export type { Call, FaultRule, Interceptor, Interceptors, Verdict } from './server/interceptors.ts'
