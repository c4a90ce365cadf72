import { describe, expect, test } from '@jest/globals'
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import { coreLabelKnowledge, Labels } from '../../labels/index.ts'
import { renderFieldError, type FieldErrors } from '../../schema/index.ts'
import { nodePoolObject, wireFormOf, type Overrides } from '../../testing/index.ts'
import {
  decodeNodeClaim,
  decodeNodePool,
  decodeNodePoolSettings,
  nodePoolHash,
  nodePoolHashVersion,
  nodePoolProblems,
  nodePoolSchema,
  requirementProblems,
} from './index.ts'

const nodeClassRef = { group: 'karpenter.kwok.sh', kind: 'KWOKNodeClass', name: 'default' }
const manifest = (spec: object = {}, nodeSpec: object = {}, metadata: object = {}) => ({
  apiVersion: 'karpenter.sh/v1',
  kind: 'NodePool',
  metadata: { name: 'a' },
  spec: { template: { metadata, spec: { nodeClassRef, requirements: [], ...nodeSpec } }, ...spec },
})
const messages = (result: E.Either<FieldErrors, unknown>) => (E.isLeft(result) ? result.left.map(renderFieldError) : [])
const requirement = (key: string, operator: string, values?: ReadonlyArray<string>, minValues?: number) => ({
  key,
  operator,
  ...(values === undefined ? {} : { values }),
  ...(minValues === undefined ? {} : { minValues }),
})
const requirementErrors = (...requirements: ReadonlyArray<object>) =>
  messages(decodeNodePool(manifest({}, { requirements })))

