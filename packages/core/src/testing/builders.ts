import { isRight } from 'fp-ts/lib/Either.js'

import {
  decodeNode,
  decodeNodeClaim,
  decodeNodePool,
  decodePod,
  type NodeClaimObject,
  type NodeObject,
  type NodePoolObject,
  type PodObject,
} from '../api/index.ts'
import { invariant } from '../internal/index.ts'
import type { NodeClaimFacts } from '../provider/index.ts'
import { Requirements } from '../requirements/index.ts'
import { renderFieldError, type Decoder } from '../schema/index.ts'

/** Wire data laid over a builder's default, deeply; lists are replaced, `undefined` removes. */
export type Overrides = Readonly<Record<string, unknown>>

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const overlay = (base: Overrides, overrides: Overrides): Record<string, unknown> => {
  const result: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(overrides)) {
    const below = result[key]
    if (value === undefined) delete result[key]
    else result[key] = isPlain(value) && isPlain(below) ? overlay(below, value) : value
  }
  return result
}

const build = <A>(decode: Decoder<A>, base: Overrides, overrides: Overrides): A => {
  const decoded = decode(overlay(base, overrides))
  invariant(
    isRight(decoded),
    `a valid object: ${isRight(decoded) ? '' : decoded.left.map(renderFieldError).join('; ')}`,
  )
  return decoded.right
}

/**
 * A pending, unschedulable pod in `default` that requests what is given.
 *
 * @example
 * podObject('web-0', { cpu: '500m' }, { spec: { nodeSelector: { zone: 'a' } } })
 */
export const podObject = (
  name: string,
  requests: Readonly<Record<string, string>> = {},
  overrides: Overrides = {},
): PodObject =>
  build(
    decodePod,
    {
      metadata: { name, namespace: 'default', uid: `uid-${name}`, creationTimestamp: '2026-01-01T00:00:00Z' },
      spec: { containers: [{ name: 'main', resources: { requests } }] },
      status: {
        phase: 'Pending',
        conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }],
      },
    },
    overrides,
  )

/** A NodePool that allows everything and names the NodeClass `default` of a kind made for tests. */
export const nodePoolObject = (name: string, overrides: Overrides = {}): NodePoolObject =>
  build(
    decodeNodePool,
    {
      metadata: { name, uid: `uid-${name}`, generation: 1 },
      spec: {
        template: {
          spec: {
            nodeClassRef: { group: 'test.example.com', kind: 'TestNodeClass', name: 'default' },
            requirements: [],
          },
        },
      },
      status: {
        conditions: [
          {
            type: 'Ready',
            status: 'True',
            reason: 'Ready',
            message: '',
            lastTransitionTime: '2026-01-01T00:00:00Z',
          },
        ],
      },
    },
    overrides,
  )

/** A NodeClaim of the NodePool, not launched yet. */
export const nodeClaimObject = (name: string, nodePool: string, overrides: Overrides = {}): NodeClaimObject =>
  build(
    decodeNodeClaim,
    {
      metadata: {
        name,
        uid: `uid-${name}`,
        generation: 1,
        creationTimestamp: '2026-01-01T00:00:00Z',
        labels: { 'karpenter.sh/nodepool': nodePool },
        finalizers: ['karpenter.sh/termination'],
      },
      spec: { nodeClassRef: { group: 'test.example.com', kind: 'TestNodeClass', name: 'default' }, requirements: [] },
    },
    overrides,
  )

/** A Ready node with 4 CPUs, 16Gi and 110 pods. */
export const nodeObject = (name: string, overrides: Overrides = {}): NodeObject => {
  const amounts = { cpu: '4', memory: '16Gi', pods: '110' }
  return build(
    decodeNode,
    {
      metadata: { name, uid: `uid-${name}`, labels: { 'kubernetes.io/hostname': name } },
      spec: { providerID: `test://${name}` },
      status: {
        capacity: amounts,
        allocatable: amounts,
        conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady' }],
      },
    },
    overrides,
  )
}

/**
 * What providers are told of a NodeClaim, which asks for nothing in particular.
 *
 * @example
 * nodeClaimFacts('general-abcde', { nodePool: 'general' }).uid // => 'uid-of-general-abcde'
 */
export const nodeClaimFacts = (name: string, changes: Partial<NodeClaimFacts> = {}): NodeClaimFacts => ({
  name,
  uid: `uid-of-${name}`,
  generation: 1,
  nodePool: 'default',
  nodeClass: 'default',
  labels: {},
  annotations: {},
  requirements: Requirements.empty,
  requests: {},
  taints: [],
  startupTaints: [],
  registered: false,
  deleting: false,
  ...changes,
})
