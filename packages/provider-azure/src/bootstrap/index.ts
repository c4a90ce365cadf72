/** What a node starts with: labels, and the script or the request that makes it one. */
export * from './aks-config.ts'
export * from './node-bootstrapping.ts'
export * from './node-labels.ts'
export { bootNetworkPluginOf, dnsServiceIpOf, scriptlessCustomData, type ScriptlessInput } from './scriptless.ts'
