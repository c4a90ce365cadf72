import type { ReadonlyNonEmptyArray } from 'fp-ts/lib/ReadonlyNonEmptyArray.js'
import type { Pod } from '../cluster/index.ts'
import type { ResourceList } from '../quantity/index.ts'
import type { Conflict, Requirements, RequirementSpec } from '../requirements/index.ts'
import type { Taint } from '../taints/index.ts'

/** Why a pod has no place, for a person to act on. Text is made from it by `explain`. */
export interface Rejection {
  readonly pod: Pod
  /** `ignored`: refused before scheduling (P-ELG). `unplaced`: tried and found no place. `deferred`: waits by design. */
  readonly verdict: 'ignored' | 'unplaced' | 'deferred'
  /** The pod's own mistakes first, then one reason for each NodePool in the order of weight. */
  readonly reasons: ReadonlyNonEmptyArray<Reason>
  /** Whether time alone may help (capacity comes back, a claim gets its zone), or only a change by someone. */
  readonly mayResolveByWaiting: boolean
}

/** A reason of the pod's own, or that of one NodePool. */
export type Reason = PodReason | NodePoolReason

/** What is wrong whatever the NodePool. */
export type PodReason =
  /** The pod asks for nodes that no NodePool manages (P-ELG-06). */
  | { readonly _tag: 'OptedOut' }
  /** A node selector entry or a required node-affinity expression that no node may be asked for (P-ELG-07). */
  | {
      readonly _tag: 'InvalidRequirement'
      readonly requirement: RequirementSpec
      readonly problem: RequirementProblem
    }
  /** A required node-affinity term selects by fields instead of labels. */
  | { readonly _tag: 'MatchFieldsUnsupported' }
  /** A PersistentVolumeClaim keeps the pod from being scheduled anywhere (P-VTP-05). */
  | { readonly _tag: 'VolumeClaimRefused'; readonly claim: string; readonly problem: VolumeClaimProblem }
  /** Its volumes can be combined in more places than are tried (W42). */
  | { readonly _tag: 'TooManyVolumePlaces'; readonly claims: ReadonlyArray<string>; readonly most: number }
  /** The pod claims devices by dynamic resource allocation, which is not planned (P-QUE-07). */
  | { readonly _tag: 'DynamicResources' }
  /** There is no NodePool that is ready, managed, not deleting and not static (P-PRV-06). */
  | { readonly _tag: 'NoNodePools' }
  /** Every NodePool's own requirements exclude all its instance types (P-QUE-06). */
  | { readonly _tag: 'NoInstanceTypes'; readonly nodePools: ReadonlyArray<string> }

/** Why one NodePool cannot take the pod, by the first check that fails. */
export type NodePoolReason =
  | { readonly _tag: 'UntoleratedTaints'; readonly nodePool: string; readonly taints: ReadonlyArray<Taint> }
  /** The pod's node selector or affinity against the NodePool's requirements and labels. */
  | { readonly _tag: 'Incompatible'; readonly nodePool: string; readonly conflicts: ReadonlyArray<Conflict> }
  /** Where the pod's volumes are against where the NodePool may launch. */
  | { readonly _tag: 'VolumesElsewhere'; readonly nodePool: string; readonly conflicts: ReadonlyArray<Conflict> }
  /** A spread constraint or a pod (anti-)affinity term leaves no domain. */
  | {
      readonly _tag: 'TopologyUnsatisfied'
      readonly nodePool: string
      readonly kind: 'spread' | 'affinity' | 'anti-affinity' | 'anti-affinity of others'
      readonly topologyKey: string
      /** Pods counted in each known domain, by domain; at most 25 domains. */
      readonly domains: ReadonlyArray<{ readonly domain: string; readonly pods: number }>
      readonly maxSkew?: number
    }
  /** No instance type passes; the counts say which test removes them. */
  | {
      readonly _tag: 'NoInstanceTypeFits'
      readonly nodePool: string
      /** Types considered: those of the NodePool that its limits leave; and how many the limits leave out. */
      readonly considered: number
      readonly overLimit: number
      /** How many of them meet the requirements, have room, and have an offering; each test by itself. */
      readonly meetRequirements: number
      readonly haveRoom: number
      readonly haveOffering: number
      readonly requirements: Requirements
      /** The pod's requests and the least daemon overhead beside it. */
      readonly requests: ResourceList
      /** The type that comes closest among those that pass the other tests, and what it lacks. */
      readonly closest?: {
        readonly instanceType: string
        readonly resource: string
        readonly requested: string
        readonly allocatable: string
      }
    }
  /** Fewer distinct values are left than a requirement's minValues asks for. */
  | {
      readonly _tag: 'MinValuesUnmet'
      readonly nodePool: string
      readonly keys: ReadonlyArray<{ readonly key: string; readonly minValues: number; readonly values: number }>
    }
  /** The NodePool's limits leave no instance type; `smallest` is the least that any type would add. */
  | {
      readonly _tag: 'LimitReached'
      readonly nodePool: string
      readonly resource: string
      readonly remaining: string
      readonly smallest: string
    }
  /** The pod's host ports are taken by daemons on every type. */
  | { readonly _tag: 'HostPortsTaken'; readonly nodePool: string; readonly ports: ReadonlyArray<number> }
  /** Every type attaches fewer volumes than the pod has. */
  | { readonly _tag: 'TooManyVolumes'; readonly nodePool: string; readonly driver: string; readonly volumes: number }
  /** Reservations would serve the pod but are spoken for: it waits for a later pass (P-RSV-06). */
  | { readonly _tag: 'ReservationsTaken'; readonly nodePool: string; readonly reservations: ReadonlyArray<string> }

export type RequirementProblem =
  | 'unsupported operator'
  | 'restricted label'
  | 'unknown values'
  | 'malformed key'
  | 'malformed value'
  | 'missing values'
  | 'not one non-negative integer'

export type VolumeClaimProblem =
  | 'not found'
  | 'being deleted'
  | 'lost its volume'
  | 'volume not found'
  | 'volume being deleted'
  | 'binding not completed'
  | 'unbound without a storage class'
  | 'storage class not found'
  | 'unbound with immediate binding'
  | 'unsupported topology key'
  | 'unsupported provisioner'
