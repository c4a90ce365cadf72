import { describe, expect, test } from '@jest/globals'
import {
  capacityBufferResource,
  crdOf,
  decodeCapacityBuffer,
  decodeNodeClaim,
  decodeNodeOverlay,
  decodeNodePool,
  nodeClaimResource,
  nodeOverlayResource,
  nodePoolResource,
  type CustomResource,
} from '@scantling/core'
import { wireFormOf } from '@scantling/core/testing'
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { applyDefaults, compileRules, evaluateRules, validateValue, type SchemaNode } from '../src/schema/index.ts'

/*
 * One schema, two judges: the decoder, with its rules as functions, and the CRD made from it, with the same rules as CEL.
 * What they say of an object must be the same, or a plan would accept what the cluster refuses.
 */

interface Crd {
  readonly spec: { readonly versions: readonly [{ readonly schema: { readonly openAPIV3Schema: SchemaNode } }] }
}

const kinds: ReadonlyArray<readonly [CustomResource, (input: unknown) => E.Either<unknown, unknown>]> = [
  [nodePoolResource, decodeNodePool],
  [nodeClaimResource, decodeNodeClaim],
  [nodeOverlayResource, decodeNodeOverlay],
  [capacityBufferResource, decodeCapacityBuffer],
]

const key = fc.constantFrom(
  'app',
  'karpenter.sh/capacity-type',
  'karpenter.sh/nodepool',
  'karpenter.sh/other',
  'foo-karpenter.sh/x',
  'kubernetes.io/hostname',
  'not a key',
)
const values = fc.array(fc.constantFrom('1', '20', '-1', 'x', ''), { maxLength: 3 })
const requirement = fc.record(
  {
    key,
    operator: fc.constantFrom('In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt', 'Gte', 'Lte', 'Near'),
    values,
    minValues: fc.constantFrom(0, 1, 2, 51),
  },
  { requiredKeys: ['key', 'operator', 'values'] },
)
const labels = fc.dictionary(key, fc.constantFrom('a', '', '-'), { maxKeys: 2 })
const limits = fc.dictionary(fc.constantFrom('nodes', 'cpu'), fc.constantFrom('1', '5Gi', '1.5Gii'), { maxKeys: 2 })
const nodeClassRef = fc.record({
  group: fc.constantFrom('g', 'g/v1', ''),
  kind: fc.constantFrom('K', ''),
  name: fc.constantFrom('n', 'n', ''),
})

// Mostly right objects with the mistakes that the rules are about, which blind generation would hardly meet.
const nearlyRight: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  NodePool: fc.record(
    {
      template: fc.record({
        metadata: fc.record({ labels }),
        spec: fc.record({ nodeClassRef, requirements: fc.array(requirement, { maxLength: 2 }) }),
      }),
      replicas: fc.constantFrom(0, 3, -1),
      weight: fc.constantFrom(1, 100, 101),
      limits,
    },
    { requiredKeys: ['template'] },
  ),
  NodeClaim: fc.record({ nodeClassRef, requirements: fc.array(requirement, { maxLength: 2 }) }),
  NodeOverlay: fc.record(
    {
      requirements: fc.array(requirement, { maxLength: 2 }),
      price: fc.constantFrom('1', '1.5', '.5', '-1'),
      priceAdjustment: fc.constantFrom('+1', '-99.5%', '-100%', '-101%', '5'),
      capacity: fc.dictionary(fc.constantFrom('cpu', 'gpu'), fc.constant('1'), { maxKeys: 2 }),
    },
    { requiredKeys: ['requirements'] },
  ),
  CapacityBuffer: fc.record(
    {
      podTemplateRef: fc.record({ name: fc.constantFrom('a', '') }),
      scalableRef: fc.record({ kind: fc.constant('Deployment'), name: fc.constant('a') }),
      replicas: fc.constantFrom(0, 1, -1),
      limits,
    },
    { requiredKeys: [] },
  ),
}

describe.each(kinds)('the CRD and the decoder of one schema', (resource, decode) => {
  const { kind, versions } = resource
  const schema = (crdOf(resource) as unknown as Crd).spec.versions[0].schema.openAPIV3Schema

  const isAdmitted = (spec: unknown): boolean => {
    const object = structuredClone({ metadata: { name: 'a' }, spec })
    applyDefaults(object, schema)
    return validateValue(object, schema, '').length === 0 && evaluateRules(object, schema, '').length === 0
  }
  const isDecoded = (spec: unknown): boolean => E.isRight(decode(structuredClone({ metadata: { name: 'a' }, spec })))

  test(`every rule of ${kind} compiles`, () => {
    expect(compileRules(schema, '')).toEqual([])
  })

  test(`${kind}: both admit and both refuse the same objects with likely mistakes`, () => {
    const seen = { admitted: 0, refused: 0 }
    fc.assert(
      fc.property(nearlyRight[kind] ?? fc.constant({}), (spec) => {
        const admitted = isAdmitted(spec)
        seen[admitted ? 'admitted' : 'refused'] += 1
        expect(isDecoded(spec)).toBe(admitted)
      }),
      { numRuns: 300 },
    )
    expect(Math.min(seen.admitted, seen.refused)).toBeGreaterThan(0)
  })

  test(`${kind}: both judge generated objects alike`, () => {
    const wire = wireFormOf(versions[0].schema) as fc.Arbitrary<{ readonly spec?: unknown }>
    fc.assert(
      fc.property(wire, ({ spec = {} }) => {
        expect(isDecoded(spec)).toBe(isAdmitted(spec))
      }),
      { numRuns: 100 },
    )
  })
})
