import { runUntilSettled, virtualClock } from '@scantling/provider-kit'
import { observedHost, type Fault, type MakeSubject, type Operation } from '../../src/index.ts'
import { toyCloud, type ToyCloud, type ToyOperation } from './toy-cloud.ts'
import {
  toyModule,
  toyProvider,
  type ToyClass,
  type ToyDetails,
  type ToyModule,
  type ToyProvider,
  type ToySettings,
} from './toy-provider.ts'

/** What is broken in a toy, or changed, before the suite sees it. */
export interface Change {
  readonly module?: (module: ToyModule) => ToyModule
  /** The cloud as the provider sees it; the levers stay on the true one. */
  readonly cloud?: (cloud: ToyCloud) => ToyCloud
  readonly live?: (live: ToyProvider, cloud: ToyCloud, nowMs: () => number) => ToyProvider
}

const operations: Readonly<Record<Operation, ToyOperation>> = {
  launch: 'run',
  terminate: 'end',
  list: 'page',
  get: 'find',
  resolve: 'images',
  release: 'images',
  converge: 'tag',
  receive: 'messages',
  tasks: 'prices',
}
const codes: Readonly<Record<Fault, string>> = {
  throttled: 'SlowDown',
  unauthorized: 'Forbidden',
  quota: 'TooMany',
  invalid: 'BadInput',
  'server-error': 'Broken',
  'answer-lost': 'Broken',
}
const manifest = (rack: string) => ({
  apiVersion: 'toy.example.com/v1',
  kind: 'ToyClass',
  metadata: { name: 'default' },
  spec: { rack },
})
const machineOf = (providerId: string) => providerId.slice('toy:///'.length)

export const makeToy =
  ({ module = (as) => as, cloud: seenAs = (as) => as, live = (as) => as }: Change = {}): MakeSubject<
    ToyClass,
    ToyDetails,
    ToySettings
  > =>
  async () => {
    const clock = virtualClock(1_000_000)
    const cloud = toyCloud(clock)
    const host = observedHost(clock)
    const create = async () => live(await toyProvider(seenAs(cloud), host), cloud, clock.nowMs)
    return {
      module: module(toyModule),
      provider: await create(),
      manifest: manifest('r1'),
      host,
      pass: (ms) => clock.advance(ms),
      drive: (work) => runUntilSettled(clock, work),
      levers: {
        fail: (operation, fault, { skip = 0 } = {}) =>
          cloud.fail(operations[operation], codes[fault], fault === 'answer-lost', skip),
        sellOut: (type) => void cloud.soldOut.add(type),
        restock: () => cloud.soldOut.clear(),
        present: async () => cloud.present().map((id) => `toy:///${id}`),
        startForeign: async () => {
          const tags = { cluster: 'theirs', class: 'default' }
          return `toy:///${cloud.start({ token: 'theirs', type: 'small', zone: 'a', market: 'spot', image: 'x', tags }).id}`
        },
        endOutside: async (providerId) => cloud.endNow(machineOf(providerId)),
        garble: async (providerId) => cloud.strip(machineOf(providerId)),
        hideNew: cloud.hideNew,
        changePrice: cloud.raise,
        interrupt: async (providerId) => cloud.send(`end ${machineOf(providerId)}`),
        sendGarbage: async () => cloud.send('{"half'),
        restart: create,
        countCalls: cloud.calls,
        changedManifest: manifest('r2'),
        missingManifest: manifest('nowhere'),
      },
      close: async () => undefined,
    }
  }
