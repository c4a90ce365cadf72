import * as E from 'fp-ts/lib/Either.js'

import type { PodObject } from '../api/index.ts'
import type { Pod, PodConstraints, PodDisruption, PodOwner } from '../cluster/index.ts'
import { annotationKeys, Labels } from '../labels/index.ts'
import type { ResourceList } from '../quantity/index.ts'
import { Time } from '../time/index.ts'
import { instantMs, optionalInstantMs } from './instant.ts'
import { podConstraints } from './pod-constraints.ts'
import { podRequests } from './pod-requests.ts'

/**
 * Remembers what pods of equal specs have in common, so that a thousand replicas share one set of constraints.
 *
 * Make one per cache or per snapshot and pass it to every {@link ingestPod}: planners class pods by the identity of
 * `constraints`. At its bound it forgets everything, which costs speed for a while and nothing else.
 */
export interface PodInterner {
  readonly constraints: Map<string, PodConstraints>
  readonly canonical: Map<string, PodConstraints>
  readonly requests: Map<string, ResourceList>
}

/**
 * A memory of pod specs seen, so that pods of one shape share one object; keep one for each pass or cache.
 *
 * @example
 * import { podObject } from '@scantling/core/testing'
 * const interner = makePodInterner()
 * const [one, other] = ['web-0', 'web-1'].map((name) => ingestPod(podObject(name, { cpu: '1' }), interner))
 * one?.constraints === other?.constraints // => true
 */
export const makePodInterner = (): PodInterner => ({
  constraints: new Map(),
  canonical: new Map(),
  requests: new Map(),
})

const internerBound = 20_000

/**
 * A pod as planners read it.
 *
 * Cost: a few microseconds for a pod whose spec was seen before.
 *
 * @example
 * import { podObject } from '@scantling/core/testing'
 * const interner = makePodInterner()
 * const pods = ['web-0', 'web-1'].map((name) => ingestPod(podObject(name, { cpu: '500m' }), interner))
 * pods[0]?.requests // => { cpu: '500m', pods: '1' }
 */
export const ingestPod = (object: PodObject, interner: PodInterner): Pod => {
  const { metadata, spec, status } = object
  const deletionTimestampMs = optionalInstantMs(metadata.deletionTimestamp)
  const owner = ownerOf(object)
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    uid: metadata.uid,
    labels: metadata.labels,
    createdAtMs: instantMs(metadata.creationTimestamp),
    phase: status.phase,
    ...(spec.nodeName === undefined ? {} : { nodeName: spec.nodeName }),
    ...(status.nominatedNodeName === undefined ? {} : { nominatedNodeName: status.nominatedNodeName }),
    isUnschedulable: status.conditions.some(
      ({ type, reason }) => type === 'PodScheduled' && reason === 'Unschedulable',
    ),
    isReady: status.conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True'),
    ...(deletionTimestampMs === undefined ? {} : { deletionTimestampMs }),
    ...(owner === undefined ? {} : { owner }),
    isMirror:
      Labels.has(metadata.annotations, annotationKeys.mirrorPod) ||
      metadata.ownerReferences.some(({ apiVersion, kind }) => apiVersion === 'v1' && kind === 'Node'),
    priority: spec.priority ?? 0,
    requests: internedRequests(object, interner),
    constraints: internedConstraints(object, interner),
    disruption: disruptionOf(object),
  }
}

// The controller if one is named; otherwise the first owner of any kind, which the reference takes as well.
const ownerOf = ({ metadata: { ownerReferences } }: PodObject): PodOwner | undefined => {
  const reference = ownerReferences.find(({ controller }) => controller === true) ?? ownerReferences[0]
  if (reference === undefined) return undefined
  const { apiVersion, kind, name, uid } = reference
  return { apiVersion, kind, name, uid }
}

const internedRequests = (object: PodObject, { requests }: PodInterner): ResourceList => {
  const { spec, status } = object
  const isResized = [...status.containerStatuses, ...status.initContainerStatuses].some(
    ({ resources }) => resources !== undefined,
  )
  // Only what a resize left behind depends on the status. It is the kubelet's word on running pods: not interned.
  if (isResized) return podRequests(object)
  let key = ''
  for (const { resources } of spec.containers) key += `${JSON.stringify(resources.requests)};`
  for (const { restartPolicy = '', resources } of spec.initContainers) {
    key += `i${restartPolicy}${JSON.stringify(resources.requests)};`
  }
  if (spec.resources !== undefined) key += `p${JSON.stringify(spec.resources.requests)};`
  for (const name of Object.keys(spec.overhead)) key += `o${name}=${spec.overhead[name]};`
  return remember(requests, key, () => podRequests(object))
}

