import { describe, expect, test } from '@jest/globals'
import * as E from 'fp-ts/lib/Either.js'
import { decoderOf, renderFieldError, type FieldErrors } from '../schema/index.ts'
import { podObject } from '../testing/index.ts'
import {
  convertManifests,
  crdOf,
  decodeCapacityBuffer,
  decodeNodeOverlay,
  decodeNodePool,
  decodePod,
  isOldForm,
  nodeClassSchema,
  nodePoolResource,
  replacementOf,
} from './index.ts'

const messages = (result: E.Either<FieldErrors, unknown>) => (E.isLeft(result) ? result.left.map(renderFieldError) : [])

describe('the slice of Pod', () => {
  test('holds what planners read, and neither environment values nor foreign annotations', () => {
    const pod = E.toUnion(
      decodePod({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'a', annotations: { secret: 'x', 'karpenter.sh/do-not-disrupt': 'true' } },
        spec: { containers: [{ name: 'c', env: [{ name: 'PASSWORD', value: 'hunter2' }], args: ['--token=x'] }] },
      }),
    )
    expect(JSON.stringify(pod)).not.toMatch(/hunter2|token|secret/)
    expect(pod).toMatchObject({ metadata: { namespace: 'default' }, status: { phase: 'Pending' } })
  })

  test('decodes quickly: each pod in well under a tenth of a millisecond', () => {
    const pods = Array.from({ length: 5000 }, (_, index) => podObject(`p${index}`, { cpu: '100m', memory: '1Gi' }))
    // CPU time, because other tests run at the same time.
    const before = process.cpuUsage()
    const refused = pods.filter((pod) => E.isLeft(decodePod(pod)))
    const { user } = process.cpuUsage(before)
    expect(refused).toEqual([])
    expect(user / 1000).toBeLessThan(1000)
  })
})

describe('NodeOverlay', () => {
  const overlay = (spec: object) =>
    messages(decodeNodeOverlay({ metadata: { name: 'a' }, spec: { requirements: [], ...spec } }))

  test.each([
    [{ price: '0.5' }, true],
    [{ price: '.5' }, false],
    [{ price: '-1' }, false],
    [{ priceAdjustment: '+5' }, true],
    [{ priceAdjustment: '-.5' }, true],
    [{ priceAdjustment: '5' }, false],
    [{ priceAdjustment: '+250%' }, true],
    [{ priceAdjustment: '-99.5%' }, true],
    [{ priceAdjustment: '-100%' }, true],
    [{ priceAdjustment: '-101%' }, false],
    [{ price: '1', priceAdjustment: '+5' }, false],
  ])('%j: admitted is %s (P-OVA-02)', (spec, isAdmitted) => {
    expect(overlay(spec).length === 0).toBe(isAdmitted)
  })

  test('weight is 1..10000 and requirements are required (P-OVA-01)', () => {
    expect(overlay({ weight: 10000 })).toEqual([])
    expect(overlay({ weight: 10001 }).length).toBe(1)
    expect(overlay({ requirements: undefined }).length).toBe(1)
  })

  test('NotIn needs a value, the nodepool key is allowed, the host name is not (P-OVA-03)', () => {
    expect(overlay({ requirements: [{ key: 'a', operator: 'NotIn' }] }).length).toBe(1)
    expect(overlay({ requirements: [{ key: 'karpenter.sh/nodepool', operator: 'Exists' }] })).toEqual([])
    expect(overlay({ requirements: [{ key: 'kubernetes.io/hostname', operator: 'Exists' }] }).length).toBe(1)
  })

  test('capacity may not name what the provider states (P-OVA-04, P-LBL-06)', () => {
    expect(overlay({ capacity: { 'example.com/gpu': '1' } })).toEqual([])
    for (const name of ['cpu', 'memory', 'ephemeral-storage', 'pods'])
      expect(overlay({ capacity: { [name]: '1' } })).toEqual([
        `spec.capacity[${name}]: Invalid value: "${name}": invalid resource restricted`,
      ])
  })
})

