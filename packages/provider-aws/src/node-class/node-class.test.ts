import { describe, expect, test } from '@jest/globals'
import { crdOf, decoderOf, renderFieldError, type OpenApiNode } from '@scantling/core'
import { createApiServer, type DraftObject } from '@scantling/kube-sim'
import { virtualClock } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { decodeNodeClass, leastSpec, manifest, nodeClass, reservation, resolvedStatus } from '../../test/subjects.ts'
import {
  aliasOf,
  canonicalKubelet,
  conditionTypes,
  ec2NodeClass,
  familyOf,
  hashOf,
  hashVersion,
  reservationsOfType,
  zonesOf,
} from './index.ts'

const problems = (spec: unknown): ReadonlyArray<string> => {
  const decoded = decodeNodeClass(manifest(spec))
  return E.isRight(decoded) ? [] : decoded.left.map(renderFieldError)
}

// An API server with the generated CRD: what it admits must be what the decoder admits.
const client = createApiServer({ clock: virtualClock(0) }).face('test')
const installed = client.create(
  { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' },
  crdOf(ec2NodeClass) as DraftObject,
)
const collection = { group: ec2NodeClass.group, version: 'v1', plural: 'ec2nodeclasses' }
let created = 0
const admitted = async (spec: unknown): Promise<unknown> => {
  await installed
  created += 1
  try {
    return await client.create(collection, manifest(spec, { metadata: { name: `class-${created}` } }) as DraftObject)
  } catch {
    return undefined
  }
}
/** Both verdicts on each change of the least spec. */
const verdictsOf = async (changes: ReadonlyArray<Readonly<Record<string, unknown>>>) =>
  Promise.all(
    changes.map(async (change) => {
      const spec = JSON.parse(JSON.stringify({ ...leastSpec, ...change })) as unknown
      return [problems(spec).length === 0, (await admitted(spec)) !== undefined]
    }),
  )
const expectAll = async (isRight: boolean, changes: ReadonlyArray<Readonly<Record<string, unknown>>>) => {
  const verdicts = await verdictsOf(changes)
  expect(changes.filter((_, index) => verdicts[index]?.some((verdict) => verdict !== isRight))).toEqual([])
}
const tags = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 'v']))
const repeated = (item: unknown, count: number) => Array.from({ length: count }, () => item)

const crd = crdOf(ec2NodeClass) as {
  readonly spec: { readonly names: OpenApiNode; readonly scope: string; readonly versions: ReadonlyArray<OpenApiNode> }
}

describe('the kind', () => {
  test('has names, scope, columns, finalizer and one served version as the reference has them', () => {
    expect(crd.spec.names).toEqual({
      kind: 'EC2NodeClass',
      listKind: 'EC2NodeClassList',
      plural: 'ec2nodeclasses',
      singular: 'ec2nodeclass',
      shortNames: ['ec2nc', 'ec2ncs'],
      categories: ['karpenter'],
    })
    expect([crd.spec.scope, ec2NodeClass.group, ec2NodeClass.finalizer]).toEqual([
      'Cluster',
      'karpenter.k8s.aws',
      'karpenter.k8s.aws/termination',
    ])
    expect(crd.spec.versions).toHaveLength(1)
    expect(crd.spec.versions[0]).toMatchObject({
      name: 'v1',
      subresources: { status: {} },
      additionalPrinterColumns: [{ name: 'Ready' }, { name: 'Age' }, { name: 'Role', priority: 1 }],
    })
  })
  test('v1beta1 decodes, with its own default of hops and without aliases, and is not served', () => {
    const old = ec2NodeClass.versions[1]
    const { amiSelectorTerms: _, ...rest } = leastSpec
    const decodeOld = decoderOf(old?.schema ?? ec2NodeClass.versions[0].schema)
    const decoded = decodeOld(manifest({ ...rest, amiFamily: 'AL2' }))
    expect([old?.name, old?.served]).toEqual(['v1beta1', false])
    expect(decoded).toMatchObject({
      right: { spec: { amiFamily: 'AL2', amiSelectorTerms: [], metadataOptions: { httpPutResponseHopLimit: 2 } } },
    })
    expect(decodeOld(manifest({ ...rest, amiFamily: 'Custom' }))._tag).toBe('Left')
    expect(decodeOld(manifest({ ...rest, amiFamily: 'Ubuntu' }))._tag).toBe('Right')
  })
})

