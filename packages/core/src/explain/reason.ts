import { absurd } from '../internal/index.ts'
import { Resources, type ResourceList } from '../quantity/index.ts'
import { Requirement, Requirements, type Conflict } from '../requirements/index.ts'
import type { NodePoolReason, PodReason, Reason, RequirementProblem, VolumeClaimProblem } from '../scheduling/index.ts'
import { Taints } from '../taints/index.ts'

/**
 * Why a pod has no place, as the middle of a sentence about it.
 *
 * @example
 * renderReason({
 *   _tag: 'UntoleratedTaints',
 *   nodePool: 'gpu',
 *   taints: [{ key: 'team', value: 'a', effect: 'NoSchedule' }],
 * })
 * // => 'NodePool gpu: the pod does not tolerate the taint team=a:NoSchedule'
 */
export const renderReason = (reason: Reason): string =>
  'nodePool' in reason ? `NodePool ${reason.nodePool}: ${renderPoolReason(reason)}` : renderPodReason(reason)

const renderPodReason = (reason: PodReason): string => {
  switch (reason._tag) {
    case 'OptedOut':
      return 'the pod asks for nodes that no NodePool manages'
    case 'InvalidRequirement': {
      const { requirement, problem } = reason
      const values = (requirement.values ?? []).join(' ')
      return `the requirement ${requirement.key} ${requirement.operator} [${values}] cannot be used: ${requirementRemedy(problem)}`
    }
    case 'MatchFieldsUnsupported':
      return 'its node affinity selects by matchFields, which no planned node can meet; use matchExpressions'
    case 'VolumeClaimRefused':
      return `its volume claim ${reason.claim} ${claimRemedy(reason.problem)}`
    case 'TooManyVolumePlaces':
      return `its volume ${listOf('claim', reason.claims)} can be combined in more than ${reason.most} places, the most that are tried; allow fewer topologies in their StorageClasses or volumes`
    case 'DynamicResources':
      return 'the pod claims devices by dynamic resource allocation, which is not planned'
    case 'NoNodePools':
      return 'there is no NodePool that is ready and not being deleted'
    case 'NoInstanceTypes':
      return `no instance type meets the requirements of ${listOf('NodePool', reason.nodePools)}`
    default:
      return absurd(reason)
  }
}

const requirementRemedy = (problem: RequirementProblem): string => {
  switch (problem) {
    case 'unsupported operator':
      return 'the operator is not one of In, NotIn, Exists, DoesNotExist, Gt, Lt'
    case 'restricted label':
      return 'nodes are not chosen by this label; choose by a well-known label or one of your own'
    case 'unknown values':
      return 'none of its values exists'
    case 'malformed key':
      return 'the key is not a label key'
    case 'malformed value':
      return 'a value is not a label value'
    case 'missing values':
      return 'the operator needs at least one value'
    case 'not one non-negative integer':
      return 'the operator needs exactly one whole number of at least 0'
    default:
      return absurd(problem)
  }
}

const claimRemedy = (problem: VolumeClaimProblem): string => {
  switch (problem) {
    case 'not found':
      return 'does not exist'
    case 'being deleted':
      return 'is being deleted'
    case 'lost its volume':
      return 'has lost its volume'
    case 'volume not found':
      return 'is bound to a volume that does not exist'
    case 'volume being deleted':
      return 'is bound to a volume that is being deleted'
    case 'binding not completed':
      return 'names a volume, but the binding is not complete'
    case 'unbound without a storage class':
      return 'is not bound and names no StorageClass'
    case 'storage class not found':
      return 'names a StorageClass that does not exist'
    case 'unbound with immediate binding':
      return 'is not bound, though its StorageClass binds immediately; use volumeBindingMode WaitForFirstConsumer'
    case 'unsupported topology key':
      return 'has a StorageClass with an allowed topology that is not supported'
    case 'unsupported provisioner':
      return 'has a StorageClass with a provisioner that is not supported'
    default:
      return absurd(problem)
  }
}

