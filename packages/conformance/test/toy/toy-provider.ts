import {
  labelKeys,
  nodeClassSchema,
  Offerings,
  Requirements,
  Resources,
  s,
  type CancelSignal,
  type CloudProvider,
  type Instance,
  type InstanceType,
  type LaunchFailure,
  type NodeClassObject,
  type ProviderError,
  type ProviderHost,
  type ProviderModule,
  type UnavailableMark,
} from '@scantling/core'
import { fingerprint, pages, stable } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as t from 'io-ts'
import type { Machine, Row, ToyCloud, ToyError } from './toy-cloud.ts'

export interface ToyClass extends NodeClassObject {
  readonly spec: { readonly rack: string }
  readonly status?: { readonly image?: string }
}
export interface ToyDetails {
  readonly image: string
}
export interface ToySettings {
  readonly region: string
}
export type ToyProvider = Required<Omit<CloudProvider<ToyClass, ToyDetails>, 'labels'>>
export type ToyModule = ProviderModule<ToyClass, ToyDetails, ToySettings>

const text = new t.Type<string, string, unknown>('text', t.string.is, t.string.validate, (value) => value)
const launches = { name: 'toy_launches_total', type: 'counter', help: 'Launches.', labels: [] } as const

/** A provider of a toy cloud with every member of the port, each in its plainest correct form. */
export const toyModule: ToyModule = {
  name: 'toy',
  nodeClasses: [
    {
      group: 'toy.example.com',
      kind: 'ToyClass',
      names: { plural: 'toyclasses' },
      columns: [{ name: 'Rack', type: 'string', jsonPath: '.spec.rack' }],
      versions: [
        {
          name: 'v1',
          schema: nodeClassSchema<ToyClass>(
            'ToyClass',
            { rack: 'string' },
            { status: { image: s.optional(s.string()) } },
          ),
        },
      ],
      hash: { version: 'toy-1', of: ({ spec }) => fingerprint({ rack: spec.rack }) },
    },
  ],
  settings: {
    fields: {
      region: { env: ['TOY_REGION'], flag: 'toy-region', codec: text, default: 'here', help: 'Region of the toy' },
    },
  },
  labels: { wellKnown: [{ key: 'toy.example.com/cpu' }] },
  traits: {
    kubelet: 'simulated',
    listLagMs: 10_000,
    repair: [{ conditionType: 'Ready', status: 'False', tolerationMs: 600_000 }],
  },
  metrics: [launches],
  reads: [{ as: 'pods', apiVersion: 'v1', plural: 'pods' }],
  create: () => TE.left({ _tag: 'InvalidRequest', message: 'The toy is made by its tests' }),
}

const tags: ReadonlyMap<string, ProviderError['_tag']> = new Map([
  ['SoldOut', 'InsufficientCapacity'],
  ['TokenUsed', 'InsufficientCapacity'],
  ['NoSuchMachine', 'InstanceNotFound'],
  ['SlowDown', 'Throttled'],
  ['Forbidden', 'Unauthorized'],
  ['TooMany', 'QuotaExceeded'],
  ['BadInput', 'InvalidRequest'],
])
const errorOf = ({ code, retryAfterMs }: ToyError): ProviderError => ({
  _tag: tags.get(code) ?? 'Unknown',
  code,
  message: `The toy cloud answers ${code}`,
  ...(retryAfterMs !== undefined && { retryAfterMs }),
})
const idOf = (providerId: string) => (providerId.startsWith('toy:///') ? providerId.slice('toy:///'.length) : undefined)
const notOurs = (providerId: string): ProviderError => ({
  _tag: 'InvalidRequest',
  message: `Cannot use provider id ${JSON.stringify(providerId)}: expected toy:///ID`,
})

const typeOf = ({ name, cpu, prices }: Row): InstanceType => ({
  name,
  requirements: Requirements.fromLabels({
    [labelKeys.arch]: 'amd64',
    [labelKeys.os]: 'linux',
    [labelKeys.instanceType]: name,
    'toy.example.com/cpu': String(cpu),
  }),
  capacity: Resources.parse({ cpu: String(cpu), memory: `${cpu * 4}Gi`, pods: '110' }),
  overhead: { kubeReserved: Resources.parse({ cpu: '100m' }), systemReserved: {}, evictionThreshold: {} },
  offerings: prices.map(({ zone, market, price }) => ({
    requirements: Requirements.fromLabels({ [labelKeys.zone]: zone, [labelKeys.capacityType]: market }),
    pricePerHour: price,
  })),
})