describe('NodePool v1', () => {
  test('gets the defaults of the API server (P-NPA-03, C-API-01, C-API-02, C-API-03)', () => {
    const decoded = E.toUnion(decodeNodePool(manifest()))
    expect(decoded).toMatchObject({
      spec: {
        disruption: {
          consolidateAfter: '0s',
          consolidationPolicy: 'WhenEmptyOrUnderutilized',
          budgets: [{ nodes: '10%' }],
        },
        template: { spec: { expireAfter: '720h' } },
      },
      status: { nodes: 0 },
    })
    const partial = E.toUnion(decodeNodePool(manifest({ disruption: { budgets: [{ reasons: ['Empty'] }] } })))
    expect(partial).toMatchObject({ spec: { disruption: { budgets: [{ nodes: '10%', reasons: ['Empty'] }] } } })
  })

  test('weight is 1..100, replicas at least 0, limits are amounts (P-NPA-02)', () => {
    expect(messages(decodeNodePool(manifest({ weight: 100, limits: { cpu: 10, memory: '1Gi' } })))).toEqual([])
    expect(messages(decodeNodePool(manifest({ replicas: 0 })))).toEqual([])
    expect(messages(decodeNodePool(manifest({ weight: 101, replicas: -1, limits: { cpu: '1.5Gii' } })))).toEqual([
      'spec.limits[cpu]: Invalid value: "1.5Gii": Cannot parse quantity "1.5Gii": unknown suffix "Gii"',
      'spec.replicas: Invalid value: -1: expected a whole number of at least 0',
      'spec.weight: Invalid value: 101: expected a whole number within 1..100',
    ])
  })

  test('durations are whole hours, minutes and seconds; Never where a node may live for ever (P-NPA-04)', () => {
    const decode = (expireAfter: string, consolidateAfter: string, terminationGracePeriod: string) =>
      messages(decodeNodePool(manifest({ disruption: { consolidateAfter } }, { expireAfter, terminationGracePeriod })))
        .length
    expect(decode('Never', 'Never', '1h30m')).toBe(0)
    expect(decode('720h', '30s', '0s')).toBe(0)
    expect(decode('1d', '1.5h', 'Never')).toBe(3)
    expect(messages(decodeNodePool(manifest({ disruption: { consolidationPolicy: 'Sometimes' } })))).toEqual([
      'spec.disruption.consolidationPolicy: Invalid value: "Sometimes": expected WhenEmpty | WhenEmptyOrUnderutilized | Balanced',
    ])
  })

  test('durations keep their text (P-NPA-12)', () => {
    expect(E.toUnion(decodeNodePool(manifest({}, { expireAfter: '60m' })))).toMatchObject({
      spec: { template: { spec: { expireAfter: '60m' } } },
    })
  })

  test.each([
    [{ nodes: '5' }, true],
    [{ nodes: '100%' }, true],
    [{ nodes: '101%' }, false],
    [{ nodes: '-1' }, false],
    [{ nodes: '0', schedule: '@daily', duration: '8h' }, true],
    [{ nodes: '0', schedule: '0 9 * * mon-fri', duration: '8h30m0s' }, true],
    [{ nodes: '0', schedule: '@daily' }, false],
    [{ nodes: '0', duration: '8h' }, false],
    [{ nodes: '0', schedule: '@sometimes', duration: '8h' }, false],
    [{ nodes: '0', schedule: '0 9 * *', duration: '8h' }, false],
    [{ nodes: '0', schedule: '@daily', duration: '30s' }, false],
    [{ nodes: '0', reasons: ['Underutilized', 'Empty', 'Drifted'] }, true],
    [{ nodes: '0', reasons: ['Expired'] }, false],
    [{ nodes: '0', reasons: ['Empty', 'Empty'] }, false],
  ])('budget %j: valid is %s (P-NPA-05, D-BUDG-04)', (budget, isValid) => {
    expect(messages(decodeNodePool(manifest({ disruption: { budgets: [budget] } }))).length === 0).toBe(isValid)
  })

  test('there are at most 50 budgets (P-NPA-05)', () => {
    const budgets = Array.from({ length: 51 }, () => ({ nodes: '1' }))
    expect(messages(decodeNodePool(manifest({ disruption: { budgets } }))).length).toBe(1)
  })

  test('a static pool takes no weight and no limit but nodes (P-NPA-06, C-API-04)', () => {
    expect(messages(decodeNodePool(manifest({ replicas: 2, limits: { nodes: '3' } })))).toEqual([])
    const failed = decodeNodePool(manifest({ replicas: 2, weight: 5, limits: { cpu: '3' } }))
    expect(E.isLeft(failed) ? failed.left.map(({ reason }) => reason) : []).toEqual([
      "only 'limits.nodes' is supported on static NodePools",
      "'weight' is not supported on static NodePools",
    ])
  })

  test('the nodeClassRef has group, kind and name, and its group no version (P-NPA-06)', () => {
    const decode = (reference: object | undefined) =>
      messages(decodeNodePool(manifest({}, { nodeClassRef: reference })))
    expect(decode(undefined)).toEqual([
      'spec.template.spec.nodeClassRef: Required value: name the NodeClass by group, kind and name',
    ])
    expect(decode({ group: 'a/v1', kind: '', name: 'x' })).toEqual([
      'spec.template.spec.nodeClassRef.group: Invalid value: "a/v1": expected an API group without a version, such as karpenter.k8s.aws',
      'spec.template.spec.nodeClassRef.kind: Invalid value: "": kind may not be empty',
    ])
  })

  test('a pool without requirements is told what to write', () => {
    expect(messages(decodeNodePool(manifest({}, { requirements: undefined })))).toEqual([
      'spec.template.spec.requirements: Required value: list at least one, such as {key: kubernetes.io/arch, operator: In, values: [amd64]}',
    ])
  })

  test('an unknown operator is answered with the known ones (P-NPA-07)', () => {
    expect(requirementErrors(requirement('a', 'Foo', ['b']))).toEqual([
      'spec.template.spec.requirements[0].operator: Invalid value: "Foo": expected In | NotIn | Exists | DoesNotExist | Gt | Lt | Gte | Lte',
    ])
  })

  test.each([
    [requirement('a', 'In', []), false],
    [requirement('a', 'In'), false],
    [requirement('a', 'NotIn', []), true],
    [requirement('a', 'Exists', ['b']), true],
    [requirement('a', 'Gt', ['5']), true],
    [requirement('a', 'Gt', ['1', '2']), false],
    [requirement('a', 'Lte', ['-1']), false],
    [requirement('a', 'Lt', ['x']), false],
    [requirement('a', 'Gte'), false],
    [requirement('a', 'In', ['b'], 2), false],
    [requirement('a', 'In', ['b', 'c'], 2), true],
    [requirement('a', 'Exists', undefined, 50), true],
    [requirement('a', 'Exists', undefined, 51), false],
  ])('requirement %j: admitted is %s (P-NPA-07)', (item, isAdmitted) => {
    expect(requirementErrors(item).length === 0).toBe(isAdmitted)
  })

  test.each([
    ['karpenter.sh/capacity-type', true],
    ['karpenter.sh/nodepool', false],
    ['karpenter.sh/other', false],
    ['foo-karpenter.sh/x', false],
    ['kubernetes.io/hostname', false],
    ['example.com/x', true],
    ['not a key', false],
  ])('requirement on %s: admitted is %s (P-NPA-08)', (key, isAdmitted) => {
    expect(requirementErrors(requirement(key, 'Exists')).length === 0).toBe(isAdmitted)
  })

  test('values are judged at run time only (P-NPA-09)', () => {
    const pool = nodePoolObject('a', {
      spec: { template: { spec: { requirements: [requirement('a', 'In', ['not a value!'])] } } },
    })
    expect(nodePoolProblems(pool).map(({ path }) => path)).toEqual(['spec.template.spec.requirements[0].values[0]'])
  })

  test('template labels have label values and no restricted keys; annotations are free (P-NPA-10)', () => {
    const labels = { 'karpenter.sh/x': 'a', 'karpenter.sh/nodepool': 'a', 'kubernetes.io/hostname': 'a', ok: '-' }
    expect(messages(decodeNodePool(manifest({}, {}, { labels }))).length).toBe(4)
    expect(messages(decodeNodePool(manifest({}, {}, { annotations: { 'karpenter.sh/x': '-' } })))).toEqual([])
  })

  test('taints need a key and one of three effects (P-NPA-11)', () => {
    const taint = (value: object) => messages(decodeNodePool(manifest({}, { taints: [value], startupTaints: [value] })))
    expect(taint({ key: 'a', effect: 'NoSchedule' })).toEqual([])
    expect(taint({ key: '', effect: 'NoSchedule' }).length).toBe(2)
    expect(taint({ key: 'a', effect: 'Never' }).length).toBe(2)
    expect(taint({ key: 'a', value: 'not a name', effect: 'NoExecute' }).length).toBe(2)
  })

  test('what decodes decodes to itself again', () => {
    fc.assert(
      fc.property(wireFormOf(nodePoolSchema), (wire) => {
        const decoded = decodeNodePool(wire)
        if (E.isRight(decoded)) expect(E.toUnion(decodeNodePool(decoded.right))).toEqual(decoded.right)
      }),
      { numRuns: 50 },
    )
  })
})