/** The same without the NodePool's name, for where it stands in a column of its own. */
export const renderPoolReason = (reason: NodePoolReason): string => {
  switch (reason._tag) {
    case 'UntoleratedTaints':
      return `the pod does not tolerate ${listOf('the taint', reason.taints.map(Taints.render), 'the taints')}`
    case 'Incompatible':
      return reason.conflicts.map((conflict) => renderConflict(conflict, 'the pod')).join('; ')
    case 'VolumesElsewhere':
      return reason.conflicts.map((conflict) => renderConflict(conflict, 'a volume of the pod')).join('; ')
    case 'TopologyUnsatisfied': {
      const { kind, topologyKey, domains, maxSkew } = reason
      const counts = domains.map(({ domain, pods }) => `${domain} has ${pods}`).join(', ')
      const what = kind === 'anti-affinity of others' ? "other pods' anti-affinity" : `its ${kind}`
      const skew = maxSkew === undefined ? '' : ` with maxSkew ${maxSkew}`
      return `${what} over ${topologyKey}${skew} leaves no domain${counts === '' ? '' : ` (${counts})`}`
    }
    case 'NoInstanceTypeFits':
      return renderMisfit(reason)
    case 'MinValuesUnmet':
      return reason.keys
        .map(
          ({ key, minValues, values }) => `${values} values of ${key} are left where minValues asks for ${minValues}`,
        )
        .join('; ')
    case 'LimitReached':
      return `its limit leaves ${reason.resource} ${reason.remaining}, and its smallest type would add ${reason.smallest}`
    case 'HostPortsTaken':
      return `daemons take the host ${listOf('port', reason.ports.map(String), 'ports')} on every type`
    case 'TooManyVolumes':
      return `the pod has ${reason.volumes} volumes of ${reason.driver}, more than any type attaches`
    case 'ReservationsTaken':
      return `${listOf('the reservation', reason.reservations, 'the reservations')} would serve the pod but are spoken for; it is tried again`
    default:
      return absurd(reason)
  }
}

const renderConflict = (conflict: Conflict, who: string): string =>
  conflict._tag === 'UndefinedLabel'
    ? `${who} asks for ${Requirement.render(conflict.demand)}, a label that the NodePool does not define`
    : `${who} asks for ${Requirement.render(conflict.demand)}, where only ${Requirement.render(conflict.supply)} is possible`

const renderMisfit = (reason: NodePoolReason & { readonly _tag: 'NoInstanceTypeFits' }): string => {
  const { considered, meetRequirements, haveRoom, haveOffering, closest } = reason
  const all = considered === 1 ? 'its one instance type' : `all of its ${considered} instance types`
  const best =
    closest === undefined
      ? ''
      : `; the closest, ${closest.instanceType}, has ${closest.resource} ${closest.allocatable} of the ${closest.requested} needed`
  if (haveRoom === 0) return `${all} are too small for ${renderAmounts(reason.requests)}${best}`
  if (meetRequirements === 0)
    return `none of ${considered} instance types meets ${Requirements.render(reason.requirements)}`
  if (haveOffering === 0) return `none of ${considered} instance types can be bought at present where the pod may run`
  return `none of ${considered} instance types does all: ${meetRequirements} meet the requirements, ${haveRoom} have room, ${haveOffering} can be bought${best}`
}

/**
 * `cpu 500m, memory 1Gi`, without the slot that every pod takes.
 *
 * @example
 * renderAmounts(Resources.parse({ cpu: '500m', memory: '1Gi', pods: '1' })) // => 'cpu 500m, memory 1Gi'
 */
export const renderAmounts = (list: ResourceList): string =>
  Object.keys(list)
    .filter((name) => name !== 'pods')
    .map((name) => `${name} ${Resources.get(list, name)}`)
    .join(', ')

const listOf = (one: string, items: ReadonlyArray<string>, many: string = `${one}s`): string =>
  `${items.length === 1 ? one : many} ${items.join(', ')}`
