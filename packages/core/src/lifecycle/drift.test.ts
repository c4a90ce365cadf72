import { describe, expect, test } from '@jest/globals'
import type { InstanceType } from '../instance/index.ts'
import { ingestNodeClaim } from '../ingest/index.ts'
import { coreLabelKnowledge } from '../labels/index.ts'
import { instanceType, nodeClaimObject, offering, reservationKey, reserved } from '../testing/index.ts'
import { claimDrift, type DriftInput } from './index.ts'

const hashKey = 'karpenter.sh/nodepool-hash'
const versionKey = 'karpenter.sh/nodepool-hash-version'
const marks = (hash: string, version = 'v1') => ({ [hashKey]: hash, [versionKey]: version })
const labels = {
  'node.kubernetes.io/instance-type': 'small',
  'topology.kubernetes.io/zone': 'a',
  'karpenter.sh/capacity-type': 'on-demand',
}
const claimWith = ({ annotations = marks('1'), more = {} }: { annotations?: object; more?: object } = {}) =>
  ingestNodeClaim(nodeClaimObject('claim', 'pool', { metadata: { annotations, labels: { ...labels, ...more } } }))
const types = [instanceType('small', 2, { offerings: [offering('a', 'on-demand', 1)] })]
const driftOf = (input: Partial<DriftInput> = {}) =>
  claimDrift({
    claim: claimWith(),
    poolMarks: marks('1'),
    poolRequirements: [],
    knowledge: coreLabelKnowledge,
    reservationKeys: [reservationKey],
    types,
    ...input,
  })?.reason

const nodeClassMarks = (hash: string, version = 'v1') => ({
  'test.example.com/boxclass-hash': hash,
  'test.example.com/boxclass-hash-version': version,
})
const nodeClassHash = { key: 'test.example.com/boxclass-hash', hash: '2', version: 'v1' }

describe('claimDrift()', () => {
  test('C-DRIFT-04 names the first reason that holds: template, requirements, instance type, NodeClass', () => {
    const everything = {
      claim: claimWith({ annotations: { ...marks('0'), ...nodeClassMarks('1') } }),
      poolRequirements: [{ key: 'team', operator: 'In', values: ['a'] }],
      types: [],
      nodeClassHash,
    } as const
    const mended = claimWith({ annotations: { ...marks('1'), ...nodeClassMarks('1') } })
    expect(driftOf(everything)).toBe('NodePoolDrifted')
    expect(driftOf({ ...everything, claim: mended })).toBe('RequirementsDrifted')
    expect(driftOf({ ...everything, claim: mended, poolRequirements: [] })).toBe('InstanceTypeNotFound')
    expect(driftOf({ claim: mended, nodeClassHash })).toBe('NodeClassDrifted')
    expect(driftOf()).toBeUndefined()
  })

  test('C-DRIFT-05 compares hashes only where both sides have one of the same version', () => {
    const of = (claimMarks: object, poolMarks: Record<string, string>) =>
      driftOf({ claim: claimWith({ annotations: claimMarks }), poolMarks })
    expect(of(marks('1'), marks('2'))).toBe('NodePoolDrifted')
    expect(of(marks('1', 'v0'), marks('2'))).toBeUndefined()
    expect(of({}, marks('2'))).toBeUndefined()
    expect(of(marks('1'), {})).toBeUndefined()
    expect(of({ [hashKey]: '1' }, marks('2'))).toBeUndefined()
    expect(of(marks('1'), { [hashKey]: '2' })).toBeUndefined()
    const byClass = (annotations: object) => driftOf({ claim: claimWith({ annotations }), nodeClassHash })
    expect(byClass(nodeClassMarks('1'))).toBe('NodeClassDrifted')
    expect(byClass(nodeClassMarks('2'))).toBeUndefined()
    expect(byClass(nodeClassMarks('1', 'v0'))).toBeUndefined()
    expect(byClass({})).toBeUndefined()
  })

  test.each([
    [{ key: 'team', operator: 'In', values: ['a'] }, {}, true],
    [{ key: 'team', operator: 'In', values: ['a'] }, { team: 'a' }, false],
    [{ key: 'team', operator: 'In', values: ['a'] }, { team: 'b' }, true],
    [{ key: 'team', operator: 'NotIn', values: ['a'] }, {}, false],
    [{ key: 'team', operator: 'Exists' }, {}, true],
    [{ key: 'team', operator: 'DoesNotExist' }, { team: 'a' }, true],
    [{ key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] }, {}, true],
    [{ key: 'topology.kubernetes.io/zone', operator: 'In', values: ['a', 'b'] }, {}, false],
    [{ key: 'topology.kubernetes.io/zone', operator: 'In', values: ['b'] }, {}, true],
  ] as const)('C-DRIFT-06 %j against labels %j drifted: %s, well-known labels not excused', (spec, more, expected) => {
    expect(driftOf({ claim: claimWith({ more }), poolRequirements: [spec] })).toBe(
      expected ? 'RequirementsDrifted' : undefined,
    )
  })

  test('C-DRIFT-06 says what is required and what the node has', () => {
    const input = {
      claim: claimWith(),
      poolMarks: {},
      knowledge: coreLabelKnowledge,
      reservationKeys: [],
      poolRequirements: [{ key: 'topology.kubernetes.io/zone', operator: 'In' as const, values: ['b'] }],
    }
    expect(claimDrift(input)?.message).toBe(
      'The NodePool requires topology.kubernetes.io/zone In [b], and the node has a',
    )
  })

  test('C-DRIFT-07 a type counts as long as it has the offering, sold out or not', () => {
    const of = (sold: ReadonlyArray<InstanceType> | undefined) =>
      claimDrift({
        claim: claimWith(),
        poolMarks: marks('1'),
        poolRequirements: [],
        knowledge: coreLabelKnowledge,
        reservationKeys: [],
        ...(sold === undefined ? {} : { types: sold }),
      })?.reason
    expect(of([])).toBe('InstanceTypeNotFound')
    expect(of([instanceType('large', 8)])).toBe('InstanceTypeNotFound')
    expect(of([instanceType('small', 2, { offerings: [offering('b', 'on-demand', 1)] })])).toBe('InstanceTypeNotFound')
    expect(of([instanceType('small', 2, { offerings: [offering('a', 'spot', 1)] })])).toBe('InstanceTypeNotFound')
    const soldOut = { ...offering('a', 'on-demand', 1), unavailable: { reason: 'SoldOut' } }
    expect(of([instanceType('small', 2, { offerings: [soldOut] })])).toBeUndefined()
    expect(of(undefined)).toBeUndefined()
  })

  test('C-DRIFT-08 a reserved machine may live on as on-demand, whatever its reservation was', () => {
    const claim = claimWith({ more: { 'karpenter.sh/capacity-type': 'reserved', [reservationKey]: 'gone' } })
    const of = (...offerings: InstanceType['offerings']) =>
      driftOf({ claim, types: [instanceType('small', 2, { offerings })] })
    expect(of(reserved('a', 'gone', 0))).toBeUndefined()
    expect(of(reserved('a', 'another', 1))).toBeUndefined()
    expect(of(offering('a', 'on-demand', 1))).toBeUndefined()
    expect(of(offering('a', 'spot', 1))).toBe('InstanceTypeNotFound')
    expect(of(offering('b', 'on-demand', 1))).toBe('InstanceTypeNotFound')
  })
})