describe('CapacityBuffer', () => {
  const buffer = (spec: object) => messages(decodeCapacityBuffer({ metadata: { name: 'a' }, spec }))
  const podTemplateRef = { name: 'a' }
  const scalableRef = { kind: 'Deployment', name: 'a', apiGroup: 'apps' }

  test('has the default strategy, a namespace, and amounts of at least 0 (P-CBA-01)', () => {
    expect(E.toUnion(decodeCapacityBuffer({ metadata: { name: 'a' }, spec: {} }))).toMatchObject({
      metadata: { namespace: 'default' },
      spec: { provisioningStrategy: 'buffer.x-k8s.io/active-capacity' },
    })
    expect(buffer({ scalableRef, replicas: -1, percentage: -1 }).length).toBe(2)
  })

  test.each([
    [{ podTemplateRef, replicas: 1 }, true],
    [{ podTemplateRef, limits: { cpu: '1' } }, true],
    [{ podTemplateRef }, false],
    [{ scalableRef, percentage: 10 }, true],
    [{ podTemplateRef, scalableRef, replicas: 1 }, false],
    [{}, true],
    [{ podTemplateRef: { name: '' }, replicas: 1 }, false],
    [{ scalableRef: { kind: '', name: 'a' } }, false],
  ])('%j: admitted is %s (P-CBA-02)', (spec, isAdmitted) => {
    expect(buffer(spec).length === 0).toBe(isAdmitted)
  })
})

describe('nodeClassSchema()', () => {
  const schema = nodeClassSchema<{ readonly spec: { readonly rack: string; readonly size?: number } }>('BoxClass', {
    rack: 'string',
    size: 'integer?',
  })

  test('decodes metadata, spec and whatever status there is', () => {
    const decoded = decoderOf(schema)({
      apiVersion: 'toy.example.com/v1',
      kind: 'BoxClass',
      metadata: { name: 'a' },
      spec: { rack: 'r' },
      status: { seen: 5 },
    })
    expect(E.toUnion(decoded)).toMatchObject({
      metadata: { name: 'a', uid: '', generation: 0, annotations: {} },
      spec: { rack: 'r' },
      status: { seen: 5, conditions: [] },
    })
    expect(messages(decoderOf(schema)({ apiVersion: 'x', metadata: { name: 'a' }, spec: { size: 'big' } }))).toEqual([
      'spec.rack: Required value',
      'spec.size: Invalid value: "big": expected a whole number',
    ])
  })

  test('makes a CustomResourceDefinition', () => {
    const crd = crdOf({
      group: 'toy.example.com',
      kind: 'BoxClass',
      names: { plural: 'boxclasses' },
      versions: [{ name: 'v1', schema }],
    })
    expect(crd).toMatchObject({
      metadata: { name: 'boxclasses.toy.example.com' },
      spec: {
        scope: 'Cluster',
        names: { kind: 'BoxClass', listKind: 'BoxClassList', plural: 'boxclasses', singular: 'boxclass' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            subresources: { status: {} },
            schema: {
              openAPIV3Schema: {
                required: ['spec'],
                properties: { spec: { required: ['rack'], properties: { rack: { type: 'string' } } } },
              },
            },
          },
        ],
      },
    })
  })
})

describe('the NodePool CRD', () => {
  test('is cluster scoped, scales by replicas and prints seven columns (P-NPA-01)', () => {
    expect(crdOf(nodePoolResource)).toMatchObject({
      spec: {
        scope: 'Cluster',
        versions: [
          {
            name: 'v1',
            subresources: {
              status: {},
              scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.nodes' },
            },
            additionalPrinterColumns: [
              { name: 'NodeClass' },
              { name: 'Nodes' },
              { name: 'Ready' },
              { name: 'Age' },
              { name: 'Weight', priority: 1 },
              { name: 'CPU', priority: 1 },
              { name: 'Memory', priority: 1 },
            ],
          },
        ],
      },
    })
  })
})

