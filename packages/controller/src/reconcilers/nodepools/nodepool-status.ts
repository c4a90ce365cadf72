import * as E from 'fp-ts/lib/Either.js'
import {
  annotationKeys,
  Conditions,
  nodePoolHashVersion,
  nodePoolProblems,
  Quantity,
  renderFieldError,
  Resources,
  StateNodes,
  type ConditionChange,
  type NodePool,
  type NodePoolObject,
  type ResourceList,
} from '@scantling/core'
import { families } from '../../observability/index.ts'
import type { ReconcileError, Reconciler } from '../../queue/index.ts'
import type { RegistrationCell } from '../../state/index.ts'
import { writeClaimMetadata } from '../claim-writes.ts'
import { writeConditions } from '../condition-writes.ts'
import type { ReconcilerContext } from '../context.ts'
import { registrationHealth } from './registration-health.ts'

const countEveryMs = 5000
const dependents = ['ValidationSucceeded', 'NodeClassReady'] as const
const noResources = Resources.parse({ cpu: '0', memory: '0', pods: '0', 'ephemeral-storage': '0', nodes: '0' })

/**
 * Keeps what a NodePool says of itself: valid, its NodeClass ready, whether its nodes join, its hash, its nodes and their
 * resources. NP-VAL-01, NP-READY-01, NP-HASH-01/02, NP-COUNT-01. Nobody else writes its status.
 */
export const nodePoolStatus = (context: ReconcilerContext, registrations: RegistrationCell): Reconciler => {
  const reported: Reported = new Map()
  return {
    name: 'nodepool.status',
    concurrency: 10,
    reconcile: (key) => async () => {
      const object = context.caches.nodePools.get(key)
      if (object === undefined) {
        forgetUsage(context, reported, key)
        return E.right({})
      }
      const pool = context.views.nodePool(object)
      if (!pool.isManaged) return E.right({})
      const hashed = await stampHash(context, object, pool)
      if (E.isLeft(hashed)) return hashed
      const { resources, count } = usageOf(context, pool)
      const written = await writeStatus(context, registrations, hashed.right, { resources, count })
      if (E.isLeft(written)) return written
      report(context, reported, pool, resources)
      return E.right({ requeueAfterMs: countEveryMs })
    },
  }
}

const stampHash = async (
  context: ReconcilerContext,
  object: NodePoolObject,
  pool: NodePool,
): Promise<E.Either<ReconcileError, NodePoolObject>> => {
  const { kube, caches, views } = context
  const { annotations } = object.metadata
  const isCurrent = annotations[annotationKeys.nodePoolHashVersion] === nodePoolHashVersion
  // Claims hashed by another rule are stamped anew, not replaced, unless they are known to have drifted (P-NPR-06).
  if (!isCurrent) {
    for (const claimObject of caches.nodeClaims.by('byNodePool', pool.name)) {
      const claim = views.claim(claimObject)
      if (claim.annotations[annotationKeys.nodePoolHashVersion] === nodePoolHashVersion) continue
      const isDrifted = Conditions.find(claim.conditions, 'Drifted') !== undefined
      const stamped = await writeClaimMetadata(context, claim, {
        annotations: {
          [annotationKeys.nodePoolHashVersion]: nodePoolHashVersion,
          ...(isDrifted ? {} : { [annotationKeys.nodePoolHash]: pool.hash }),
        },
      })()
      if (E.isLeft(stamped)) return stamped
    }
  }
  if (isCurrent && annotations[annotationKeys.nodePoolHash] === pool.hash) return E.right(object)
  const body = {
    metadata: {
      annotations: {
        [annotationKeys.nodePoolHash]: pool.hash,
        [annotationKeys.nodePoolHashVersion]: nodePoolHashVersion,
      },
    },
  }
  const patched = await kube.patch(caches.nodePools.kind, { name: pool.name }, { type: 'merge', body })()
  if (E.isRight(patched)) caches.nodePools.observe(patched.right)
  return patched
}

