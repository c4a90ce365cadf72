import { describe, expect, test } from '@jest/globals'

import type { PersistentVolume, StorageClass, VolumeClaim, Volumes } from '../cluster/index.ts'
import { coreLabelKnowledge, labelKeys } from '../labels/index.ts'
import { Requirements } from '../requirements/index.ts'
import { nodePool, pendingPod, snapshotFor, stateNode } from '../testing/index.ts'
import { planProvisioning } from './plan-provisioning.ts'
import { volumeClaimProblems, volumesOf } from './volume-topology.ts'

const inZone = (zone: string) => [{ key: labelKeys.zone, operator: 'In' as const, values: [zone] }]
const claim = (name: string, rest: Partial<VolumeClaim>): VolumeClaim => ({
  namespace: 'default',
  name,
  isDeleting: false,
  isBindCompleted: true,
  ...rest,
})
const volume = (name: string, rest: Partial<PersistentVolume> = {}): PersistentVolume => ({
  name,
  isDeleting: false,
  isNodeLocal: false,
  nodeTerms: [],
  ...rest,
})
const storageClass = (name: string, rest: Partial<StorageClass> = {}): StorageClass => ({
  name,
  provisioner: 'ebs.csi.aws.com',
  volumeBindingMode: 'WaitForFirstConsumer',
  allowedTopologies: [],
  ...rest,
})
const volumes = (
  claims: ReadonlyArray<VolumeClaim>,
  persistent: ReadonlyArray<PersistentVolume> = [],
  classes: ReadonlyArray<StorageClass> = [storageClass('fast')],
): Volumes => ({
  claims: new Map(claims.map((one) => [`default/${one.name}`, one])),
  persistentVolumes: new Map(persistent.map((one) => [one.name, one])),
  storageClasses: new Map(classes.map((one) => [one.name, one])),
})
const mounting = (...claimNames: ReadonlyArray<string>) =>
  pendingPod('p', { cpu: '1' }, { volumes: claimNames.map((claimName) => ({ volumeName: claimName, claimName })) })
const placesOf = (pod: ReturnType<typeof mounting>, all: Volumes) =>
  volumesOf(pod, all, coreLabelKnowledge).alternatives.map((place) => Requirements.render(place))

describe('volumesOf', () => {
  test('P-VTP-01: a bound volume may be where any of its terms says, an unbound one where its class allows', () => {
    const bound = volumes([claim('c', { volumeName: 'v' })], [volume('v', { nodeTerms: [inZone('a'), inZone('b')] })])
    expect(placesOf(mounting('c'), bound)).toEqual([`${labelKeys.zone} In [a]`, `${labelKeys.zone} In [b]`])
    const classes = [storageClass('fast', { allowedTopologies: [inZone('c')] })]
    const unbound = volumes([claim('c', { storageClassName: 'fast' })], [], classes)
    expect(placesOf(mounting('c'), unbound)).toEqual([`${labelKeys.zone} In [c]`])
  })

  test('P-VTP-02: a local volume is not held to its host', () => {
    const onHost = [{ key: labelKeys.hostname, operator: 'In' as const, values: ['n1'] }]
    const local = volume('v', { isNodeLocal: true, nodeTerms: [onHost, [...onHost, ...inZone('a')]] })
    expect(placesOf(mounting('c'), volumes([claim('c', { volumeName: 'v' })], [local]))).toEqual([
      '',
      `${labelKeys.zone} In [a]`,
    ])
  })

  test('P-VTP-03: places of several volumes are paired, contradictions dropped unless nothing else is left', () => {
    const two = (first: ReadonlyArray<string>, second: ReadonlyArray<string>) =>
      volumes(
        [claim('c', { volumeName: 'v' }), claim('d', { volumeName: 'w' })],
        [volume('v', { nodeTerms: first.map(inZone) }), volume('w', { nodeTerms: second.map(inZone) })],
      )
    expect(placesOf(mounting('c', 'd'), two(['a', 'b'], ['b', 'c']))).toEqual([`${labelKeys.zone} In [b]`])
    expect(placesOf(mounting('c', 'd'), two(['a'], ['b']))).toEqual([`${labelKeys.zone} DoesNotExist`])
  })

  test('P-VTP-03: a combination that says no more than one before it is left out', () => {
    const names = Array.from({ length: 12 }, (_, index) => `c${index}`)
    const terms = [inZone('b'), inZone('a')]
    const all = volumes(
      names.map((name) => claim(name, { volumeName: name })),
      names.map((name) => volume(name, { nodeTerms: terms })),
    )
    expect(placesOf(mounting(...names), all)).toEqual([`${labelKeys.zone} In [b]`, `${labelKeys.zone} In [a]`])
  })

  test('first-fit tries 1000 combinations of places and no more, the reference all (W42)', () => {
    const ways = (counts: ReadonlyArray<number>) => {
      const named = counts.map((count, index) => ({ name: `c${index}`, count }))
      const all = volumes(
        named.map(({ name }) => claim(name, { volumeName: name })),
        named.map(({ name, count }) =>
          volume(name, {
            nodeTerms: Array.from({ length: count }, (_, at) => [
              { key: `example.com/${name}`, operator: 'NotIn' as const, values: [`${at}`] },
            ]),
          }),
        ),
      )
      const snapshot = snapshotFor({
        volumes: all,
        nodePools: [nodePool('default')],
        pods: [mounting(...all.persistentVolumes.keys())],
      })
      return (['first-fit', 'reference'] as const).map(
        (strategy) => planProvisioning(snapshot, { strategy, reservedOfferings: 'strict' }).rejections[0]?.reasons[0],
      )
    }
    expect(ways([10, 10, 10])).toEqual([undefined, undefined])
    const claims = ['default/c0', 'default/c1', 'default/c2']
    expect(ways([10, 10, 11])).toEqual([{ _tag: 'TooManyVolumePlaces', claims, most: 1000 }, undefined])
  })

  test('P-VLM-03: the driver of the volume counts, or that of the class; others are not tracked', () => {
    const all = volumes(
      [claim('c', { volumeName: 'v' }), claim('d', { storageClassName: 'fast' }), claim('e', { volumeName: 'w' })],
      [volume('v', { driver: 'other.csi' }), volume('w')],
    )
    expect(volumesOf(mounting('c', 'd', 'e'), all, coreLabelKnowledge).attached).toEqual(
      new Map([
        ['other.csi', new Set(['default/c'])],
        ['ebs.csi.aws.com', new Set(['default/d'])],
      ]),
    )
  })
})

