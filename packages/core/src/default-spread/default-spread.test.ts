import { describe, expect, test } from '@jest/globals'
import * as E from 'fp-ts/lib/Either.js'

import type { TopologySpreadConstraint } from '../cluster/index.ts'
import { ingestPod, makePodInterner } from '../ingest/index.ts'
import { podObject, type Overrides } from '../testing/index.ts'
import { decodeSchedulerConfig, defaultSpread, type SpreadSources } from './index.ts'

const zonal = { maxSkew: 2, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' }
const config = (...defaultConstraints: ReadonlyArray<unknown>) => ({ podTopologySpread: { defaultConstraints } })

describe('decodeSchedulerConfig', () => {
  test('P-CFG-03: nothing, an empty object and an empty list override nothing', () => {
    for (const empty of [undefined, null, {}, { podTopologySpread: {} }, config()])
      expect(decodeSchedulerConfig(empty)).toEqual(E.right([]))
  })

  test('P-CFG-03: constraints are read with the defaults of the API', () => {
    expect(
      decodeSchedulerConfig(config(zonal, { ...zonal, whenUnsatisfiable: 'DoNotSchedule', minDomains: 3 })),
    ).toEqual(
      E.right([
        { ...zonal, matchLabelKeys: [], nodeAffinityPolicy: 'Honor', nodeTaintsPolicy: 'Ignore' },
        {
          ...zonal,
          whenUnsatisfiable: 'DoNotSchedule',
          minDomains: 3,
          matchLabelKeys: [],
          nodeAffinityPolicy: 'Honor',
          nodeTaintsPolicy: 'Ignore',
        },
      ]),
    )
  })

  test.each([
    ['an unknown field at the top', { profiles: [] }, 'profiles'],
    ['an unknown field of a constraint', config({ ...zonal, skew: 1 }), 'podTopologySpread.defaultConstraints[0].skew'],
    ['a skew of zero', config({ ...zonal, maxSkew: 0 }), 'defaultConstraints[0].maxSkew'],
    ['no skew', config({ ...zonal, maxSkew: undefined }), 'defaultConstraints[0].maxSkew: Required'],
    ['no key', config({ ...zonal, topologyKey: '' }), 'defaultConstraints[0].topologyKey'],
    ['a key that is no label', config({ ...zonal, topologyKey: 'a b' }), 'defaultConstraints[0].topologyKey'],
    ['another word', config({ ...zonal, whenUnsatisfiable: 'Never' }), 'defaultConstraints[0].whenUnsatisfiable'],
    ['a selector', config({ ...zonal, labelSelector: {} }), 'defaultConstraints[0].labelSelector'],
    ['label keys', config({ ...zonal, matchLabelKeys: [] }), 'defaultConstraints[0].matchLabelKeys'],
    ['the same pair twice', config(zonal, zonal), 'defaultConstraints[1]'],
    ['a list in place of an object', [], '(root)'],
    [
      'text in place of a list',
      { podTopologySpread: { defaultConstraints: 'x' } },
      'podTopologySpread.defaultConstraints',
    ],
  ])('O-04 P-CFG-03: %s is refused, and the field is named', (_, input, path) => {
    const decoded = decodeSchedulerConfig(input)
    expect(E.isLeft(decoded) && decoded.left.join('\n')).toContain(path)
  })
})

const defaults = E.getOrElse((): ReadonlyArray<TopologySpreadConstraint> => [])(decodeSchedulerConfig(config(zonal)))

const interner = makePodInterner()
const replicaSet = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-1', uid: 'rs-1', controller: true }
const pod = (name: string, labels: Record<string, string>, overrides: Overrides = {}) =>
  ingestPod(podObject(name, {}, { metadata: { labels, ownerReferences: [] }, ...overrides }), interner)
const owned = (name: string, labels: Record<string, string>, owner: object = replicaSet) =>
  pod(name, labels, { metadata: { name, namespace: 'default', uid: name, labels, ownerReferences: [owner] } })

const none: SpreadSources = { services: () => [], owner: () => undefined }
const selectorsOf = (sources: SpreadSources, given: ReturnType<typeof pod>) =>
  defaultSpread(defaults, sources)(given).constraints.topologySpread.map(({ labelSelector }) => labelSelector)

describe('defaultSpread', () => {
  test('P-DTS-01: a pod gets all defaults with the selector that was deduced; its own constraints stay', () => {
    const services = { ...none, services: () => [{ app: 'web' }] }
    const spread = defaultSpread(defaults, services)
    expect(spread(pod('a', { app: 'web' })).constraints.topologySpread).toEqual([
      { ...defaults[0], labelSelector: { matchLabels: { app: 'web' } } },
    ])
    const own = pod('b', { app: 'web' }, { spec: { topologySpreadConstraints: [{ ...zonal, maxSkew: 9 }] } })
    expect(spread(own)).toBe(own)
    expect(defaultSpread([], services)(own)).toBe(own)
  })

  test('P-DTS-02: Services of the namespace that match are merged; others and those without selector are not', () => {
    const services: SpreadSources = {
      ...none,
      services: (namespace) =>
        namespace === 'default' ? [{ app: 'web' }, undefined, { tier: 'front' }, { app: 'other' }, {}] : [{ x: 'y' }],
    }
    expect(selectorsOf(services, pod('a', { app: 'web', tier: 'front', x: 'y' }))).toEqual([
      { matchLabels: { app: 'web', tier: 'front' } },
    ])
  })

  test('P-DTS-02: a ReplicationController’s labels win over those of Services', () => {
    const sources: SpreadSources = {
      services: () => [{ app: 'web' }],
      owner: () => ({ _tag: 'Labels', labels: { app: 'rc', version: '1' } }),
    }
    expect(selectorsOf(sources, owned('a', { app: 'web' }))).toEqual([{ matchLabels: { app: 'rc', version: '1' } }])
  })

  test('P-DTS-02 P-DTS-05: a ReplicaSet’s selector holds beside the Services’, with the hash of its template', () => {
    const sources: SpreadSources = {
      services: () => [{ app: 'web' }],
      owner: () => ({
        _tag: 'Selector',
        selector: {
          matchLabels: { 'pod-template-hash': 'h1' },
          matchExpressions: [{ key: 'tier', operator: 'Exists' }],
        },
      }),
    }
    expect(selectorsOf(sources, owned('a', { app: 'web' }))).toEqual([
      {
        matchLabels: { app: 'web' },
        matchExpressions: [
          { key: 'pod-template-hash', operator: 'In', values: ['h1'] },
          { key: 'tier', operator: 'Exists', values: [] },
        ],
      },
    ])
  })

  test('P-DTS-03: where nothing is deduced, the pod is left as it is', () => {
    const alone = pod('a', { app: 'web' })
    expect(defaultSpread(defaults, none)(alone)).toBe(alone)
    expect(defaultSpread(defaults, { ...none, services: () => [{}, undefined] })(alone)).toBe(alone)
    const broken: SpreadSources = {
      ...none,
      owner: () => ({ _tag: 'Selector', selector: { matchExpressions: [{ key: 'a', operator: 'Near' }] } }),
    }
    const stray = owned('b', { app: 'web' })
    expect(defaultSpread(defaults, broken)(stray)).toBe(stray)
  })

  test('P-DTS-04: services are read once per namespace, owners once per labels, and equal pods stay one class', () => {
    const asked: Array<string> = []
    const spread = defaultSpread(defaults, {
      services: (namespace) => {
        asked.push(namespace)
        return [{ app: 'web' }]
      },
      owner: ({ uid }) => {
        asked.push(uid)
        return undefined
      },
    })
    const [first, second] = [spread(owned('a', { app: 'web' })), spread(owned('b', { app: 'web' }))]
    expect(first.constraints).toBe(second.constraints)
    expect(asked).toEqual(['default', 'rs-1'])
  })

  test('P-DTS-01: neither the pod nor the defaults change', () => {
    const before = pod('a', { app: 'web' })
    const text = JSON.stringify([before, defaults])
    defaultSpread(defaults, { ...none, services: () => [{ app: 'web' }] })(before)
    expect(JSON.stringify([before, defaults])).toBe(text)
  })
})
