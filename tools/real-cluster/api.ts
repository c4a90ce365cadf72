import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { join } from 'node:path'

export interface Answer {
  readonly status: number
  readonly body: string
}

/** Where an object lives, and as which user it is asked for. */
export interface Asking {
  readonly namespace?: string
  readonly labels?: string
  readonly fields?: string
}

export interface Call {
  readonly method?: string
  readonly body?: unknown
  readonly contentType?: string
  /** Of a service account; without it the administrator asks. */
  readonly token?: string
}

/**
 * The API server as an administrator of these tests asks it: a few calls a second by kubectl would take more of the
 * machine than the controller does.
 */
export interface Api {
  readonly request: (path: string, call?: Call) => Promise<Answer>
  /** Creates the objects or makes them so (server-side apply). Rejects with the server's words. */
  readonly apply: (...objects: ReadonlyArray<object>) => Promise<void>
  readonly create: (...objects: ReadonlyArray<object>) => Promise<void>
  readonly list: <A>(plural: string, asking?: Asking) => Promise<ReadonlyArray<A>>
  readonly merge: (plural: string, name: string, patch: object, namespace?: string) => Promise<void>
  /** Begins to delete; what is gone already is well. */
  readonly remove: (plural: string, name: string, namespace?: string) => Promise<void>
  readonly removeAll: (plural: string, asking?: Asking) => Promise<void>
  readonly close: () => void
}

interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
}

/** What these tests ask for: the group and version, and whether it lives in namespaces. */
const resources: Readonly<Record<string, readonly [groupVersion: string, isNamespaced: boolean]>> = {
  pods: ['v1', true],
  events: ['v1', true],
  services: ['v1', true],
  secrets: ['v1', true],
  configmaps: ['v1', true],
  serviceaccounts: ['v1', true],
  replicationcontrollers: ['v1', true],
  persistentvolumeclaims: ['v1', true],
  persistentvolumes: ['v1', false],
  namespaces: ['v1', false],
  nodes: ['v1', false],
  deployments: ['apps/v1', true],
  daemonsets: ['apps/v1', true],
  statefulsets: ['apps/v1', true],
  poddisruptionbudgets: ['policy/v1', true],
  leases: ['coordination.k8s.io/v1', true],
  networkpolicies: ['networking.k8s.io/v1', true],
  roles: ['rbac.authorization.k8s.io/v1', true],
  rolebindings: ['rbac.authorization.k8s.io/v1', true],
  clusterroles: ['rbac.authorization.k8s.io/v1', false],
  clusterrolebindings: ['rbac.authorization.k8s.io/v1', false],
  priorityclasses: ['scheduling.k8s.io/v1', false],
  storageclasses: ['storage.k8s.io/v1', false],
  customresourcedefinitions: ['apiextensions.k8s.io/v1', false],
  validatingwebhookconfigurations: ['admissionregistration.k8s.io/v1', false],
  flowschemas: ['flowcontrol.apiserver.k8s.io/v1', false],
  prioritylevelconfigurations: ['flowcontrol.apiserver.k8s.io/v1', false],
  nodepools: ['karpenter.sh/v1', false],
  nodeclaims: ['karpenter.sh/v1', false],
  nodeoverlays: ['karpenter.sh/v1alpha1', false],
  kwoknodeclasses: ['karpenter.kwok.sh/v1alpha1', false],
  ec2nodeclasses: ['karpenter.k8s.aws/v1', false],
  aksnodeclasses: ['karpenter.azure.com/v1beta1', false],
  capacitybuffers: ['autoscaling.x-k8s.io/v1beta1', true],
}

const pluralOf = (kind: string): string => {
  const lower = kind.toLowerCase()
  if (lower.endsWith('cy')) return `${lower.slice(0, -1)}ies`
  return lower.endsWith('s') ? `${lower}es` : `${lower}s`
}

