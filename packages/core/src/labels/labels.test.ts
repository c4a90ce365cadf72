import { describe, expect, test } from '@jest/globals'
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import { invariant } from '../internal/index.ts'
import { awkwardKey } from '../testing/index.ts'
import {
  annotationKeys,
  coreLabelKnowledge,
  labelKeys,
  Labels,
  terminationFinalizer,
  type LabelSelector,
} from './index.ts'

const check = (selector: LabelSelector | undefined) => {
  const checked = Labels.checkSelector(selector)
  invariant(E.isRight(checked), 'a valid selector')
  return checked.right
}
const parse = (text: string) => {
  const parsed = Labels.parseSelector(text)
  invariant(E.isRight(parsed), `a selector: ${text}`)
  return parsed.right
}

describe('well-known labels', () => {
  test('the core knows eight keys, and a provider adds its own without touching them (P-LBL-01)', () => {
    expect([...coreLabelKnowledge.wellKnown].sort()).toEqual([
      'karpenter.sh/capacity-type',
      'karpenter.sh/nodepool',
      'kubernetes.io/arch',
      'kubernetes.io/os',
      'node.kubernetes.io/instance-type',
      'node.kubernetes.io/windows-build',
      'topology.kubernetes.io/region',
      'topology.kubernetes.io/zone',
    ])
    const extended = Labels.extend(coreLabelKnowledge, { wellKnown: [{ key: 'example.com/family' }] })
    expect(extended.wellKnown.has('example.com/family')).toBe(true)
    expect(coreLabelKnowledge.wellKnown.has('example.com/family')).toBe(false)
  })

  test.each([
    ['failure-domain.beta.kubernetes.io/zone', 'topology.kubernetes.io/zone'],
    ['failure-domain.beta.kubernetes.io/region', 'topology.kubernetes.io/region'],
    ['beta.kubernetes.io/arch', 'kubernetes.io/arch'],
    ['beta.kubernetes.io/os', 'kubernetes.io/os'],
    ['beta.kubernetes.io/instance-type', 'node.kubernetes.io/instance-type'],
    ['example.com/zone', 'example.com/zone'],
  ])('%s means %s (P-LBL-02)', (key, meant) => {
    expect(Labels.normalizeKey(key)).toBe(meant)
  })

  test('values have no aliases but those of a provider, by normalised key (P-LBL-03)', () => {
    expect(Labels.normalizeValue('topology.kubernetes.io/zone', '')).toBe('')
    const knowledge = Labels.extend(coreLabelKnowledge, {
      normalizedValues: { 'topology.kubernetes.io/zone': { '': '0' } },
    })
    expect(Labels.normalizeValue('topology.kubernetes.io/zone', '', knowledge)).toBe('0')
  })

  test.each([
    ['karpenter.sh/capacity-type', false],
    ['karpenter.sh/nodepool', false],
    ['karpenter.sh/registered', true],
    ['compatibility.karpenter.sh/provider', true],
    ['foo-karpenter.sh/x', false],
    ['karpenter.sh/x', true],
    ['kubernetes.io/hostname', true],
    ['node.kubernetes.io/anything', false],
    ['kops.k8s.io/instancegroup', false],
    ['app', false],
  ])('%s: restricted is %s (P-LBL-04)', (key, isRestricted) => {
    expect(Labels.isRestricted(key)).toBe(isRestricted)
  })

  test('a provider restricts its own domain, but not the keys that it knows (P-LBL-04)', () => {
    const knowledge = Labels.extend(coreLabelKnowledge, {
      wellKnown: [{ key: 'karpenter.example.com/family' }],
      restricted: ['karpenter.example.com'],
    })
    expect(Labels.isRestricted('karpenter.example.com/family', knowledge)).toBe(false)
    expect(Labels.isRestricted('karpenter.example.com/other', knowledge)).toBe(true)
    expect(Labels.isRestricted('a.karpenter.example.com/other', knowledge)).toBe(true)
  })

  test('a provider may allow single keys of a domain that it restricts (P-LBL-04)', () => {
    const knowledge = Labels.extend(coreLabelKnowledge, {
      restricted: ['cloud.example.com'],
      allowed: ['cloud.example.com/dataplane'],
    })
    expect(Labels.isRestricted('cloud.example.com/dataplane', knowledge)).toBe(false)
    expect(Labels.isRestricted('cloud.example.com/other', knowledge)).toBe(true)
    expect(knowledge.wellKnown.has('cloud.example.com/dataplane')).toBe(false)
  })

  test('the NodeClass label has the lower-case kind under its group (P-LBL-08)', () => {
    expect(Labels.nodeClassLabelKey({ group: 'karpenter.k8s.aws', kind: 'EC2NodeClass' })).toBe(
      'karpenter.k8s.aws/ec2nodeclass',
    )
  })
})