describe('NodeClaim v1', () => {
  test('has the fields of a template and its requests (P-NCA-01, C-API-05)', () => {
    const decoded = decodeNodeClaim({
      metadata: { name: 'a' },
      spec: { nodeClassRef, requirements: [], resources: { requests: { cpu: '1000m' } } },
    })
    expect(E.toUnion(decoded)).toMatchObject({
      spec: { expireAfter: '720h', resources: { requests: { cpu: '1' } }, taints: [], startupTaints: [] },
    })
  })

  test('may name its NodePool in requirements (P-NCA-02)', () => {
    const claim = (key: string) =>
      decodeNodeClaim({ metadata: { name: 'a' }, spec: { nodeClassRef, requirements: [requirement(key, 'Exists')] } })
    expect(E.isRight(claim('karpenter.sh/nodepool'))).toBe(true)
    expect(E.isRight(claim('karpenter.sh/other'))).toBe(false)
  })

  test('reads conditions of older objects (P-NCA-03, P-NCA-04)', () => {
    const decoded = decodeNodeClaim({
      metadata: { name: 'a' },
      spec: { nodeClassRef, requirements: [] },
      status: {
        providerID: 'x://1',
        conditions: [{ type: 'Launched', status: 'True', reason: '', lastTransitionTime: '2026-01-01T00:00:00Z' }],
      },
    })
    expect(E.toUnion(decoded)).toMatchObject({ status: { conditions: [{ reason: '', message: '' }] } })
  })
})