describe('convertManifests()', () => {
  const oldPool = {
    apiVersion: 'karpenter.sh/v1beta1',
    kind: 'NodePool',
    metadata: { name: 'default' },
    spec: {
      template: {
        spec: {
          requirements: [{ key: 'karpenter.k8s.aws/instance-cpu', operator: 'Gt', values: ['4'] }],
          nodeClassRef: { apiVersion: 'karpenter.k8s.aws/v1beta1', kind: 'EC2NodeClass', name: 'default' },
          kubelet: { systemReserved: { cpu: '100m', memory: '100Mi' } },
        },
      },
      disruption: { consolidationPolicy: 'WhenUnderutilized', expireAfter: '168h' },
    },
  }
  const oldClass = {
    apiVersion: 'karpenter.k8s.aws/v1beta1',
    kind: 'EC2NodeClass',
    metadata: { name: 'default' },
    spec: { amiFamily: 'AL2', role: 'node' },
  }

  test('moves, renames and names every change', () => {
    const { manifests, changes, unsettled } = convertManifests([oldPool, oldClass])
    expect(manifests).toEqual([
      {
        apiVersion: 'karpenter.sh/v1',
        kind: 'NodePool',
        metadata: { name: 'default' },
        spec: {
          template: {
            spec: {
              requirements: [{ key: 'karpenter.k8s.aws/instance-cpu', operator: 'Gt', values: ['4'] }],
              nodeClassRef: { group: 'karpenter.k8s.aws', kind: 'EC2NodeClass', name: 'default' },
              expireAfter: '168h',
            },
          },
          disruption: { consolidationPolicy: 'WhenEmptyOrUnderutilized' },
        },
      },
      {
        apiVersion: 'karpenter.k8s.aws/v1',
        kind: 'EC2NodeClass',
        metadata: { name: 'default' },
        spec: {
          role: 'node',
          amiSelectorTerms: [{ alias: 'al2@latest' }],
          kubelet: { systemReserved: { cpu: '100m', memory: '100Mi' } },
        },
      },
    ])
    expect(E.isRight(decodeNodePool(manifests[0]))).toBe(true)
    expect(changes.map(({ subject, text }) => `${subject}: ${text}`)).toEqual([
      'NodePool default: apiVersion is now karpenter.sh/v1',
      'NodePool default: spec.template.spec.nodeClassRef.apiVersion karpenter.k8s.aws/v1beta1 is now spec.template.spec.nodeClassRef.group karpenter.k8s.aws',
      'NodePool default: spec.template.spec.kubelet is now spec.kubelet of EC2NodeClass default',
      'NodePool default: spec.disruption.expireAfter is now spec.template.spec.expireAfter',
      'NodePool default: spec.disruption.consolidationPolicy WhenUnderutilized is now WhenEmptyOrUnderutilized',
      'EC2NodeClass default: apiVersion is now karpenter.k8s.aws/v1',
      'EC2NodeClass default: spec.amiFamily AL2 is now spec.amiSelectorTerms with alias al2@latest',
    ])
    expect(unsettled).toEqual([])
  })

  test('leaves its input alone, and what has today’s form untouched', () => {
    const before = JSON.stringify([oldPool, oldClass])
    const { manifests } = convertManifests([oldPool, oldClass])
    expect(JSON.stringify([oldPool, oldClass])).toBe(before)
    const again = convertManifests(manifests)
    expect(again.changes).toEqual([])
    expect(again.manifests).toEqual(manifests)
    expect([isOldForm(oldPool), isOldForm(manifests[0])]).toEqual([true, false])
  })

  test('says what to add where kubelet settings have no NodeClass to go to, or disagree', () => {
    expect(convertManifests([oldPool]).unsettled.map(({ text }) => text)).toEqual([
      'EC2NodeClass default is not among the manifests: add spec.kubelet {"systemReserved":{"cpu":"100m","memory":"100Mi"}} to it',
    ])
    const other = {
      ...oldPool,
      metadata: { name: 'other' },
      spec: { template: { spec: { ...oldPool.spec.template.spec, kubelet: { maxPods: 20 } } } },
    }
    expect(
      convertManifests([oldPool, oldClass, other]).unsettled.map(({ index, subject }) => [index, subject]),
    ).toEqual([[2, 'NodePool other']])
  })

  test('says in one sentence what replaced the kinds of old', () => {
    expect(replacementOf({ apiVersion: 'karpenter.sh/v1alpha5', kind: 'Provisioner' })).toMatch(
      /^Provisioner was replaced by NodePool/,
    )
    expect(replacementOf({ apiVersion: 'karpenter.k8s.aws/v1alpha1', kind: 'AWSNodeTemplate' })).toMatch(
      /^AWSNodeTemplate was replaced by EC2NodeClass/,
    )
    expect(replacementOf({ apiVersion: 'v1', kind: 'Pod' })).toBeUndefined()
  })
})