describe('label syntax', () => {
  test.each(['app', 'example.com/app', 'a.b-c_d', 'A', `${'a'.repeat(253)}/b`])('%s is a key', (key) => {
    expect(Labels.problemWithKey(key)).toBeUndefined()
  })

  test.each([
    '',
    '/app',
    'example.com/',
    'Example.com/app',
    '-a',
    'a-',
    'a b',
    'a'.repeat(64),
    `${'a'.repeat(254)}/b`,
    'a/b/c',
  ])('%j is no key', (key) => {
    expect(Labels.problemWithKey(key)).toBeDefined()
  })

  test('values may be empty, and are otherwise names', () => {
    expect(['', 'a', 'a.b_c-D'].map(Labels.problemWithValue)).toEqual([undefined, undefined, undefined])
    expect(['-a', 'a/b', 'a'.repeat(64)].map(Labels.problemWithValue)).not.toContain(undefined)
  })
})

describe('selectors', () => {
  test('an absent selector selects nothing, an empty one everything, an invalid one is an error (P-TOP-11)', () => {
    expect(Labels.matches(check(undefined), { a: 'b' })).toBe(false)
    expect(Labels.matches(check({}), { a: 'b' })).toBe(true)
    expect(Labels.checkSelector({ matchExpressions: [{ key: 'a', operator: 'Near', values: ['b'] }] })).toEqual(
      E.left(['matchExpressions[0].operator: Invalid value: "Near": expected In | NotIn | Exists | DoesNotExist']),
    )
    expect(E.isLeft(Labels.checkSelector({ matchExpressions: [{ key: 'a', operator: 'In' }] }))).toBe(true)
    expect(E.isLeft(Labels.checkSelector({ matchLabels: { 'a b': 'c' } }))).toBe(true)
  })

  test.each([
    ['a=b', { a: 'b' }, true],
    ['a==b', { a: 'c' }, false],
    ['a!=b', {}, true],
    ['a in (b, c),d', { a: 'c', d: '' }, true],
    ['a notin (b)', { a: 'b' }, false],
    ['!a', { a: '' }, false],
    ['a>1', { a: '2' }, true],
    ['a<1', { a: '2' }, false],
    ['a>1', { a: 'x' }, false],
    ['', {}, true],
  ])('%s on %j is %s', (text, labels, isMatch) => {
    expect(Labels.matches(parse(text), labels as Labels)).toBe(isMatch)
  })

  test.each(['a=b,', 'a in b', 'a in (b', '=b', 'a=b=c', 'a>x'])('refuses %s', (text) => {
    expect(E.isLeft(Labels.parseSelector(text))).toBe(true)
  })

  test('labels named like members of Object are labels like any other', () => {
    fc.assert(
      fc.property(
        awkwardKey.filter((key) => key !== '__proto__'),
        (key) => {
          const selector = check({ matchExpressions: [{ key, operator: 'Exists' }] })
          expect(Labels.matches(selector, {})).toBe(false)
          expect(Labels.matches(selector, JSON.parse(`{"${key}":"x"}`) as Labels)).toBe(true)
        },
      ),
    )
  })
})

describe('keys', () => {
  test('P-LBL-07: those that the reference writes and reads are the same here', () => {
    const under = (name: string) => `karpenter.sh/${name}`
    expect(annotationKeys).toMatchObject({
      nodePoolHash: under('nodepool-hash'),
      nodePoolHashVersion: under('nodepool-hash-version'),
      minValuesRelaxed: under('nodeclaim-min-values-relaxed'),
      requestedDraDrivers: under('requested-dra-drivers'),
      priceOverlayApplied: under('price-overlay-applied'),
      capacityOverlayApplied: under('capacity-overlay-applied'),
    })
    expect(labelKeys).toMatchObject({
      registered: under('registered'),
      initialized: under('initialized'),
      doNotSyncTaints: under('do-not-sync-taints'),
    })
    expect(terminationFinalizer).toBe(under('termination'))
  })
})
