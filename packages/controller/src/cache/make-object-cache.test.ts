import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from '@jest/globals'
import type { ResourceKind } from '../kube/index.ts'
import { makeObjectCache } from './make-object-cache.ts'
import type { Change } from './object-cache.ts'

interface Pod {
  readonly metadata: {
    readonly name: string
    readonly namespace: string
    readonly uid: string
    readonly resourceVersion: string
  }
  readonly node: string
}

const pods: ResourceKind<Pod> = {
  apiVersion: 'v1',
  kind: 'Pod',
  plural: 'pods',
  namespaced: true,
  project: (raw) => E.right(raw as Pod),
}

const pod = (name: string, version: number, node = '', uid = `uid-${name}`): Pod => ({
  metadata: { name, namespace: 'default', uid, resourceVersion: String(version) },
  node,
})

const setup = () => {
  const errors: Array<unknown> = []
  const made = makeObjectCache({
    kind: pods,
    indexers: { byNode: (each: Pod) => each.node },
    onListenerError: (cause) => errors.push(cause),
  })
  const changes: Array<string> = []
  made.cache.onChange((change: Change<Pod>) => changes.push(`${change._tag} ${change.key}`))
  return { ...made, changes, errors }
}

describe('makeObjectCache()', () => {
  test('keeps indexes and listeners in step with lists and events', () => {
    const { cache, sink, changes } = setup()
    expect(cache.synced()).toBe(false)
    sink.replace([pod('a', 1, 'n1'), pod('b', 2)], '5')
    sink.apply({ _tag: 'Modified', object: pod('b', 6, 'n1') })
    expect(cache.synced()).toBe(true)
    expect(cache.by('byNode', 'n1').map((each) => each.metadata.name)).toEqual(['a', 'b'])
    expect(cache.by('byNode', '')).toEqual([])
    sink.apply({ _tag: 'Deleted', object: pod('a', 7, 'n1') })
    sink.replace([], '8')
    expect(cache.size()).toBe(0)
    expect(cache.by('byNode', 'n1')).toEqual([])
    expect(changes).toEqual([
      'Added default/a',
      'Added default/b',
      'Modified default/b',
      'Deleted default/a',
      'Deleted default/b',
    ])
  })

  test('takes in our own writes before the watch does, and ignores what is older', () => {
    const { cache, sink, changes } = setup()
    sink.replace([], '5')
    cache.observe(pod('a', 10, 'n2'))
    sink.apply({ _tag: 'Added', object: pod('a', 9, 'n1') })
    sink.apply({ _tag: 'Modified', object: pod('a', 10, 'n2') })
    expect(cache.get('default/a')?.node).toBe('n2')
    expect(changes).toEqual(['Added default/a'])
  })

  test('does not resurrect an object whose delete it has seen', () => {
    const { cache, sink } = setup()
    sink.replace([pod('a', 1)], '5')
    sink.apply({ _tag: 'Deleted', object: pod('a', 11) })
    cache.observe(pod('a', 10))
    expect(cache.get('default/a')).toBeUndefined()
  })

  test('keeps what we created after a list was taken', () => {
    const { cache, sink } = setup()
    cache.observe(pod('a', 12))
    cache.observe(pod('b', 8))
    sink.replace([], '10')
    expect([...cache.values()].map((each) => each.metadata.name)).toEqual(['a'])
  })

  test('tells of a namesake as of a delete and an add', () => {
    const { cache, sink, changes } = setup()
    sink.replace([pod('a', 1)], '5')
    cache.observe(pod('a', 9, '', 'uid-new'))
    // The late delete of the first one must not take the second one away.
    sink.apply({ _tag: 'Deleted', object: pod('a', 8) })
    expect(cache.get('default/a')?.metadata.uid).toBe('uid-new')
    expect(changes).toEqual(['Added default/a', 'Deleted default/a', 'Added default/a'])
  })

  test('compares versions as numbers', () => {
    const { cache, sink } = setup()
    sink.replace([pod('a', 99)], '99')
    sink.apply({ _tag: 'Modified', object: pod('a', 100, 'n1') })
    expect(cache.get('default/a')?.node).toBe('n1')
  })

  test('goes on when a listener throws', () => {
    const { cache, sink, errors } = setup()
    const seen: Array<string> = []
    cache.onChange(() => {
      throw new Error('bug')
    })
    const stop = cache.onChange((change) => seen.push(change.key))
    sink.replace([pod('a', 1)], '1')
    stop()
    sink.apply({ _tag: 'Added', object: pod('b', 2) })
    expect(seen).toEqual(['default/a'])
    expect(errors).toHaveLength(2)
  })
})
