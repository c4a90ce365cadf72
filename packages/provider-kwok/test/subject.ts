import type { CancelSignal, ProviderHost } from '@scantling/core'
import { virtualClock, type Clock, type VirtualClock } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import {
  createFrom,
  httpCloud,
  inProcessCloud,
  serveCloud,
  simulatedCloud,
  type CatalogEntry,
  type CloudOptions,
  type KwokCloud,
  type KwokNodeClass,
  type SimulatedCloud,
} from '../src/index.ts'
import type { Subject } from './conformance.ts'

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

/** A subject over a cloud in this process, on virtual time, or behind real sockets. */
export const makeSubject = async (face: 'in-process' | 'http'): Promise<Subject<KwokNodeClass>> => {
  const clock = virtualClock(1_000_000)
  const cloud = cloudOn(clock)
  const server = face === 'http' ? await serveCloud({ cloud, clock, port: 0 }) : undefined
  const client = server && httpCloud(server.url)
  const port: KwokCloud = client ?? inProcessCloud(cloud, clock)
  // Pages of three, so that a list of any size takes several.
  const paged: KwokCloud = { ...port, list: (input, signal) => port.list({ ...input, limit: 3 }, signal) }
  const host = hostOn(clock)
  const created = await createFrom(paged, host, never)
  if (E.isLeft(created)) throw new Error(created.left.message)
  return {
    provider: created.right,
    nodeClass,
    host,
    pass: (ms) => clock.advance(ms),
    loseAnswer: (operation) => cloud.setFaults([{ operation, times: 1, code: 'InternalError', when: 'after' }]),
    throttle: (operation) =>
      cloud.setFaults([{ operation, times: 1, code: 'RequestLimitExceeded', retryAfterMs: 1500 }]),
    sellOut: (instanceType) => cloud.setCapacity([{ instanceType, remaining: 0 }]),
    close: async () => {
      client?.close()
      await server?.close()
    },
  }
}
