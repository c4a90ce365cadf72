import * as E from 'fp-ts/lib/Either.js'
import { type CustomResource, crdOf, nodeClaimResource, nodePoolResource } from '@scantling/core'
import { createApiServer, listen } from '@scantling/kube-sim'
import { systemClock } from '@scantling/provider-kit'
import { type KubeObject, type ResourceKind, loadConnection, makeHttpClient, makeTransport } from '../src/kube/index.ts'
import { toyProvider } from './toy-provider.ts'

const crds: ResourceKind = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
  project: (raw) => E.right(raw as KubeObject),
}

/** An embedded API server on a free port, with the CRDs of the controller and of the toy provider. */
export const startCluster = async ({ withCrds = true, watchList = true } = {}) => {
  const api = createApiServer({ clock: systemClock, watchList })
  const listener = await listen(api, { port: 0 })
  const connection = await loadConnection({ server: listener.url, env: {}, clock: systemClock })()
  if (E.isLeft(connection)) throw new Error(connection.left)
  const transport = makeTransport(connection.right, systemClock)
  const client = makeHttpClient({ transport, clock: systemClock })
  const installCrds = async () => {
    for (const resource of [nodePoolResource, nodeClaimResource, ...toyProvider.nodeClasses]) {
      const created = await client.create(crds, crdOf(resource as CustomResource))()
      if (E.isLeft(created)) throw new Error(created.left.message)
    }
  }
  if (withCrds) await installCrds()
  return {
    api,
    client,
    installCrds,
    url: listener.url,
    close: async () => {
      transport.close()
      await listener.close()
    },
  }
}
