import type { Access, Grant } from '@scantling/controller'
import type { ApiServer, Call } from '@scantling/kube-sim'

/** Holds a client to what its role allows, as an API server with RBAC would. */
export interface HeldRole {
  /** What was refused, as `verb group/resource`; empty while the role is enough. */
  readonly refused: () => ReadonlyArray<string>
  /** Grants that no call has needed yet, in the same form. */
  readonly unused: () => ReadonlyArray<string>
}

export interface RoleHolder {
  /** A part of its User-Agent. */
  readonly client: string
  readonly namespace: string
  readonly access: Access
}

/** Refuses every call of a client that its role does not allow. */
export const holdToRole = (server: ApiServer, { client, namespace, access }: RoleHolder): HeldRole => {
  const refused = new Set<string>()
  const used = new Set<string>()
  const ruled: ReadonlyMap<string, ReadonlyArray<Grant>> = new Map([
    ...Object.entries(access.elsewhere),
    [namespace, [...access.own, ...(access.elsewhere[namespace] ?? [])]],
  ])
  server.interceptors.add((call) => {
    if (!call.client.includes(client)) return undefined
    const grants = [...access.cluster, ...(ruled.get(call.namespace ?? '') ?? [])]
    const grant = grants.find((one) => allows(one, call))
    const wanted = `${call.verb} ${call.group}/${resourceOf(call)}`
    if (grant !== undefined) {
      used.add(wanted)
      return undefined
    }
    refused.add(wanted)
    return { fail: { code: 403, reason: 'Forbidden', message: `the role does not allow to ${wanted}` } }
  })
  const granted = [...access.cluster, ...[...ruled.values()].flat()].flatMap(({ verbs, group, resource }) =>
    verbs.map((verb) => `${verb} ${group}/${resource}`),
  )
  return {
    refused: () => [...refused].sort(),
    unused: () => [...new Set(granted)].filter((one) => !used.has(one)).sort(),
  }
}

const resourceOf = ({ resource, subresource = '' }: Call): string =>
  subresource === '' ? resource : `${resource}/${subresource}`

const allows = ({ group, resource, verbs, names }: Grant, call: Call): boolean =>
  group === call.group &&
  resource === resourceOf(call) &&
  (verbs as ReadonlyArray<string>).includes(call.verb) &&
  (names === undefined || names.includes(call.name ?? ''))
