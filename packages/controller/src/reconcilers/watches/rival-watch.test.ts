import { describe, expect, test } from '@jest/globals'
import { virtualClock } from '@scantling/provider-kit'
import type { ReconcilerContext } from '../context.ts'
import { watchRivals } from './rival-watch.ts'

const startWatch = () => {
  const clock = virtualClock(0)
  const claims = new Map<string, unknown>()
  const said: Array<string> = []
  let listener: (change: object) => void = () => undefined
  const ownClaims = new Set<string>()
  watchRivals({
    clock,
    ownClaims,
    log: { warn: (message: string) => said.push(message) },
    events: { record: () => undefined },
    caches: {
      nodePools: new Map([['default', { metadata: { name: 'default', uid: 'p' } }]]),
      nodeClaims: {
        get: (key: string) => claims.get(key),
        onChange: (listen: typeof listener) => {
          listener = listen
          return () => undefined
        },
      },
    },
  } as unknown as ReconcilerContext)
  const appear = (name: string, pool = 'default') => {
    claims.set(name, { metadata: { name, labels: { 'karpenter.sh/nodepool': pool } } })
    listener({ _tag: 'Added', key: name })
  }
  return { clock, ownClaims, said, appear }
}

describe('watchRivals()', () => {
  test('tells of a claim that this process did not create, once in ten minutes', async () => {
    const { clock, said, appear } = startWatch()
    await clock.advance(31_000)
    appear('foreign')
    appear('foreign-too')
    await clock.advance(6_000)
    expect(said).toEqual([
      'NodeClaim foreign of NodePool default was created by another controller; two of them buy machines for the same pods, so stop one',
    ])
  })

  test('says nothing of own claims, of those without a NodePool, and of what a leader before left', async () => {
    const { clock, ownClaims, said, appear } = startWatch()
    appear('left-by-the-last-leader')
    await clock.advance(31_000)
    appear('own')
    // The answer to the write comes after the event of the watch.
    ownClaims.add('own')
    appear('by-hand', 'none')
    await clock.advance(6_000)
    expect(said).toEqual([])
  })
})
