import { describe, expect, test } from '@jest/globals'
import type { CloudProvider, NodeClassObject } from '@scantling/core'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { KubeClient } from '../kube/index.ts'
import { fenceClient, fenceProvider } from './fence.ts'

const arg = {} as never

describe('fenceClient()', () => {
  test('asks before each write whether this replica leads, and lets reads through', async () => {
    let leads = true
    const done: Array<string> = []
    const call = (name: string) => () => async () => (done.push(name), { _tag: 'Right', right: undefined })
    const names = ['create', 'update', 'patch', 'patchStatus', 'delete', 'evict', 'get', 'listPage'] as const
    const client = Object.fromEntries(names.map((name) => [name, call(name)])) as unknown as KubeClient
    const fenced = fenceClient(client, () => leads) as unknown as Record<string, () => () => Promise<unknown>>
    const prepared = fenced['create']?.()
    leads = false
    for (const name of names) await fenced[name]?.()()
    expect(done).toEqual(['get', 'listPage'])
    // Asked when the write is made, not when it was prepared.
    expect(await prepared?.()).toMatchObject({ left: { _tag: 'Cancelled' } })
    leads = true
    for (const name of names) await fenced[name]?.()()
    expect(done).toHaveLength(2 + names.length)
  })
})

describe('fenceProvider()', () => {
  test('keeps a replica that lost leadership from changing the cloud, and from giving a claim up', async () => {
    const done: Array<string> = []
    const note = <A>(name: string, answer: A) => TE.fromIO(() => (done.push(name), answer))
    const provider: CloudProvider<NodeClassObject> = {
      instanceTypes: () => note('instanceTypes', []),
      launch: () => note('launch', arg),
      terminate: () => note('terminate', 'Gone' as const),
      list: () => note('list', { instances: [], unreadable: [] }),
      release: () => note('release', undefined),
      resolve: () => note('resolve', arg),
      converge: () => note('converge', arg),
    }
    const fenced = fenceProvider(provider, () => false)
    expect(await fenced.launch(arg, arg)()).toMatchObject({ left: { reason: 'NotLeading', keepClaim: true } })
    for (const name of ['terminate', 'release', 'resolve', 'converge'] as const)
      expect(await fenced[name]?.(arg, arg)()).toMatchObject({ _tag: 'Left' })
    await fenced.instanceTypes(arg, arg)()
    await fenced.list(arg)()
    expect(done).toEqual(['instanceTypes', 'list'])
    await fenceProvider(provider, () => true).terminate(arg, arg)()
    expect(done.at(-1)).toBe('terminate')
  })
})
