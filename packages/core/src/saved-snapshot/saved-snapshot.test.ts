import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import * as E from 'fp-ts/lib/Either.js'

import type { Snapshot } from '../cluster/index.ts'
import { planDisruption } from '../disruption/index.ts'
import { annotationKeys } from '../labels/index.ts'
import { decodeCatalog, readScenario } from '../scenario/index.ts'
import { planProvisioning } from '../scheduling/index.ts'
import { instanceType, managedNode, nodePool, pendingPod, runningPod, snapshotFor } from '../testing/index.ts'
import { isSavedSnapshot, readSnapshot, saveSnapshot } from './index.ts'

const textOf = (snapshot: Snapshot) => [...saveSnapshot(snapshot)].join('')
const again = (snapshot: Snapshot): Snapshot =>
  E.getOrElse((reason: string): Snapshot => {
    throw new Error(reason)
  })(readSnapshot(textOf(snapshot)))

const vectors = new URL('../../../../vectors/', import.meta.url)
const unpacked = (file: string) => gunzipSync(readFileSync(new URL(file, vectors))).toString('utf8')
const catalogOf = (name: string) => {
  const file = `catalogs/${name}.json`
  const isPlain = existsSync(new URL(file, vectors))
  const text = isPlain ? readFileSync(new URL(file, vectors), 'utf8') : unpacked(`${file}.gz`)
  return E.getOrElseW(() => undefined)(decodeCatalog(JSON.parse(text)))
}
const snapshotsOf = (family: string, count: number): ReadonlyArray<Snapshot> =>
  unpacked(`${family}.jsonl.gz`)
    .split('\n')
    .slice(0, count)
    .flatMap((line) => {
      const { scenario } = JSON.parse(line) as { readonly scenario: unknown }
      const read = readScenario(scenario, catalogOf)
      return E.isRight(read) ? [read.right.snapshot] : []
    })

describe('saved snapshots', () => {
  test.each(['mixed', 'existing', 'consolidation'])('of %s are read as they were and planned alike', (family) => {
    const snapshots = snapshotsOf(family, 4)
    expect(snapshots.length).toBeGreaterThan(2)
    for (const snapshot of snapshots) {
      const read = again(snapshot)
      const withoutMessages = structuredClone(snapshot) as Snapshot
      for (const { claim, node } of withoutMessages.nodes)
        for (const condition of [...(claim?.conditions ?? []), ...(node?.conditions ?? [])])
          Object.assign(condition, { message: '' })
      expect(read).toEqual(withoutMessages)
      const options = { strategy: 'first-fit', reservedOfferings: 'strict' } as const
      expect(planProvisioning(read, options)).toEqual(planProvisioning(snapshot, options))
      expect(planDisruption(read, { strategy: 'first-fit' })).toEqual(
        planDisruption(snapshot, { strategy: 'first-fit' }),
      )
    }
  })

  test('hold of annotations and conditions only what planners read', () => {
    const annotations = { [annotationKeys.doNotDisrupt]: 'true', 'example.com/token': 'hunter2' }
    const node = managedNode('a', { claim: { annotations, conditions: [{ ...ready, message: 'hunter2' }] } })
    const snapshot = snapshotFor({
      nodes: [{ ...node, node: { ...node.node!, annotations } }],
      nodePools: [nodePool('default', { annotations })],
    })
    expect(textOf(snapshot)).not.toContain('hunter2')
    const read = again(snapshot)
    expect(read.nodes[0]?.node?.annotations).toEqual({ [annotationKeys.doNotDisrupt]: 'true' })
    expect(read.nodePools[0]?.annotations).toEqual({ [annotationKeys.doNotDisrupt]: 'true' })
  })

  test('keep what JSON cannot say: awkward keys, numbers without bounds, one object for what is shared', () => {
    const labels = JSON.parse('{"__proto__":"a","constructor":"b"}') as Record<string, string>
    const shared = pendingPod('web')
    const pods = [0, 1].map((index) => ({
      ...shared,
      name: `web-${index}`,
      labels,
      priority: Number.NEGATIVE_INFINITY,
    }))
    const types = [instanceType('small', 2)]
    const read = again(snapshotFor({ pods, nodePools: [nodePool('one'), nodePool('two')], types }))
    expect(Object.entries(read.pods[0]?.labels ?? {})).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ])
    expect(read.pods[0]?.priority).toBe(Number.NEGATIVE_INFINITY)
    expect(read.pods[0]?.constraints).toBe(read.pods[1]?.constraints)
    expect(read.instanceTypes.get('one')).toBe(read.instanceTypes.get('two'))
  })

  test('are small where pods are alike, and come in pieces', () => {
    const shared = runningPod('web')
    const pods = Array.from({ length: 2000 }, (_, index) => ({ ...shared, name: `web-${index}`, uid: `uid-${index}` }))
    const pieces = [...saveSnapshot(snapshotFor({ pods }))]
    expect(pieces.join('').length / pods.length).toBeLessThan(350)
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(10_000)
  })

  test('are known by their beginning; what is none, cut off or of another form is refused with a sentence', () => {
    const text = textOf(snapshotFor({}))
    expect(isSavedSnapshot(text)).toBe(true)
    expect(isSavedSnapshot('apiVersion: v1\nkind: Pod\n')).toBe(false)
    expect(readSnapshot(text.slice(0, -20))).toEqual(E.left(expect.stringMatching(/^not whole JSON .*save it again$/)))
    expect(readSnapshot('{"apiVersion":"scantling.sh/v2","kind":"Snapshot"}')).toEqual(
      E.left('expected apiVersion scantling.sh/v1 and kind Snapshot'),
    )
    expect(readSnapshot(text.replace('"pods":[', '"others":['))).toEqual(
      E.left('snapshot.pods: not what this version saves; save it again'),
    )
    expect(readSnapshot('{"apiVersion":"scantling.sh/v1","kind":"Snapshot","snapshot":{"a":{"$ref":3}}}')).toEqual(
      E.left('reference 3 comes before what it refers to; save it again'),
    )
  })
})

const ready = { type: 'Ready', status: 'True', reason: 'Ready', message: '', lastTransitionAtMs: 0 } as const
