import { describe, expect, test } from '@jest/globals'
import { Requirements, type InstanceType } from '@scantling/core'
import { nodeClaimFacts } from '@scantling/core/testing'
import { nodeClass, resolvedStatus } from '../test/subjects.ts'
import { drift } from './drift.ts'

type Subject = Parameters<typeof drift>[0]

const claim = nodeClaimFacts('c', { imageId: 'ami-amd', registered: true })
const type: InstanceType = {
  name: 'm5.large',
  requirements: Requirements.empty,
  capacity: {},
  overhead: { kubeReserved: {}, systemReserved: {}, evictionThreshold: {} },
  offerings: [],
  imageId: 'ami-amd',
}
const inGroup = (id: string): InstanceType => ({
  ...type,
  requirements: Requirements.fromLabels({ 'karpenter.k8s.aws/placement-group-id': id }),
})
const details = { instanceId: 'i-1', subnetId: 'subnet-a', securityGroupIds: ['sg-1'], tags: {} }
const instance: Subject['instance'] = {
  providerId: 'aws:///eu-west-1a/i-1',
  phase: 'running',
  instanceType: 'm5.large',
  zone: 'eu-west-1a',
  capacityType: 'on-demand',
  owner: {},
  details,
}
const base: Subject = { claim, nodeClass: nodeClass({}, resolvedStatus), instance, type }
const of = (changes: Partial<Subject>) => {
  const verdict = drift({ ...base, ...changes })
  return verdict._tag === 'Drifted' ? verdict.reason : verdict._tag
}
const withStatus = (status: object) => ({ nodeClass: nodeClass({}, { ...resolvedStatus, ...status }) })
const withDetails = (changes: object, rest: object = {}) => ({
  instance: { ...instance, ...rest, details: { ...details, ...changes } },
})

describe('drift', () => {
  test('a machine that is as it would be launched is in sync', () => {
    expect(of({})).toBe('InSync')
  })
  test('A-DRF-05: the image is not the one that its type boots now', () => {
    expect(of({ type: { ...type, imageId: 'ami-new' } })).toBe('AMIDrift')
    expect(drift({ ...base, type: { ...type, imageId: 'ami-new' } })).toMatchObject({
      message: 'the machine runs ami-amd, a new one would run ami-new',
    })
    const { imageId: _, ...unknownImage } = claim
    expect(of({ claim: unknownImage })).toBe('Unknown')
    expect(of({ claim: unknownImage, instance: { ...instance, imageId: 'ami-old' } })).toBe('AMIDrift')
    expect(of(withStatus({ amis: [] }))).toBe('Unknown')
    const { type: __, ...unknownType } = base
    expect(drift(unknownType)._tag).toBe('Unknown')
  })
  test('A-DRF-05: an image that is missing for the type replaces nothing (W-26)', () => {
    const { imageId: _, ...withoutImage } = type
    expect(of({ type: withoutImage })).toBe('Unknown')
  })
  test('A-DRF-06: security groups as a set, and the subnet; empty lists are no drift', () => {
    expect(of(withDetails({ securityGroupIds: ['sg-1', 'sg-2'] }))).toBe('SecurityGroupDrift')
    expect(of(withDetails({ securityGroupIds: ['sg-2'] }))).toBe('SecurityGroupDrift')
    expect(of(withStatus({ securityGroups: [] }))).toBe('Unknown')
    expect(of(withDetails({ securityGroupIds: [] }))).toBe('Unknown')
    expect(of(withDetails({ subnetId: 'subnet-z' }))).toBe('SubnetDrift')
    expect(of(withStatus({ subnets: [] }))).toBe('Unknown')
  })
  test('A-DRF-07: a reservation that is not selected; one that ended in on-demand is none', () => {
    const uses = (capacityType: 'reserved' | 'on-demand') =>
      withDetails({ capacityReservationId: 'cr-1' }, { capacityType })
    expect([of(uses('reserved')), of(uses('on-demand'))]).toEqual(['CapacityReservationDrift', 'InSync'])
    const selected = {
      id: 'cr-1',
      availabilityZone: 'eu-west-1a',
      instanceMatchCriteria: 'open',
      instanceType: 'm5.large',
      ownerID: '012345678901',
    }
    expect(of({ ...uses('reserved'), ...withStatus({ capacityReservations: [selected] }) })).toBe('InSync')
  })
  test('A-PG-06: the placement group is another, or only one of the two has one', () => {
    const labelled = (id: string) => ({ claim: { ...claim, labels: { 'karpenter.k8s.aws/placement-group-id': id } } })
    expect(of({ ...labelled('pg-1'), type: inGroup('pg-1') })).toBe('InSync')
    expect(of({ ...labelled('pg-1'), type: inGroup('pg-2') })).toBe('PlacementGroupDrift')
    expect(of({ ...labelled('pg-1') })).toBe('PlacementGroupDrift')
    expect(of({ type: inGroup('pg-1') })).toBe('PlacementGroupDrift')
    // A selector whose group could not be looked up.
    expect(
      of({ ...labelled('pg-1'), nodeClass: nodeClass({ placementGroupSelector: { name: 'a' } }, resolvedStatus) }),
    ).toBe('Unknown')
  })
  test('A-DRF-04: the first finding counts, and what cannot be said hides none', () => {
    const everything = {
      type: { ...inGroup('pg-2'), imageId: 'ami-new' },
      ...withDetails({ subnetId: 'subnet-z', securityGroupIds: ['sg-2'] }),
    }
    expect(of(everything)).toBe('AMIDrift')
    expect(of({ ...everything, type: inGroup('pg-2') })).toBe('SecurityGroupDrift')
    expect(of({ ...everything, ...withDetails({ subnetId: 'subnet-z' }), type: inGroup('pg-2') })).toBe('SubnetDrift')
    const { imageId: _, ...withoutImage } = type
    expect(of({ type: withoutImage, ...withDetails({ subnetId: 'subnet-z' }) })).toBe('SubnetDrift')
  })
})