// Cost: O(nodes); the sums are printed once.
const usageOf = (
  { state }: ReconcilerContext,
  pool: NodePool,
): { readonly resources: ResourceList; readonly count: number } => {
  const capacities: Array<ResourceList> = []
  for (const node of state.nodes()) {
    if (!node.isManaged || node.isMarkedForDeletion) continue
    if ((node.claim?.labels ?? StateNodes.labelsOf(node))['karpenter.sh/nodepool'] !== pool.name) continue
    capacities.push(StateNodes.capacityOf(node))
  }
  return { resources: Resources.add(noResources, ...capacities), count: capacities.length }
}

const writeStatus = (
  context: ReconcilerContext,
  registrations: RegistrationCell,
  object: NodePoolObject,
  { resources, count }: { readonly resources: ResourceList; readonly count: number },
): Promise<E.Either<ReconcileError, void>> => {
  const { resources: present } = object.status
  // Equal amounts may be written in several ways; zeros are stated, too.
  const isStated =
    Object.keys(resources).every((name) => Object.hasOwn(present, name)) && Resources.equals(present, resources)
  const { changes, fields } = registrationHealth(context, registrations, object)
  return writeConditions(
    context,
    context.caches.nodePools,
    object,
    [validation(context, object), readiness(context, object), ...changes],
    {
      dependents,
      fields: { ...fields, resources: isStated ? present : resources, nodes: count },
    },
  )
}

const validation = ({ state }: ReconcilerContext, object: NodePoolObject): ConditionChange => {
  const errors = nodePoolProblems(object, state.labelRules.knowledge)
  return errors.length === 0
    ? { type: 'ValidationSucceeded', status: 'True' }
    : {
        type: 'ValidationSucceeded',
        status: 'False',
        reason: 'NodePoolValidationFailed',
        message: errors.map(renderFieldError).join('; '),
      }
}

const readiness = ({ nodeClasses }: ReconcilerContext, object: NodePoolObject): ConditionChange => {
  const reference = object.spec.template.spec.nodeClassRef
  const nodeClass = nodeClasses.get(reference)
  const no = (reason: string, message: string): ConditionChange => ({
    type: 'NodeClassReady',
    status: 'False',
    reason,
    message,
  })
  if (nodeClass === undefined)
    return no(
      'NodeClassNotFound',
      `${reference.kind} ${reference.name} does not exist; create it or correct spec.template.spec.nodeClassRef.name`,
    )
  const facts = nodeClasses.readiness(nodeClass)
  switch (facts._tag) {
    case 'Ready':
      return { type: 'NodeClassReady', status: 'True' }
    case 'Deleting':
      return no('NodeClassTerminating', `${reference.kind} ${reference.name} is being deleted`)
    case 'Unknown':
      return no('NodeClassReadinessUnknown', `${reference.kind} ${reference.name} does not say yet whether it is Ready`)
    case 'NotReady':
      return no(facts.reason, facts.message)
  }
}

// By NodePool: the resources that were reported of it, so that none is reported of a pool that is gone (M-NP-01).
type Reported = Map<string, Set<string>>

const forgetUsage = ({ metrics }: ReconcilerContext, reported: Reported, nodepool: string): void => {
  for (const resource_type of reported.get(nodepool) ?? []) {
    metrics.remove(families.nodePoolsUsage, { nodepool, resource_type })
    metrics.remove(families.nodePoolsLimit, { nodepool, resource_type })
  }
  reported.delete(nodepool)
}

const report = (
  { metrics, settings }: ReconcilerContext,
  reported: Reported,
  pool: NodePool,
  resources: ResourceList,
): void => {
  if (settings.disableClusterStateObservability) return
  reported.set(pool.name, new Set([...Object.keys(resources), ...Object.keys(pool.limits ?? {})]))
  for (const [resource_type, amount] of Object.entries(resources))
    metrics.set(families.nodePoolsUsage, { nodepool: pool.name, resource_type }, Quantity.toNumber(amount))
  for (const [resource_type, amount] of Object.entries(pool.limits ?? {}))
    metrics.set(families.nodePoolsLimit, { nodepool: pool.name, resource_type }, Quantity.toNumber(amount))
}
