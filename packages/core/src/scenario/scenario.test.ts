import { describe, expect, test } from '@jest/globals'
import * as E from 'fp-ts/lib/Either.js'

import { Offerings } from '../instance/index.ts'
import { Requirement, Requirements } from '../requirements/index.ts'
import { nodePoolObject, podObject } from '../testing/index.ts'
import { decodeCatalog, readScenario, type Scenario, type ScenarioCatalog } from './index.ts'

const offering = (zone: string, capacityType: string, price: number) => ({
  requirements: [
    { key: 'topology.kubernetes.io/zone', operator: 'In', values: [zone] },
    { key: 'karpenter.sh/capacity-type', operator: 'In', values: [capacityType] },
  ],
  price,
  available: true,
})
const type = (
  name: string,
  offerings: ReadonlyArray<object> = [offering('a', 'spot', 1), offering('b', 'on-demand', 2)],
) => ({
  name,
  capacity: { cpu: '4' },
  offerings,
})
const catalog: ScenarioCatalog = E.getOrElse((): ScenarioCatalog => {
  throw new Error('Expected a catalogue')
})(
  decodeCatalog({
    name: 'small',
    wellKnownLabels: ['example.com/known'],
    instanceTypes: ['x', 'y', 'z'].map((name) => type(name)),
  }),
)

const read = (form: object) =>
  readScenario({ version: 1, now: '2026-01-01T00:00:00Z', objects: [], ...form }, (name) =>
    name === 'small' ? catalog : undefined,
  )
const scenario = (form: object): Scenario =>
  E.getOrElse((problems: ReadonlyArray<string>): Scenario => {
    throw new Error(problems.join('\n'))
  })(read(form))
const pools = [nodePoolObject('p'), nodePoolObject('q')]
const typesOf = (form: object) => scenario({ objects: pools, ...form }).snapshot.instanceTypes.get('p') ?? []

describe('readScenario()', () => {
  test('takes the selected types in their order, then its own', () => {
    const names = typesOf({ catalog: 'small', catalogSelect: ['z', 'x'], instanceTypes: [type('own')] })
    expect(names.map(({ name }) => name)).toEqual(['z', 'x', 'own'])
    expect(typesOf({ catalog: 'small' }).map(({ name }) => name)).toEqual(['x', 'y', 'z'])
  })

  test('limits a NodePool to the types that it is given', () => {
    const { instanceTypes } = scenario({
      objects: pools,
      catalog: 'small',
      instanceTypesByNodePool: { q: ['y'] },
    }).snapshot
    expect([...instanceTypes].map(([name, types]) => [name, types.length])).toEqual([
      ['p', 3],
      ['q', 1],
    ])
  })

  test('applies patches in order to the offerings that they select', () => {
    const offeringPatches = [
      { zone: 'a', available: false },
      { instanceType: 'x', capacityType: 'on-demand', priceFactor: 1.5 },
      { instanceType: 'x', add: offering('c', 'spot', 7) },
    ]
    const [x, y] = typesOf({ catalog: 'small', offeringPatches })
    const shown = (one: typeof x) =>
      one?.offerings.map((each) => [Offerings.zoneOf(each), each.pricePerHour, each.unavailable === undefined])
    expect(shown(x)).toEqual([
      ['a', 1, false],
      ['b', 3, true],
      ['c', 7, true],
    ])
    expect(shown(y)).toEqual([
      ['a', 1, false],
      ['b', 2, true],
    ])
  })

  test('P-ITO-01: derives zone, capacity type and name from the offerings where the type leaves them out', () => {
    const [x] = typesOf({ catalog: 'small' })
    const values = (key: string) =>
      Requirement.sortedValues(Requirements.get(x?.requirements ?? Requirements.empty, key))
    expect(values('topology.kubernetes.io/zone')).toEqual(['a', 'b'])
    expect(values('karpenter.sh/capacity-type')).toEqual(['on-demand', 'spot'])
    expect(values('node.kubernetes.io/instance-type')).toEqual(['x'])
  })

  test('reads options, gates without regard to case', () => {
    const { settings } = scenario({
      options: { preferencePolicy: 'Ignore', featureGates: { SPOTTOSPOTCONSOLIDATION: true, reservedCapacity: false } },
    }).snapshot
    expect(settings.preferencePolicy).toBe('Ignore')
    expect(settings.featureGates).toMatchObject({
      spotToSpotConsolidation: true,
      reservedCapacity: false,
      nodeRepair: false,
    })
  })

  test('knows the labels of its provider, its catalogue and itself', () => {
    const { wellKnown } = scenario({ catalog: 'small', wellKnownLabels: ['example.com/more'] }).snapshot.labelRules
      .knowledge
    for (const key of ['karpenter.kwok.sh/instance-cpu', 'example.com/known', 'example.com/more']) {
      expect(wellKnown.has(key)).toBe(true)
    }
  })

  test('stands at its own time', () => {
    expect(scenario({ objects: [podObject('p')] }).snapshot.nowMs).toBe(Date.parse('2026-01-01T00:00:00Z'))
  })

  test('says all that is wrong, each with its path', () => {
    const problems = read({
      catalog: 'small',
      catalogSelect: ['nothing'],
      options: { featureGates: { flying: true }, ignoreDRARequests: false },
      instanceTypesByNodePool: { p: ['none'] },
      objects: [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bad' }, spec: { priority: 'high' } }],
    })
    expect(E.isLeft(problems) ? problems.left : []).toEqual([
      'catalogSelect: Invalid value: "nothing": not in small',
      'options.ignoreDRARequests: Invalid value: false: dynamic resource allocation is not planned',
      'objects[0].spec.priority: Invalid value: "high": expected a whole number',
      'instanceTypesByNodePool[p]: Invalid value: "none": there is no such type',
      'options.featureGates[flying]: Invalid value: there is no such gate',
    ])
  })
})
