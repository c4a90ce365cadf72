import {
  labelKeys,
  nodeClassSchema,
  Offerings,
  Requirements,
  Resources,
  type CancelSignal,
  type CloudProvider,
  type Instance,
  type InstanceType,
  type NodeClassObject,
  type ProviderError,
  type ProviderModule,
  type UnavailableMark,
} from '@scantling/core'
import { pages } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as t from 'io-ts'

export interface BoxClass extends NodeClassObject {
  readonly spec: { readonly rack?: string }
}
export interface BoxSettings {
  readonly url: string
}
interface Box {
  readonly id: string
  readonly size: string
  readonly rack: string
  readonly labels: Readonly<Record<string, string>>
  readonly startedAtMs: number
  readonly state: 'starting' | 'running' | 'ending'
}
interface Catalog {
  readonly sizes: Readonly<Record<string, { readonly cpu: number; readonly memoryGi: number; readonly price: number }>>
  readonly racks: ReadonlyArray<string>
}

const text = new t.Type<string, string, unknown>('text', t.string.is, t.string.validate, (value) => value)
const phases = { starting: 'pending', running: 'running', ending: 'terminating' } as const
const tags: ReadonlyMap<string, ProviderError['_tag']> = new Map([
  ['NoSuchBox', 'InstanceNotFound'],
  ['SoldOut', 'InsufficientCapacity'],
  ['TokenUsed', 'InsufficientCapacity'],
  ['SlowDown', 'Throttled'],
  ['Forbidden', 'Unauthorized'],
  ['QuotaUsed', 'QuotaExceeded'],
  ['BadRequest', 'InvalidRequest'],
])

/** A provider for a cloud of boxes: every member it needs, over HTTP. */
export const provider: ProviderModule<BoxClass, unknown, BoxSettings> = {
  name: 'box',
  nodeClasses: [
    {
      group: 'box.example.com',
      kind: 'BoxClass',
      names: { plural: 'boxclasses' },
      versions: [
        { name: 'v1', schema: nodeClassSchema<BoxClass>('BoxClass', { rack: 'string?' }, { isSpecOptional: true }) },
      ],
    },
  ],
  settings: {
    fields: {
      url: {
        env: ['BOX_URL'],
        flag: 'box-url',
        codec: text,
        help: 'Address of the cloud of boxes, such as http://127.0.0.1:7000',
      },
    },
  },
  // Boxes run no kubelet: the controller makes their Nodes.
  traits: { kubelet: 'simulated' },
  create: ({ url }, _host, { signal }) =>
    pipe(
      ask<Catalog>(url, 'GET', '/sizes', signal),
      // The cloud may still be starting: with a time to wait, the controller tries again.
      TE.bimap(
        (error) => ({ ...error, retryAfterMs: 1000 }),
        (catalog) => live(url, catalog),
      ),
    ),
}