const internedConstraints = (object: PodObject, interner: PodInterner): PodConstraints => {
  const { metadata, spec } = object
  let key = ''
  if (Object.keys(spec.nodeSelector).length > 0) key += `s${JSON.stringify(spec.nodeSelector)}`
  // The terms of pod affinity mean the pod's own namespace unless they say otherwise.
  if (spec.affinity !== undefined) key += `a${metadata.namespace}${JSON.stringify(spec.affinity)}`
  if (spec.tolerations.length > 0) key += `t${JSON.stringify(spec.tolerations)}`
  if (spec.topologySpreadConstraints.length > 0) key += `c${JSON.stringify(spec.topologySpreadConstraints)}`
  if (spec.resourceClaims.length > 0) key += 'd'
  for (const { ports, resources } of spec.containers) {
    if (ports.length > 0) key += `h${JSON.stringify(ports)}`
    if (resources.claims !== undefined) key += 'd'
  }
  for (const { resources } of spec.initContainers) if (resources.claims !== undefined) key += 'd'
  // Most volumes are config maps and tokens; only those with claims matter, and ephemeral ones name their pod.
  for (const { name, persistentVolumeClaim, ephemeral } of spec.volumes) {
    if (persistentVolumeClaim !== undefined) key += `v${name}=${persistentVolumeClaim.claimName};`
    else if (ephemeral !== undefined) key += `e${metadata.name}/${name}=${JSON.stringify(ephemeral)};`
  }
  return remember(interner.constraints, key, () => {
    // Two spellings of one thing (another key order, a default written out) meet again here.
    const constraints = podConstraints(object)
    return remember(interner.canonical, JSON.stringify(constraints), () => constraints)
  })
}

const remember = <A>(memory: Map<string, A>, key: string, make: () => A): A => {
  const known = memory.get(key)
  if (known !== undefined) return known
  const made = make()
  if (memory.size >= internerBound) memory.clear()
  memory.set(key, made)
  return made
}

const disruptionOf = ({ metadata, spec, status }: PodObject): PodDisruption => {
  const { annotations, creationTimestamp } = metadata
  const doNotDisrupt = doNotDisruptOf(
    Labels.get(annotations, annotationKeys.doNotDisrupt),
    optionalInstantMs(status.startTime),
    instantMs(creationTimestamp),
  )
  const disruptionCost = Labels.get(annotations, annotationKeys.podDisruptionCost)
  return {
    ...(doNotDisrupt === undefined ? {} : { doNotDisrupt }),
    ...(disruptionCost === undefined ? {} : { disruptionCost: readCost(disruptionCost) }),
    deletionCost: readCost(Labels.get(annotations, annotationKeys.podDeletionCost)),
    ...(spec.terminationGracePeriodSeconds === undefined
      ? {}
      : { terminationGracePeriodSeconds: spec.terminationGracePeriodSeconds }),
  }
}

// Text that is neither "true" nor a positive duration protects nothing; without a start the protection has no end.
const doNotDisruptOf = (text: string | undefined, startedAtMs: number | undefined, createdAtMs: number) => {
  if (text === undefined) return undefined
  if (text === 'true') return { sinceMs: startedAtMs ?? createdAtMs }
  const forMs = Time.parseDuration(text)
  if (E.isLeft(forMs) || forMs.right <= 0) return undefined
  return startedAtMs === undefined ? { sinceMs: createdAtMs } : { forMs: forMs.right, sinceMs: startedAtMs }
}

// Costs are 32-bit integers; other text counts as none (D-COST-01).
const readCost = (text: string | undefined): number => {
  const cost = text !== undefined && /^[+-]?\d+$/.test(text) ? Number(text) : 0
  return Math.abs(cost) <= 2 ** 31 - 1 || cost === -(2 ** 31) ? cost : 0
}
