/*
 * Stands in a bundle for what the Kubernetes client library makes API clients of its own from. We call only what finds
 * addresses and credentials, which needs none of it.
 */
const refuse = (): never => {
  throw new Error('The API clients of @kubernetes/client-node are not in this bundle')
}

export { refuse as Agent, refuse as ProxyAgent, refuse as ServerConfiguration, refuse as createConfiguration }
