import { virtualClock } from '@scantling/provider-kit'
import { resource, StatusError, type DraftObject } from '../src/face.ts'
import { createApiServer } from '../src/server/api-server.ts'

export const pods = { ...resource('v1', 'pods'), namespace: 'default' }
export const configMaps = { ...resource('v1', 'configmaps'), namespace: 'default' }
export const deployments = { ...resource('apps/v1', 'deployments'), namespace: 'default' }
export const budgets = { ...resource('policy/v1', 'poddisruptionbudgets'), namespace: 'default' }
const startMs = Date.parse('2026-01-01T00:00:00Z')

export const podNamed = (name: string, more: DraftObject = {}): DraftObject => ({
  metadata: { name, labels: { app: 'web' } },
  spec: { containers: [{ name: 'main', image: 'web:1' }] },
  ...more,
})

export const deploymentNamed = (name: string, replicas: unknown = 1): DraftObject => ({
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image: 'web' }] } },
  },
})

/** An API server alone, on virtual time, with a face to it. */
export const startTestServer = (options: { readonly historyLimit?: number; readonly watchList?: boolean } = {}) => {
  const clock = virtualClock(startMs)
  const server = createApiServer({ clock, ...options })
  const face = server.face('test')
  const bind = async (name: string, node = 'node-1') => {
    await face.create({ ...pods, name, subresource: 'binding' }, { target: { name: node } })
  }
  const setStatus = (ref: object, status: object) =>
    face.patch({ ...pods, ...ref, subresource: 'status' }, 'merge', { status })
  return { clock, server, face, bind, setStatus }
}

/** How the API refuses the call; throws when it does not. */
export const failureOf = async (call: Promise<unknown>): Promise<StatusError> => {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof StatusError)) throw new Error(`Expected a StatusError, got ${String(error)}`)
  return error
}