const ask =
  <A>(
    url: string,
    method: string,
    path: string,
    signal: CancelSignal,
    body?: object,
  ): TE.TaskEither<ProviderError, A> =>
  async () => {
    const given = new AbortController()
    const abort = () => given.abort()
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort)
    try {
      const response = await fetch(url + path, {
        method,
        signal: given.signal,
        ...(body && { body: JSON.stringify(body) }),
      })
      const answer = (await response.json()) as A & { readonly code?: string }
      if (response.ok) return E.right(answer)
      const code = answer.code ?? String(response.status)
      return E.left({
        _tag: tags.get(code) ?? 'Unknown',
        code,
        message: `The cloud of boxes answers ${code} to ${method} ${path}`,
      })
    } catch (cause) {
      return E.left({ _tag: 'Unknown', message: `Cannot reach the cloud of boxes at ${url}`, cause })
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

const typesOf = ({ sizes, racks }: Catalog): ReadonlyArray<InstanceType> =>
  Object.entries(sizes).map(([name, { cpu, memoryGi, price }]) => ({
    name,
    requirements: Requirements.fromLabels({
      [labelKeys.arch]: 'amd64',
      [labelKeys.os]: 'linux',
      [labelKeys.instanceType]: name,
    }),
    capacity: Resources.parse({ cpu: String(cpu), memory: `${memoryGi}Gi`, pods: '110' }),
    overhead: {
      kubeReserved: Resources.parse({ cpu: '100m', memory: '256Mi' }),
      systemReserved: {},
      evictionThreshold: {},
    },
    offerings: racks.map((rack) => ({
      requirements: Requirements.fromLabels({ [labelKeys.zone]: rack, [labelKeys.capacityType]: 'on-demand' }),
      pricePerHour: price,
    })),
  }))

const scheme = 'box://'
const idOf = (providerId: string) =>
  encodeURIComponent(providerId.startsWith(scheme) ? providerId.slice(scheme.length) : 'none')
const instanceOf = ({ id, size, rack, labels, startedAtMs, state }: Box): Instance => ({
  providerId: scheme + id,
  phase: phases[state],
  launchedAtMs: startedAtMs,
  instanceType: size,
  zone: rack,
  capacityType: 'on-demand',
  owner: {
    ...(labels['nodeClass'] !== undefined && { nodeClass: labels['nodeClass'] }),
    ...(labels['nodeClaim'] !== undefined && { nodeClaim: labels['nodeClaim'] }),
    ...(labels['nodePool'] !== undefined && { nodePool: labels['nodePool'] }),
  },
})

const live = (url: string, catalog: Catalog): CloudProvider<BoxClass> => {
  const types = typesOf(catalog)
  const byRack = new Map(catalog.racks.map((rack) => [rack, typesOf({ ...catalog, racks: [rack] })]))
  const find = (providerId: string, cluster: string, signal: CancelSignal) =>
    pipe(
      ask<Box>(url, 'GET', `/boxes/${idOf(providerId)}`, signal),
      TE.filterOrElse(
        ({ labels }) => labels['cluster'] === cluster,
        (): ProviderError => ({ _tag: 'InstanceNotFound', message: `Box ${providerId} is of another cluster` }),
      ),
    )
  return {
    // The same array for the same class: planners compile by identity.
    instanceTypes: ({ spec: { rack } }) => TE.right(rack === undefined ? types : (byRack.get(rack) ?? [])),
    launch:
      ({ token, claim, candidates }, { signal, cluster }) =>
      async () => {
        const labels = {
          cluster: cluster.name,
          nodeClass: claim.nodeClass,
          nodeClaim: claim.name,
          ...(claim.nodePool !== undefined && { nodePool: claim.nodePool }),
        }
        const unavailable: Array<UnavailableMark> = []
        for (const type of candidates)
          for (const offering of type.offerings) {
            const rack = Offerings.zoneOf(offering) ?? ''
            // The cloud keeps tokens: asked again, it answers with the same box.
            const made = await ask<Box>(url, 'POST', '/boxes', signal, { token, size: type.name, rack, labels })()
            if (E.isRight(made)) return E.right({ instance: instanceOf(made.right), unavailable })
            if (made.left.code !== 'SoldOut')
              return E.left({ error: made.left, reason: made.left.code ?? 'Unreachable', unavailable })
            const match = Requirements.fromLabels({ [labelKeys.instanceType]: type.name, [labelKeys.zone]: rack })
            unavailable.push({ match, forMs: 180_000, reason: 'SoldOut' })
          }
        return E.left({
          error: { _tag: 'InsufficientCapacity', message: 'No candidate is left in any rack' },
          reason: 'SoldOut',
          unavailable,
        })
      },
    terminate: ({ providerId }, { signal, cluster }) =>
      pipe(
        find(providerId, cluster.name, signal),
        TE.chain(({ id }) => ask<Box>(url, 'DELETE', `/boxes/${id}`, signal)),
        TE.map(() => 'Started' as const),
        TE.orElse((error) => (error._tag === 'InstanceNotFound' ? TE.right('Gone' as const) : TE.left(error))),
      ),
    list: ({ signal, cluster }) =>
      pipe(
        pages(
          (after = '') =>
            pipe(
              ask<{ readonly boxes: ReadonlyArray<Box>; readonly next?: string }>(
                url,
                'GET',
                `/boxes?${new URLSearchParams({ cluster: cluster.name, after })}`,
                signal,
              ),
              TE.map(({ boxes, next }) => ({ items: boxes.map(instanceOf), ...(next !== undefined && { next }) })),
            ),
          (): ProviderError => ({ _tag: 'Unknown', message: 'The list of boxes does not end' }),
        ),
        TE.map((instances) => ({ instances, unreadable: [] })),
      ),
    get: ({ providerId }, { signal, cluster }) => pipe(find(providerId, cluster.name, signal), TE.map(instanceOf)),
  }
}
