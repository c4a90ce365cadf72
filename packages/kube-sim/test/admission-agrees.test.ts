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

// The first value is the right one and comes most often: with many fields, a mistake in each would hide all others.
const mostly = <A>(right: A, ...others: ReadonlyArray<A>) =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(right) }, { weight: 1, arbitrary: fc.constantFrom(right, ...others) })

const key = mostly(
  'app',
  'karpenter.sh/capacity-type',
  'karpenter.sh/nodepool',
  'karpenter.sh/other',
  'foo-karpenter.sh/x',
  'kubernetes.io/hostname',
  'not a key',
)
const values = fc.array(mostly('1', '20', '-1', 'x'), { maxLength: 3 })
const requirement = fc.record(
  {
    key,
    operator: mostly('NotIn', 'In', 'Exists', 'DoesNotExist', 'Gt', 'Lt', 'Gte', 'Lte', 'Near'),
    values,
    minValues: mostly(1, 0, 2, 51),
  },
  { requiredKeys: ['key', 'operator', 'values'] },
)
const labels = fc.dictionary(key, mostly('a', '', '-'), { maxKeys: 2 })
const limits = fc.dictionary(mostly('nodes', 'cpu'), mostly('1', '5Gi', '1.5Gii'), { maxKeys: 2 })
const nodeClassRef = fc.record({
  group: mostly('g', 'g/v1', ''),
  kind: mostly('K', ''),
  name: mostly('n', ''),
})

// Mostly right objects with the mistakes that the rules are about, which blind generation would hardly meet.
const nearlyRight: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  NodePool: fc.record(
    {
      template: fc.record({
        metadata: fc.record({ labels }),
        spec: fc.record({ nodeClassRef, requirements: fc.array(requirement, { maxLength: 2 }) }),
      }),
      replicas: mostly(0, 3, -1),
      weight: mostly(1, 100, 101),
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
      podTemplateRef: fc.record({ name: mostly('a', '') }),
      scalableRef: fc.record({ kind: fc.constant('Deployment'), name: fc.constant('a') }),
      replicas: mostly(0, 1, -1),
      limits,
    },
    { requiredKeys: [] },
  ),
}

// Through text, as on the wire; a structured clone would come from outside the realm that jest runs tests in.
const wireOf = (spec: unknown) => JSON.parse(JSON.stringify({ metadata: { name: 'a' }, spec })) as object

describe.each(kinds)('the CRD and the decoder of one schema', (resource, decode) => {
  const { kind, versions } = resource
  const schema = (crdOf(resource) as unknown as Crd).spec.versions[0].schema.openAPIV3Schema

  const isAdmitted = (spec: unknown): boolean => {
    const object = wireOf(spec)
    applyDefaults(object, schema)
    return validateValue(object, schema, '').length === 0 && evaluateRules(object, schema, '').length === 0
  }
  const isDecoded = (spec: unknown): boolean => E.isRight(decode(wireOf(spec)))

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
        // cel-js reads int('') as 0, where CEL has an error.
        fc.pre(!JSON.stringify(spec).includes('""'))
        expect(isDecoded(spec)).toBe(isAdmitted(spec))
      }),
      { numRuns: 100 },
    )
  })
})