export const toyProvider = async (cloud: ToyCloud, host: ProviderHost): Promise<ToyProvider> => {
  const keep = stable<Row, InstanceType>({
    keyOf: ({ name }) => name,
    fingerprintOf: (row) => JSON.stringify(row),
    make: typeOf,
  })
  let types: ReadonlyArray<InstanceType> = []
  const young = new Map<string, Instance<ToyDetails>>()
  const load = (signal: CancelSignal) =>
    pipe(
      () => cloud.prices(signal),
      TE.bimap(errorOf, (rows) => {
        types = keep.next(rows)
        return {}
      }),
    )
  const read = (machine: Machine): E.Either<string, Instance<ToyDetails>> =>
    machine.type === ''
      ? E.left('The machine has no type')
      : E.right({
          providerId: `toy:///${machine.id}`,
          phase: cloud.phaseOf(machine),
          launchedAtMs: machine.launchedAtMs,
          instanceType: machine.type,
          zone: machine.zone,
          capacityType: machine.market === 'spot' ? 'spot' : 'on-demand',
          imageId: machine.image,
          owner: {
            ...(machine.tags['pool'] !== undefined && { nodePool: machine.tags['pool'] }),
            ...(machine.tags['class'] !== undefined && { nodeClass: machine.tags['class'] }),
            ...(machine.tags['claim'] !== undefined && { nodeClaim: machine.tags['claim'] }),
          },
          details: { image: machine.image },
        })
  const find = (providerId: string, cluster: string, signal: CancelSignal): TE.TaskEither<ProviderError, Machine> => {
    const id = idOf(providerId)
    if (id === undefined) return TE.left(notOurs(providerId))
    return pipe(
      () => cloud.find(id, signal),
      TE.mapLeft(errorOf),
      TE.chain((machine) =>
        machine.tags['cluster'] === cluster ? TE.right(machine) : TE.left(errorOf({ code: 'NoSuchMachine' })),
      ),
      TE.mapLeft((error) => {
        const known = young.get(providerId)
        const isYoung = known !== undefined && host.clock.nowMs() - (known.launchedAtMs ?? 0) < 10_000
        return error._tag === 'InstanceNotFound' && isYoung
          ? { ...error, _tag: 'Unknown', message: 'The machine is too young to be seen' }
          : error
      }),
    )
  }

  return {
    instanceTypes: () => TE.fromIO(() => types),
    launch:
      ({ token, claim, nodeClass, candidates }, { signal, cluster }) =>
      async () => {
        host.record(launches, 1, {})
        const unavailable: Array<UnavailableMark> = []
        let failure: LaunchFailure = { reason: 'NothingOnSale', error: errorOf({ code: 'SoldOut' }) }
        const ways = candidates
          .flatMap((type) =>
            type.offerings.map((offering) => ({ type, offering, price: offering.pricePerHour ?? Infinity })),
          )
          .sort((a, b) => a.price - b.price)
        for (const { type, offering } of ways) {
          const zone = Offerings.zoneOf(offering) ?? ''
          const market = Offerings.capacityTypeOf(offering) ?? ''
          const ran = await cloud.run(
            {
              token,
              type: type.name,
              zone,
              market,
              image: nodeClass.status?.image ?? '',
              tags: {
                cluster: cluster.name,
                class: claim.nodeClass,
                ...(claim.nodePool !== undefined && { pool: claim.nodePool }),
              },
            },
            signal,
          )
          if (E.isRight(ran)) {
            const instance = read(ran.right)
            if (E.isLeft(instance)) throw new Error(instance.left)
            young.set(instance.right.providerId, instance.right)
            return E.right({ instance: instance.right, unavailable })
          }
          failure = { reason: ran.left.code, error: errorOf(ran.left), unavailable }
          if (ran.left.code !== 'SoldOut') return E.left(failure)
          const match = {
            [labelKeys.instanceType]: type.name,
            [labelKeys.zone]: zone,
            [labelKeys.capacityType]: market,
          }
          unavailable.push({ match: Requirements.fromLabels(match), forMs: 180_000, reason: 'SoldOut' })
        }
        return E.left(failure)
      },
    terminate: ({ providerId }, { signal, cluster }) =>
      pipe(
        find(providerId, cluster.name, signal),
        TE.chain(({ id }) => pipe(() => cloud.end(id, signal), TE.mapLeft(errorOf))),
        TE.map(() => 'Started' as const),
        TE.orElse((error) => (error._tag === 'InstanceNotFound' ? TE.right('Gone' as const) : TE.left(error))),
      ),
    list: ({ signal, cluster }) =>
      pipe(
        pages(
          (from) =>
            pipe(
              () => cloud.page(cluster.name, from, signal),
              TE.bimap(errorOf, ({ machines, next }) => ({ items: machines, ...(next !== undefined && { next }) })),
            ),
          (): ProviderError => ({ _tag: 'Unknown', message: 'The list does not end' }),
        ),
        TE.map((machines) => ({
          instances: machines.flatMap((machine) => {
            const instance = read(machine)
            return E.isRight(instance) ? [instance.right] : []
          }),
          unreadable: machines.flatMap((machine) => {
            const instance = read(machine)
            return E.isLeft(instance) ? [{ providerId: `toy:///${machine.id}`, message: instance.left }] : []
          }),
        })),
      ),
    get: ({ providerId }, { signal, cluster }) =>
      pipe(
        find(providerId, cluster.name, signal),
        TE.chainEitherK((machine) =>
          pipe(
            read(machine),
            E.mapLeft((message): ProviderError => ({ _tag: 'Unknown', message })),
          ),
        ),
      ),
    resolve: ({ nodeClass }, { signal }) =>
      pipe(
        () => cloud.images(nodeClass.spec.rack, signal),
        TE.bimap(errorOf, ([image]) => ({
          status: image === undefined ? {} : { image },
          conditions: {
            ImageReady:
              image === undefined
                ? {
                    status: 'False',
                    reason: 'ImageNotFound',
                    message: `There is no image for rack ${nodeClass.spec.rack}`,
                  }
                : { status: 'True' },
          },
          recheckAfterMs: 300_000,
        })),
      ),
    release: () => TE.right(undefined),
    drift: ({ nodeClass, instance }) =>
      nodeClass.status?.image === undefined
        ? { _tag: 'Unknown', message: 'The class is not resolved' }
        : instance.details?.image === nodeClass.status.image
          ? { _tag: 'InSync' }
          : { _tag: 'Drifted', reason: 'ImageDrift' },
    converge: ({ claim, instance }, { signal }) =>
      claim.annotations['toy.example.com/tagged'] === 'true'
        ? TE.right({ _tag: 'Converged' })
        : pipe(
            () => cloud.tag(idOf(instance.providerId) ?? '', { claim: claim.name }, signal),
            TE.bimap(errorOf, () => ({ _tag: 'Converged', annotations: { 'toy.example.com/tagged': 'true' } })),
          ),
    interruptions: {
      receive:
        ({ signal }) =>
        async () => {
          const untilMs = host.clock.nowMs() + 20_000
          for (;;) {
            const received = await cloud.messages(signal)
            if (E.isLeft(received)) return E.left(errorOf(received.left))
            if (received.right.length > 0 || host.clock.nowMs() >= untilMs)
              return E.right(
                received.right.map(({ receipt, body }) => ({
                  receipt,
                  kind: body.startsWith('end ') ? 'MachineEnds' : 'Unknown',
                  interruptions: body.startsWith('end ')
                    ? [{ id: `toy:///${body.slice(4)}`, kind: 'MachineEnds', action: 'drain' as const }]
                    : [],
                })),
              )
            await host.clock.sleep(1_000, signal).catch(() => undefined)
          }
        },
      acknowledge: (receipts, { signal }) => pipe(() => cloud.done(receipts, signal), TE.mapLeft(errorOf)),
    },
    tasks: [
      {
        name: 'prices',
        everyMs: 60_000,
        runsOn: 'every-replica',
        gatesReadiness: true,
        run: (_view, { signal }) => load(signal),
      },
    ],
  }
}