describe('runtime validation', () => {
  const problems = (overrides: Overrides) => nodePoolProblems(nodePoolObject('a', overrides)).map(renderFieldError)

  test('finds every mistake that admission lets through (P-NPR-01)', () => {
    expect(
      problems({
        metadata: { annotations: { 'scantling.sh/strategy': 'cheapest' } },
        spec: {
          limits: { cpu: '-1' },
          template: {
            spec: {
              taints: [{ key: 'a', effect: 'NoSchedule' }],
              startupTaints: [{ key: 'a', value: 'other', effect: 'NoSchedule' }],
              requirements: [requirement('karpenter.sh/capacity-type', 'In', ['on_demand'])],
            },
          },
        },
      }),
    ).toEqual([
      'metadata.annotations[scantling.sh/strategy]: Invalid value: "cheapest": expected reference | first-fit | cost',
      'spec.template.spec.startupTaints[0]: Invalid value: "a:NoSchedule": the same key and effect occur twice among taints and startupTaints',
      'spec.template.spec.requirements[0].values: Invalid value: ["on_demand"]: none of them exists; expected on-demand | spot | reserved',
      'spec.limits[cpu]: Invalid value: "-1": a limit must be at least 0; leave it out for no limit',
    ])
    expect(problems({})).toEqual([])
  })

  test('the same key with another effect is another taint (P-NPR-02)', () => {
    const template = {
      spec: {
        taints: [{ key: 'a', effect: 'NoSchedule' }],
        startupTaints: [{ key: 'a', effect: 'NoExecute' }],
      },
    }
    expect(problems({ spec: { template } })).toEqual([])
  })

  test.each([
    [requirement('beta.kubernetes.io/arch', 'In', ['amd64']), true],
    [requirement('karpenter.sh/registered', 'Exists'), false],
    [requirement('kubernetes.io/hostname', 'Exists'), false],
    [requirement('foo-karpenter.sh/x', 'Exists'), true],
    [requirement('a', 'Near'), false],
    [requirement('a', 'In', []), false],
    [requirement('a', 'In', ['b'], 2), false],
    [requirement('a', 'Gt', ['1', '2']), false],
    [requirement('a', 'Lt', ['-1']), false],
    [requirement('a b', 'Exists'), false],
    [requirement('karpenter.sh/capacity-type', 'In', ['spot', 'unknown']), true],
    [requirement('karpenter.sh/capacity-type', 'In', ['unknown']), false],
    [requirement('karpenter.sh/capacity-type', 'In', ['spot', 'unknown'], 2), false],
  ])('NP-VAL-02 requirement %j: accepted is %s (P-NPR-03, P-LBL-05)', (item, isAccepted) => {
    expect(requirementProblems(item, 'x').length === 0).toBe(isAccepted)
  })

  test('a provider decides what its keys may be (P-NPR-03)', () => {
    const knowledge = Labels.extend(coreLabelKnowledge, {
      wellKnown: [{ key: 'example.com/tier', values: ['gold'] }],
      restricted: ['example.com'],
    })
    expect(requirementProblems(requirement('example.com/tier', 'In', ['tin']), 'x', knowledge).length).toBe(1)
    expect(requirementProblems(requirement('example.com/other', 'Exists'), 'x', knowledge).length).toBe(1)
  })

  test('settings of our own are read from annotations, and wrong ones are errors', () => {
    expect(decodeNodePoolSettings({ 'scantling.sh/strategy': 'cost' })).toEqual(E.right({ strategy: 'cost' }))
    expect(decodeNodePoolSettings({})).toEqual(E.right({}))
    expect(messages(decodeNodePoolSettings({ 'scantling.sh/strategy': '' })).length).toBe(1)
    const wrong = {
      'scantling.sh/replace-before-evict': 'yes',
      'scantling.sh/surge': '1',
      'scantling.sh/rebalance': '',
    }
    expect(messages(decodeNodePoolSettings(wrong))).toEqual([
      'metadata.annotations[scantling.sh/replace-before-evict]: Invalid value: "yes": expected true | false',
      'metadata.annotations[scantling.sh/surge]: Invalid value: "1": expected true | false',
      'metadata.annotations[scantling.sh/rebalance]: Invalid value: "": expected replace | ignore',
    ])
  })
})

describe('nodePoolHash()', () => {
  const hash = (nodeSpec: object, metadata: object = {}, spec: object = {}) =>
    nodePoolHash(nodePoolObject('a', { spec: { template: { spec: nodeSpec, metadata }, ...spec } }))
  const base = hash({})

  test.each([
    ['labels', hash({}, { labels: { a: 'b' } })],
    ['annotations', hash({}, { annotations: { a: 'b' } })],
    ['taints', hash({ taints: [{ key: 'a', effect: 'NoSchedule' }] })],
    ['startupTaints', hash({ startupTaints: [{ key: 'a', effect: 'NoSchedule' }] })],
    ['nodeClassRef', hash({ nodeClassRef: { name: 'other' } })],
    ['terminationGracePeriod', hash({ terminationGracePeriod: '1h' })],
    ['expireAfter', hash({ expireAfter: '1h' })],
  ])('changes with %s (P-NPR-05, C-API-06)', (_, changed) => {
    expect(changed).not.toBe(base)
  })

  test('does not change with requirements, with what stands outside the template, or with zero values (P-NPR-05)', () => {
    expect(hash({ requirements: [requirement('a', 'Exists')] })).toBe(base)
    expect(hash({}, {}, { weight: 5, limits: { cpu: '5' } })).toBe(base)
    expect(hash({ terminationGracePeriod: '0s', taints: [], startupTaints: [] }, { labels: {}, annotations: {} })).toBe(
      base,
    )
  })

  test('takes lists as sets and durations by their value (P-NPR-05)', () => {
    const [first, second] = [
      { key: 'a', effect: 'NoSchedule' },
      { key: 'b', effect: 'NoExecute', value: 'x' },
    ]
    expect(hash({ taints: [first, second] })).toBe(hash({ taints: [second, first] }))
    expect(hash({ expireAfter: '60m' })).toBe(hash({ expireAfter: '1h' }))
    expect(hash({ taints: [first] })).not.toBe(hash({ startupTaints: [first] }))
  })

  test('has a version of its own, so that claims of the reference are stamped anew (P-NPR-06)', () => {
    expect(nodePoolHashVersion).toMatch(/^scantling-/)
    // Raise the version together with this value: a hash that changes without it replaces every node.
    expect(base).toMatchInlineSnapshot(`"1811653906137228805"`)
  })
})