describe('selector terms', () => {
  test('A-API-01: subnetSelectorTerms', async () => {
    const of = (...terms: ReadonlyArray<unknown>) => ({ subnetSelectorTerms: terms })
    await expectAll(true, [
      of({ id: 'subnet-1' }),
      of({ tags: { a: '*' } }),
      of({ tags: tags(20) }, { id: 'subnet-2' }),
      of(...repeated({ id: 'subnet-1' }, 30)),
      // Identifiers are not anchored, and the list is refused only when every term is wrong, as in the reference.
      of({ id: 'xxsubnet-1yy' }),
      of({ id: 'subnet-1', tags: { a: 'b' } }, { tags: { a: 'b' } }),
    ])
    await expectAll(false, [
      of(),
      { subnetSelectorTerms: undefined },
      of({}),
      of({ id: 'sub-1' }),
      of({ tags: { a: '' } }),
      of({ tags: { '': 'a' } }),
      of({ tags: tags(21) }),
      of({ id: 'subnet-1', tags: { a: 'b' } }),
      of(...repeated({ id: 'subnet-1' }, 31)),
    ])
  })
  test('A-API-02: securityGroupSelectorTerms', async () => {
    const of = (...terms: ReadonlyArray<unknown>) => ({ securityGroupSelectorTerms: terms })
    await expectAll(true, [of({ id: 'sg-1' }), of({ name: 'nodes' }), of({ tags: { a: 'b' } }, { name: 'nodes' })])
    await expectAll(false, [
      of(),
      of({}),
      of({ id: 'group' }),
      of({ id: 'sg-1', name: 'a' }),
      of({ name: 'a', tags: { a: 'b' } }),
      of({ id: 'sg-1', tags: { a: 'b' } }),
      of(...repeated({ id: 'sg-1' }, 31)),
    ])
  })
  test('A-API-03: capacityReservationSelectorTerms', async () => {
    const of = (...terms: ReadonlyArray<unknown>) => ({ capacityReservationSelectorTerms: terms })
    await expectAll(true, [
      { capacityReservationSelectorTerms: undefined },
      of({ id: 'cr-0a' }),
      of({ instanceMatchCriteria: 'open' }),
      of({ tags: { a: '*' }, ownerID: '012345678901', instanceMatchCriteria: 'targeted' }),
    ])
    await expectAll(false, [
      of({}),
      of({ ownerID: '012345678901' }),
      of({ id: 'xcr-1' }),
      of({ id: 'cr-1', tags: { a: 'b' } }),
      of({ id: 'cr-1', ownerID: '012345678901' }),
      of({ id: 'cr-1', instanceMatchCriteria: 'open' }),
      of({ tags: { a: 'b' }, ownerID: '1234' }),
      of({ instanceMatchCriteria: 'any' }),
      of(...repeated({ id: 'cr-1' }, 31)),
    ])
  })
  test('A-API-04: placementGroupSelector', async () => {
    await expectAll(true, [{ placementGroupSelector: { name: 'a' } }, { placementGroupSelector: { id: 'pg-0a' } }])
    await expectAll(false, [
      { placementGroupSelector: {} },
      { placementGroupSelector: { name: '' } },
      { placementGroupSelector: { id: 'xpg-1' } },
      { placementGroupSelector: { name: 'a', id: 'pg-1' } },
    ])
  })
  test('A-API-05: amiSelectorTerms', async () => {
    const of = (...terms: ReadonlyArray<unknown>) => ({ amiFamily: 'AL2023', amiSelectorTerms: terms })
    await expectAll(true, [
      of({ id: 'ami-1' }),
      of({ id: 'xxami-1' }),
      of({ name: 'a*', owner: 'self' }, { tags: { a: 'b' }, owner: '012345678901' }),
      of({ ssmParameter: '/my/image' }),
      // Admitted by the reference, too; the alias and the parameter win.
      of({ alias: 'al2023@latest', ssmParameter: '/my/image' }),
      of({ ssmParameter: '/my/image', name: 'a' }),
    ])
    await expectAll(false, [
      of(),
      of({}),
      of({ owner: 'self' }),
      of({ id: 'image-1' }),
      of({ id: 'ami-1', name: 'a' }),
      of({ id: 'ami-1', owner: 'self' }, { id: 'ami-2' }),
      of({ alias: 'al2023@latest', tags: { a: 'b' } }),
      of({ alias: 'al2023@latest', owner: 'self' }),
      of({ alias: 'al2023@latest' }, { id: 'ami-1' }),
      of(...repeated({ id: 'ami-1' }, 31)),
    ])
  })
  test('A-API-06: alias', async () => {
    const of = (alias: string) => ({ amiSelectorTerms: [{ alias }] })
    await expectAll(
      true,
      ['al2@latest', 'al2023@v20240807', 'bottlerocket@1.20.3', 'windows2019@latest', 'windows2025@latest'].map(of),
    )
    await expectAll(
      false,
      ['al2', 'al2@', '@latest', 'AL2@latest', 'ubuntu@latest', 'windows2022@v1', `al2023@${'v'.repeat(24)}`].map(of),
    )
    // All that follows the first sign is the version; the reference ends its process over a second one.
    expect(aliasOf({ amiSelectorTerms: [{ alias: 'al2023@a@b' }] })).toEqual({ family: 'AL2023', version: 'a@b' })
  })
  test('A-API-07: amiFamily agrees with the alias, is Custom, or stands for itself', async () => {
    const of = (amiFamily: string | undefined, term: object = { alias: 'bottlerocket@latest' }) => ({
      amiFamily,
      amiSelectorTerms: [term],
    })
    await expectAll(true, [
      of(undefined),
      of('Bottlerocket'),
      of('Custom'),
      of('Windows2025', { id: 'ami-1' }),
      of('AL2', { alias: 'al2@latest' }),
    ])
    await expectAll(false, [
      of('AL2023'),
      of('AL2', { alias: 'al2023@latest' }),
      of('Ubuntu'),
      of(undefined, { id: 'ami-1' }),
    ])
    const families = [
      { alias: 'al2@latest' },
      { alias: 'al2023@latest' },
      { alias: 'bottlerocket@latest' },
      { alias: 'windows2019@latest' },
      { alias: 'windows2022@latest' },
      { alias: 'windows2025@latest' },
    ].map((term) => familyOf({ amiSelectorTerms: [term] }))
    expect(families).toEqual(['AL2', 'AL2023', 'Bottlerocket', 'Windows2019', 'Windows2022', 'Windows2025'])
    expect(familyOf({ amiFamily: 'Custom', amiSelectorTerms: [{ alias: 'al2@latest' }] })).toBe('Custom')
    expect(hashOf(nodeClass(), {})).toBe(hashOf(nodeClass({ amiFamily: 'AL2023' }), {}))
  })
})

