import { describe, expect, test } from '@jest/globals'
import { virtualClock } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import type { KubeClient } from '../kube/index.ts'
import type { Settings } from '../settings/index.ts'
import { startClusterFacts } from './cluster-facts.ts'

describe('startClusterFacts()', () => {
  const start = async () => {
    const clock = virtualClock(0)
    const shutdown = new AbortController()
    const asked: Array<unknown> = []
    let version = '1.34.0'
    const client = {
      serverVersion: () => async () => E.right(version),
      get:
        (kind: { readonly plural: string }, ref: { readonly namespace?: string; readonly name: string }) =>
        async () => {
          asked.push([kind.plural, ref.namespace, ref.name])
          if (ref.name === 'kube-dns') return E.right({ metadata: {}, spec: { clusterIP: '10.0.0.10' } })
          return ref.name === 'absent'
            ? E.left({ _tag: 'NotFound', message: 'not there' })
            : E.left({ _tag: 'Forbidden', message: 'not allowed' })
        },
      listPage: (kind: { readonly plural: string }) => async () =>
        E.right({ items: [{ metadata: { name: kind.plural } }], resourceVersion: '1' }),
    } as unknown as KubeClient
    const facts = await startClusterFacts({
      client,
      clock,
      settings: { clusterName: 'prod', clusterEndpoint: 'https://api' } as Settings,
      reads: [
        { as: 'all', apiVersion: 'v1', plural: 'things' },
        { as: 'absent', apiVersion: 'v1', plural: 'configmaps', namespace: '$system', name: 'absent' },
        { as: 'refused', apiVersion: 'v1', plural: 'configmaps', namespace: 'x', name: 'refused' },
      ],
      systemNamespace: 'karpenter',
      kubernetesVersion: version,
      signal: shutdown.signal,
    })
    return { clock, shutdown, facts, asked, upgrade: () => void (version = '1.35.0') }
  }

  test('reads what providers declared: absent is empty, refused is a reason, $system is our namespace', async () => {
    const { facts, asked } = await start()
    expect(facts.current()).toEqual({
      name: 'prod',
      endpoint: 'https://api',
      kubernetesVersion: '1.34.0',
      dnsServiceIp: '10.0.0.10',
      objects: {
        all: E.right([{ metadata: { name: 'things' } }]),
        absent: E.right([]),
        refused: E.left('not allowed'),
      },
    })
    expect(asked).toContainEqual(['configmaps', 'karpenter', 'absent'])
  })

  test('is the same record while nothing changed, and another one after an upgrade', async () => {
    const { clock, facts, upgrade, shutdown } = await start()
    const first = facts.current()
    await clock.advance(600_000)
    expect(facts.current()).toBe(first)
    upgrade()
    await clock.advance(300_000)
    expect(facts.current()).toEqual({ ...first, kubernetesVersion: '1.35.0' })
    shutdown.abort()
    await clock.advance(0)
  })
})