describe('volumeClaimProblems', () => {
  const rules = {
    ...snapshotFor({}).labelRules,
    unsupportedTopologyKeys: new Set(['example.com/rack']),
    unsupportedProvisioners: new Set(['refused.csi']),
  }
  const rack = [{ key: 'example.com/rack', operator: 'In' as const, values: ['r'] }]
  const cases: ReadonlyArray<readonly [string, Volumes]> = [
    ['not found', volumes([])],
    ['being deleted', volumes([claim('c', { isDeleting: true })])],
    ['lost its volume', volumes([claim('c', { phase: 'Lost' })])],
    ['volume not found', volumes([claim('c', { volumeName: 'v' })])],
    ['volume being deleted', volumes([claim('c', { volumeName: 'v' })], [volume('v', { isDeleting: true })])],
    ['binding not completed', volumes([claim('c', { volumeName: 'v', isBindCompleted: false })], [volume('v')])],
    ['unbound without a storage class', volumes([claim('c', {})])],
    ['storage class not found', volumes([claim('c', { storageClassName: 'gone' })])],
    [
      'unbound with immediate binding',
      volumes(
        [claim('c', { storageClassName: 'fast' })],
        [],
        [storageClass('fast', { volumeBindingMode: 'Immediate' })],
      ),
    ],
    [
      'unsupported topology key',
      volumes([claim('c', { storageClassName: 'fast' })], [], [storageClass('fast', { allowedTopologies: [rack] })]),
    ],
    [
      'unsupported provisioner',
      volumes([claim('c', { storageClassName: 'fast' })], [], [storageClass('fast', { provisioner: 'refused.csi' })]),
    ],
  ]
  test.each(cases)('P-VTP-05: %s', (problem, all) => {
    expect(volumeClaimProblems(mounting('c'), all, rules)).toEqual([
      { _tag: 'VolumeClaimRefused', claim: 'default/c', problem },
    ])
  })

  test('P-VTP-06: a bound claim needs no storage class', () => {
    expect(
      volumeClaimProblems(mounting('c'), volumes([claim('c', { volumeName: 'v' })], [volume('v')]), rules),
    ).toEqual([])
  })
})

describe('planProvisioning with volumes', () => {
  const plan = (snapshot: ReturnType<typeof snapshotFor>) =>
    planProvisioning(snapshot, { strategy: 'first-fit', reservedOfferings: 'strict' })

  test('P-VTP-04: alternatives are tried in order until one passes everything', () => {
    const all = volumes([claim('c', { volumeName: 'v' })], [volume('v', { nodeTerms: [inZone('z'), inZone('b')] })])
    const [launch] = plan(snapshotFor({ pods: [mounting('c')], volumes: all })).launches
    expect(
      Requirements.render({
        byKey: new Map([...(launch?.requirements.byKey ?? [])].filter(([key]) => key === labelKeys.zone)),
      }),
    ).toBe(`${labelKeys.zone} In [b]`)
  })

  test('P-VLM-01: a claim that two pods share is attached once, and a full node takes no further one', () => {
    const all = volumes(['c', 'd'].map((name) => claim(name, { storageClassName: 'fast' })))
    const nodes = [stateNode('n', { cpu: '8' }, { volumeLimits: new Map([['ebs.csi.aws.com', 1]]) })]
    const sharing = [mounting('c'), { ...mounting('c'), name: 'q', uid: 'uid-q' }]
    expect(plan(snapshotFor({ pods: sharing, nodes, volumes: all })).launches).toHaveLength(0)
    const apart = [mounting('c'), { ...mounting('d'), name: 'q', uid: 'uid-q' }]
    expect(plan(snapshotFor({ pods: apart, nodes, volumes: all })).launches).toHaveLength(1)
  })

  test('P-VTP-07: a pod of a deleting node whose volume is gone fails alone', () => {
    const moved = { ...mounting('c'), nodeName: 'going', phase: 'Running' as const }
    const nodes = [stateNode('going', { cpu: '8' }, { isMarkedForDeletion: true, pods: [moved] })]
    const all = volumes([claim('c', { volumeName: 'gone' })])
    const result = plan(
      snapshotFor({ pods: [pendingPod('fine')], nodes, volumes: all, nodePools: [nodePool('default')] }),
    )
    expect(result.launches.map(({ pods }) => pods.map(({ name }) => name))).toEqual([['fine']])
    expect(result.rejections.map(({ reasons }) => reasons[0])).toEqual([
      { _tag: 'VolumeClaimRefused', claim: 'default/c', problem: 'volume not found' },
    ])
  })
})