describe('identity and tags', () => {
  test('A-API-09: exactly one of role and instanceProfile, neither empty, both mutable', async () => {
    await expectAll(true, [{ role: 'a' }, { role: undefined, instanceProfile: 'a' }])
    await expectAll(false, [
      { role: undefined },
      { role: 'a', instanceProfile: 'b' },
      { role: '' },
      { role: undefined, instanceProfile: '' },
    ])
    const object = (await admitted(leastSpec)) as DraftObject
    const { role: _, ...rest } = leastSpec
    const changed = { ...object, spec: { ...rest, instanceProfile: 'b' } } as DraftObject
    await expect(client.update({ ...collection, name: `class-${created}` }, changed)).resolves.toBeDefined()
  })
  test('A-API-10: tags', async () => {
    await expectAll(true, [{ tags: { Name: 'mine', team: '' } }, { tags: {} }])
    await expectAll(
      false,
      [
        '',
        'eks:eks-cluster-name',
        'kubernetes.io/cluster/demo',
        'kubernetes.io/clusters',
        'karpenter.sh/nodepool',
        'karpenter.sh/nodeclaim',
        'karpenter.k8s.aws/ec2nodeclass',
      ].map((key) => ({ tags: { [key]: 'a' } })),
    )
  })
})

describe('what machines have', () => {
  test('A-API-11: kubelet takes any field, and the server keeps them', async () => {
    const kubelet = { maxPods: 'vcpus * 10', evictionHard: { 'memory.available': '5%' }, made: { up: [1] } }
    const object = (await admitted({ ...leastSpec, kubelet })) as { readonly spec: { readonly kubelet: unknown } }
    expect(object.spec.kubelet).toEqual(kubelet)
    expect(nodeClass({ kubelet }).spec.kubelet).toEqual(kubelet)
  })
  test('A-API-08, A-API-16, A-API-19, A-API-21, A-API-22: single fields', async () => {
    await expectAll(true, [
      { userData: '#!/bin/sh', detailedMonitoring: true, context: 'arn', associatePublicIPAddress: false },
      { ipPrefixCount: 0 },
    ])
    await expectAll(false, [
      { userData: 1 },
      { detailedMonitoring: 'yes' },
      { context: 1 },
      { associatePublicIPAddress: 'no' },
      { ipPrefixCount: -1 },
    ])
  })
  test('A-API-12: blockDeviceMappings', async () => {
    const of = (...mappings: ReadonlyArray<unknown>) => ({ blockDeviceMappings: mappings })
    const ebs = (fields: object) => of({ deviceName: '/dev/xvda', ebs: fields })
    await expectAll(true, [
      of(),
      of({ deviceName: '/dev/xvdc' }),
      ebs({ volumeSize: '20Gi', volumeType: 'gp3', iops: 3000, throughput: 125, encrypted: true }),
      ebs({ snapshotID: 'snap-1', volumeInitializationRate: 300, deleteOnTermination: true, kmsKeyID: 'k' }),
      of({ rootVolume: true, ebs: { volumeSize: '1Gi' } }, { rootVolume: false }),
      of(...repeated({ ebs: { volumeSize: '1Gi' } }, 50)),
    ])
    await expectAll(false, [
      ebs({}),
      ebs({ volumeSize: '20Gi', volumeType: 'gp4' }),
      ebs({ volumeSize: '20Gi', volumeInitializationRate: 100 }),
      ebs({ snapshotID: '', volumeInitializationRate: 100 }),
      ebs({ snapshotID: 'snap-1', volumeInitializationRate: 99 }),
      ebs({ snapshotID: 'snap-1', volumeInitializationRate: 301 }),
      of({ rootVolume: true }, { rootVolume: true }),
      of(...repeated({ ebs: { volumeSize: '1Gi' } }, 51)),
    ])
  })
  test('A-API-13: volumeSize has the ranges of the reference, holes included', async () => {
    const of = (volumeSize: unknown) => ({ blockDeviceMappings: [{ ebs: { volumeSize } }] })
    await expectAll(true, ['1Gi', '59000Gi', '64000G', '1Ti', '17Ti', '58Ti', '64T', '9T', 'Ti', 'T'].map(of))
    await expectAll(
      false,
      ['0Gi', '59001Gi', '64001G', '18Ti', '29Ti', '59Ti', '65T', '20', '20Mi', '1.5Gi', ' 1Gi', 20].map(of),
    )
  })
  test('A-API-14, A-API-20: instanceStorePolicy and nested virtualization', async () => {
    await expectAll(true, [
      { instanceStorePolicy: 'RAID0' },
      { cpuOptions: {} },
      { cpuOptions: { nestedVirtualization: 'disabled' } },
    ])
    await expectAll(false, [{ instanceStorePolicy: 'RAID1' }, { cpuOptions: { nestedVirtualization: 'on' } }])
  })
  test('A-API-15: networkInterfaces', async () => {
    const nic = (networkCardIndex: number, deviceIndex: number, interfaceType = 'interface') => ({
      networkCardIndex,
      deviceIndex,
      interfaceType,
    })
    const of = (...list: ReadonlyArray<unknown>) => ({ networkInterfaces: list })
    await expectAll(true, [
      of(),
      of(nic(0, 0)),
      of(nic(0, 0), nic(0, 1, 'efa-only'), nic(1, 1, 'efa-only'), nic(1, 0)),
      of(...Array.from({ length: 150 }, (_, index) => nic(index, 0))),
    ])
    await expectAll(false, [
      of(nic(0, 1)),
      of(nic(0, 0, 'efa-only')),
      of(nic(0, 0), nic(0, 0)),
      of(nic(0, 0), nic(1, 0, 'efa-only'), nic(1, 1, 'efa-only')),
      of(nic(0, 0), nic(-1, 0)),
      of(nic(0, 0), nic(0, -1)),
      of(nic(0, 0), nic(0, 1, 'efa')),
      of(nic(0, 0), { deviceIndex: 1, interfaceType: 'interface' }),
      of(...Array.from({ length: 151 }, (_, index) => nic(index, 0))),
    ])
  })
  test('A-API-17: metadataOptions has defaults as a whole and by field', async () => {
    const defaults = {
      httpEndpoint: 'enabled',
      httpProtocolIPv6: 'disabled',
      httpPutResponseHopLimit: 1,
      httpTokens: 'required',
    }
    const served = async (metadataOptions: unknown) =>
      ((await admitted({ ...leastSpec, metadataOptions })) as { spec: { metadataOptions: unknown } }).spec
        .metadataOptions
    expect(await served(undefined)).toEqual(defaults)
    expect(nodeClass().spec.metadataOptions).toEqual(defaults)
    expect(await served({ httpPutResponseHopLimit: 64 })).toEqual({ ...defaults, httpPutResponseHopLimit: 64 })
    expect(nodeClass({ metadataOptions: { httpTokens: 'optional' } }).spec.metadataOptions).toEqual({
      ...defaults,
      httpTokens: 'optional',
    })
    await expectAll(false, [
      { metadataOptions: { httpPutResponseHopLimit: 0 } },
      { metadataOptions: { httpPutResponseHopLimit: 65 } },
      { metadataOptions: { httpTokens: 'none' } },
      { metadataOptions: { httpEndpoint: 'on' } },
      { metadataOptions: { httpProtocolIPv6: 'on' } },
    ])
  })
  test('A-API-18: connectionTracking', async () => {
    const of = (connectionTracking: unknown) => ({ connectionTracking })
    await expectAll(true, [
      of({ tcpEstablishedTimeout: 60 }),
      of({ tcpEstablishedTimeout: 432000, udpStreamTimeout: 180, udpTimeout: 60 }),
    ])
    await expectAll(false, [
      of({}),
      of({ tcpEstablishedTimeout: 59 }),
      of({ tcpEstablishedTimeout: 432001 }),
      of({ udpStreamTimeout: 59 }),
      of({ udpStreamTimeout: 181 }),
      of({ udpTimeout: 29 }),
      of({ udpTimeout: 61 }),
    ])
  })
  test('a manifest says which field is wrong and what it should be', () => {
    expect(problems({ ...leastSpec, role: undefined, subnetSelectorTerms: [{ id: 'sub-1' }] })).toEqual([
      'spec.subnetSelectorTerms[0].id: Invalid value: "sub-1": expected an identifier such as subnet-0a1b2c3d',
    ])
  })
})

