import { describe, expect, test } from '@jest/globals'
import type { Call, CloudProvider, Instance, NodeClassObject } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { rememberInstanceIds } from './instance-ids.ts'

const instance: Instance = {
  providerId: 'cloud://a',
  aliases: ['i-1', 'i-2'],
  phase: 'running',
  instanceType: 't',
  zone: 'z',
  capacityType: 'spot',
  owner: {},
}
const call: Call = {
  signal: new AbortController().signal,
  cluster: { name: 'c', kubernetesVersion: '1.34.0', objects: {} },
}
const providerWith = (instances: Array<Instance>): CloudProvider<NodeClassObject> => ({
  instanceTypes: () => TE.right([]),
  launch: () => TE.right({ instance: { ...instance, providerId: 'cloud://b', aliases: ['i-3'] } }),
  terminate: () => TE.right('Gone'),
  list: () => async () => E.right({ instances: [...instances], unreadable: [] }),
})

describe('rememberInstanceIds()', () => {
  test('resolves ids and aliases of every instance seen, of those that are gone since, too', async () => {
    const present = [instance]
    const { provider, ids } = rememberInstanceIds(providerWith(present))
    expect(ids.resolve('i-1')).toBeUndefined()
    await provider.list(call)()
    expect(['cloud://a', 'i-1', 'i-2', 'i-3'].map(ids.resolve)).toEqual([
      'cloud://a',
      'cloud://a',
      'cloud://a',
      undefined,
    ])
    present.pop()
    await provider.list(call)()
    expect(ids.resolve('i-2')).toBe('cloud://a')
  })

  test('knows what was launched before any list shows it', async () => {
    const { provider, ids } = rememberInstanceIds(providerWith([]))
    await provider.launch({} as Parameters<typeof provider.launch>[0], call)()
    expect(ids.resolve('i-3')).toBe('cloud://b')
  })
})
