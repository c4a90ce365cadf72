import { observedHost, type Fault, type MakeSubject, type Operation } from '@scantling/conformance'
import type { CancelSignal, ProviderHost } from '@scantling/core'
import { systemClock, virtualClock, type Clock, type VirtualClock } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import {
  createFrom,
  httpCloud,
  inProcessCloud,
  provider,
  serveCloud,
  simulatedCloud,
  type CatalogEntry,
  type CloudOptions,
  type FaultRule,
  type KwokCloud,
  type KwokNodeClass,
  type KwokSettings,
  type LaunchInput,
  type SimulatedCloud,
} from '../src/index.ts'

/** Three types in two zones, the smallest the cheapest. */
export const smallCatalog: ReadonlyArray<CatalogEntry> = [2, 4, 8].map((cpu) => ({
  name: `c-${cpu}x`,
  architecture: 'amd64',
  operatingSystems: ['linux'],
  resources: { cpu: String(cpu), memory: `${cpu * 2}Gi` },
  offerings: ['zone-a', 'zone-b'].flatMap((zone) =>
    ['on-demand', 'spot'].map((capacityType) => ({
      Price: capacityType === 'spot' ? cpu * 0.01 : cpu * 0.03,
      Available: true,
      Requirements: [
        { key: 'topology.kubernetes.io/zone', operator: 'In' as const, values: [zone] },
        { key: 'karpenter.sh/capacity-type', operator: 'In' as const, values: [capacityType] },
      ],
    })),
  ),
}))

export const nodeClass: KwokNodeClass = {
  apiVersion: 'karpenter.kwok.sh/v1alpha1',
  kind: 'KWOKNodeClass',
  metadata: { name: 'default', uid: 'u-1', generation: 1, annotations: {} },
  spec: {},
}

export const never: CancelSignal = new AbortController().signal

export const hostOn = (clock: Clock): ProviderHost => ({
  clock,
  random: () => 0.5,
  record: () => undefined,
  log: () => undefined,
  gates: {},
  shutdown: never,
})

export const cloudOn = (clock: VirtualClock, options: Partial<CloudOptions> = {}): SimulatedCloud =>
  simulatedCloud({ catalog: smallCatalog, seed: 'test', nowMs: clock.nowMs, ...options })

const operations: Readonly<Record<Operation, FaultRule['operation'] | undefined>> = {
  launch: 'launch',
  terminate: 'terminate',
  list: 'list',
  get: 'get',
  receive: 'receive',
  tasks: 'catalog',
  resolve: undefined,
  release: undefined,
  converge: undefined,
}
const codes: Readonly<Record<Fault, string>> = {
  throttled: 'RequestLimitExceeded',
  unauthorized: 'Unauthorized',
  quota: 'InstanceLimitExceeded',
  invalid: 'InvalidParameter',
  'server-error': 'InternalError',
  'answer-lost': 'InternalError',
}
const launchInput = (token: string, cluster: string): LaunchInput => ({
  token,
  instanceType: 'c-2x',
  zone: 'zone-a',
  capacityType: 'spot',
  tags: { 'kubernetes.io/cluster': cluster },
})

/** A subject over a cloud in this process, on virtual time, or behind real sockets. */
export const makeSubject =
  (face: 'in-process' | 'http'): MakeSubject<KwokNodeClass, unknown, KwokSettings> =>
  async () => {
    const clock = virtualClock(1_000_000)
    const cloud = cloudOn(clock)
    const server = face === 'http' ? await serveCloud({ cloud, clock, port: 0 }) : undefined
    const client = server && httpCloud(server.url)
    const host = observedHost(clock)
    let calls = 0
    const create = async () => {
      const port: KwokCloud = client ?? inProcessCloud(cloud, clock)
      const created = await createFrom(
        pagedAndCounted(port, () => void calls++),
        host,
        never,
      )
      if (E.isLeft(created)) throw new Error(created.left.message)
      return created.right
    }
    const nameOf = (providerId: string) => providerId.slice('kwok://'.length)
    return {
      module: provider,
      provider: await create(),
      manifest: { apiVersion: nodeClass.apiVersion, kind: nodeClass.kind, metadata: { name: 'default' }, spec: {} },
      host,
      pass: async (ms) => {
        // What is under way over sockets reaches the cloud before its time passes.
        if (server) await systemClock.sleep(10)
        await clock.advance(ms)
      },
      levers: {
        fail: (operation, fault, { skip = 0 } = {}) => {
          const called = operations[operation]
          if (called === undefined) return
          cloud.setFaults([
            {
              operation: called,
              times: 1,
              skip,
              code: codes[fault],
              message: `The cloud was made to answer ${codes[fault]}`,
              ...(fault === 'throttled' && { retryAfterMs: 1500 }),
              ...(fault === 'answer-lost' && { when: 'after' }),
            },
          ])
        },
        sellOut: (instanceType) => cloud.setCapacity([{ instanceType, remaining: 0 }]),
        restock: () => cloud.setCapacity([]),
        present: async () =>
          cloud.everything().flatMap(({ state, name }) => (state === 'terminated' ? [] : [`kwok://${name}`])),
        startForeign: async () => {
          const started = cloud.launch(launchInput('theirs', 'another'))
          if (E.isLeft(started)) throw new Error(started.left.message)
          return `kwok://${started.right.name}`
        },
        endOutside: async (providerId) => void cloud.interrupt(nameOf(providerId), { kind: 'terminate', noticeMs: 0 }),
        changePrice: (instanceType) =>
          cloud.changePrices([{ instanceType, zone: 'zone-a', capacityType: 'spot', pricePerHour: 7 }]),
        interrupt: async (providerId) => void cloud.interrupt(nameOf(providerId)),
        restart: create,
        countCalls: () => calls,
      },
      close: async () => {
        client?.close()
        await server?.close()
      },
    }
  }

// Pages of three, so that a list of any size takes several.
const pagedAndCounted = (port: KwokCloud, count: () => void): KwokCloud => ({
  ...port,
  list: (input, signal) => async () => {
    count()
    return port.list({ ...input, limit: 3 }, signal)()
  },
})