describe('status', () => {
  test('what a controller wrote never makes the object unreadable', () => {
    const read = nodeClass({}, { ...resolvedStatus, capacityReservations: [reservation('odd id', { ownerID: 'x' })] })
    expect(read.status.capacityReservations).toHaveLength(1)
    expect(nodeClass().status).toEqual({
      subnets: [],
      securityGroups: [],
      amis: [],
      capacityReservations: [],
      conditions: [],
    })
  })
  test('A-STA-05, A-STA-06: instanceProfile, and the conditions that Ready depends on', () => {
    expect(nodeClass({}, resolvedStatus).status.instanceProfile).toBe('profile')
    expect(Object.values(conditionTypes)).toEqual([
      'AMIsReady',
      'SubnetsReady',
      'SecurityGroupsReady',
      'InstanceProfileReady',
      'CapacityReservationsReady',
      'PlacementGroupReady',
      'ValidationSucceeded',
    ])
  })
  test('A-STA-09: zones are those of the subnets, each with its id and subnets', () => {
    const { status } = nodeClass(
      {},
      {
        subnets: [
          ...resolvedStatus.subnets,
          { id: 'subnet-c', zone: 'eu-west-1a', zoneID: 'euw1-az1' },
          { id: 'subnet-d', zone: 'eu-west-1c' },
        ],
      },
    )
    expect([...zonesOf(status).values()]).toEqual([
      { zone: 'eu-west-1a', zoneId: 'euw1-az1', subnetIds: ['subnet-a', 'subnet-c'] },
      { zone: 'eu-west-1b', zoneId: 'euw1-az2', subnetIds: ['subnet-b'] },
      { zone: 'eu-west-1c', subnetIds: ['subnet-d'] },
    ])
  })
  test('reservations of a type', () => {
    const { status } = nodeClass(
      {},
      { capacityReservations: [reservation('cr-1'), reservation('cr-2', { instanceType: 'c5.large' })] },
    )
    expect(reservationsOfType(status, 'm5.large')).toMatchObject([
      { id: 'cr-1', reservationType: 'default', state: 'active' },
    ])
  })
})