const pathOf = (plural: string, namespace?: string, groupVersion?: string): string => {
  const known = resources[plural]
  if (known === undefined) throw new Error(`These tests do not know where ${plural} are`)
  const [version, isNamespaced] = [groupVersion ?? known[0], known[1]]
  const root = version.includes('/') ? `/apis/${version}` : `/api/${version}`
  return isNamespaced && namespace !== undefined ? `${root}/namespaces/${namespace}/${plural}` : `${root}/${plural}`
}

const placeOf = ({ kind, apiVersion, metadata }: Manifest): string => {
  const plural = pluralOf(kind)
  return pathOf(plural, metadata.namespace ?? 'default', apiVersion)
}

export const makeApi = (server: string, directory: string): Api => {
  const read = (file: string) => readFileSync(join(directory, file))
  const ca = read('ca.crt')
  const admin = { ca, cert: read('admin.crt'), key: read('admin.key') }
  const agents = { admin: new Agent({ keepAlive: true, ...admin }), others: new Agent({ keepAlive: true, ca }) }

  const ask = (path: string, call: Call = {}): Promise<Answer> => {
    const { method = 'GET', body, contentType = 'application/json', token } = call
    return new Promise<Answer>((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body)
      const headers = {
        // Node sends no length with the body of a DELETE by itself, and the server would read on into the next request.
        ...(text === undefined ? {} : { 'content-type': contentType, 'content-length': Buffer.byteLength(text) }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      }
      const agent = token === undefined ? agents.admin : agents.others
      const asking = request(`${server}${path}`, { method, headers, agent }, (response) => {
        let answer = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (answer += chunk))
        response.once('error', reject)
        response.once('end', () => resolve({ status: response.statusCode ?? 0, body: answer }))
      })
      asking.once('error', (cause: NodeJS.ErrnoException) => {
        // The server closed a kept connection just as it was used again; on another one it has not heard of this yet.
        if (asking.reusedSocket && cause.code === 'ECONNRESET') resolve(ask(path, call))
        else reject(cause)
      })
      asking.end(text)
    })
  }

  const must = async (path: string, call: Call, ...alsoGood: ReadonlyArray<number>): Promise<string> => {
    const { status, body } = await ask(path, call)
    if (status < 300 || alsoGood.includes(status)) return body
    throw new Error(`${call.method ?? 'GET'} ${path}: ${status} ${messageIn(body)}`)
  }
  const query = ({ labels, fields }: Asking): string => {
    const parts = new URLSearchParams({
      ...(labels === undefined ? {} : { labelSelector: labels }),
      ...(fields === undefined ? {} : { fieldSelector: fields }),
    })
    return parts.size === 0 ? '' : `?${parts.toString()}`
  }

  return {
    request: ask,
    apply: async (...objects) => {
      for (const object of objects as ReadonlyArray<Manifest>)
        await must(`${placeOf(object)}/${object.metadata.name}?fieldManager=e2e&force=true`, {
          method: 'PATCH',
          body: object,
          contentType: 'application/apply-patch+yaml',
        })
    },
    create: async (...objects) => {
      for (const object of objects as ReadonlyArray<Manifest>)
        await must(placeOf(object), { method: 'POST', body: object })
    },
    list: async <A>(plural: string, asking: Asking = {}) => {
      const body = await must(`${pathOf(plural, asking.namespace)}${query(asking)}`, {})
      return (JSON.parse(body) as { items: ReadonlyArray<A> }).items
    },
    merge: async (plural, name, patch, namespace) =>
      void (await must(`${pathOf(plural, namespace)}/${name}`, {
        method: 'PATCH',
        body: patch,
        contentType: 'application/merge-patch+json',
      })),
    remove: async (plural, name, namespace) =>
      void (await must(`${pathOf(plural, namespace)}/${name}`, { method: 'DELETE' }, 404)),
    removeAll: async (plural, asking = {}) =>
      void (await must(`${pathOf(plural, asking.namespace)}${query(asking)}`, { method: 'DELETE' })),
    close: () => {
      agents.admin.destroy()
      agents.others.destroy()
    },
  }
}

const messageIn = (body: string): string => {
  try {
    return (JSON.parse(body) as { message?: string }).message ?? body
  } catch {
    return body
  }
}