describe('hash', () => {
  const hash = (spec: Readonly<Record<string, unknown>>, cluster = {}) => hashOf(nodeClass(spec), cluster)
  const base = hash({})
  test('A-DRF-01: changes with every field that machines are made from, and with the certificate', () => {
    expect(base).toMatch(/^[0-9a-f]{16}$/)
    const changed = [
      { placementGroupSelector: { name: 'a' } },
      { userData: 'a' },
      { role: 'other' },
      { role: undefined, instanceProfile: 'p' },
      { tags: { a: 'b' } },
      { kubelet: { maxPods: 5 } },
      { blockDeviceMappings: [{ ebs: { volumeSize: '1Gi' } }] },
      { instanceStorePolicy: 'RAID0' },
      { networkInterfaces: [{ networkCardIndex: 0, deviceIndex: 0, interfaceType: 'interface' }] },
      { detailedMonitoring: true },
      { metadataOptions: { httpTokens: 'optional' } },
      { connectionTracking: { udpTimeout: 30 } },
      { context: 'c' },
      { cpuOptions: { nestedVirtualization: 'enabled' } },
      { associatePublicIPAddress: true },
      { amiFamily: 'Custom' },
      { amiSelectorTerms: [{ alias: 'bottlerocket@latest' }] },
    ].map((spec) => hash(spec))
    expect(new Set([...changed, base, hash({}, { caBundle: 'a' })]).size).toBe(changed.length + 2)
  })
  test('A-DRF-01: not with selectors, prefixes, the order of lists, or fields that say nothing', () => {
    const volumes = [{ deviceName: '/dev/xvda' }, { deviceName: '/dev/xvdb' }]
    expect(hash({ blockDeviceMappings: volumes })).toBe(hash({ blockDeviceMappings: [...volumes].reverse() }))
    for (const spec of [
      { subnetSelectorTerms: [{ id: 'subnet-1' }] },
      { securityGroupSelectorTerms: [{ id: 'sg-1' }] },
      { capacityReservationSelectorTerms: [{ id: 'cr-1' }] },
      { amiSelectorTerms: [{ alias: 'al2023@v20240807' }] },
      { amiFamily: 'AL2023', amiSelectorTerms: [{ id: 'ami-1' }] },
      { ipPrefixCount: 3 },
      { tags: {}, blockDeviceMappings: [], detailedMonitoring: false, userData: '', kubelet: {} },
    ])
      expect(hash(spec)).toBe(base)
  })
  test('A-DRF-01: its version is none of the reference’s, and the spec stays as it was', () => {
    expect(hashVersion).not.toMatch(/^v\d+$/)
    const before = nodeClass({ metadataOptions: { httpTokens: 'optional' } })
    const copy = JSON.stringify(before)
    hashOf(before, {})
    expect(JSON.stringify(before)).toBe(copy)
  })
  test('A-KUB-10: a kubelet configuration counts by its content, not by the order of its keys', () => {
    expect(canonicalKubelet({ b: { d: 1, c: 2 }, a: [2, 1] })).toBe('{"a":[2,1],"b":{"c":2,"d":1}}')
    expect([canonicalKubelet({}), canonicalKubelet(undefined)]).toEqual(['null', 'null'])
    expect(hash({ kubelet: { a: 1, b: 2 } })).toBe(hash({ kubelet: { b: 2, a: 1 } }))
    // Within it lists keep their order.
    expect(hash({ kubelet: { clusterDNS: ['a', 'b'] } })).not.toBe(hash({ kubelet: { clusterDNS: ['b', 'a'] } }))
  })
})
