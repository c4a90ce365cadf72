import type { Either } from 'fp-ts/lib/Either.js'
import type { JsonObject } from '../instance/index.ts'
import type { Labels } from '../labels/index.ts'
import type { ResourceList } from '../quantity/index.ts'
import type { Requirements } from '../requirements/index.ts'
import type { Taint } from '../taints/index.ts'

/**
 * What a provider may know of the cluster.
 *
 * Name, endpoint (as nodes reach it) and caBundle are the shell's settings, under the reference's flags; where one is
 * absent a provider may ask its cloud.
 */
export interface ClusterFacts {
  readonly name: string
  readonly endpoint?: string
  readonly caBundle?: string
  /** Discovery's gitVersion without the `v`. */
  readonly kubernetesVersion: string
  readonly dnsServiceIp?: string
  /** By `ClusterRead.as`. No such object or no such CRD: `right([])`; left: the read failed. */
  readonly objects: Readonly<Record<string, Either<string, ReadonlyArray<JsonObject>>>>
}

/** A declared wish to see cluster objects as data; RBAC is generated from it. Never Secrets. */
export interface ClusterRead {
  readonly as: string
  readonly apiVersion: string
  readonly plural: string
  /** `$system`: the controller's own. */
  readonly namespace?: string
  readonly name?: string
  /** `host`: the cluster that the controller runs in, where that is another. */
  readonly cluster?: 'workload' | 'host'
  readonly metadataOnly?: true
  readonly limit?: number
}

/** What a provider sees of a NodeClaim. */
export interface NodeClaimFacts {
  readonly name: string
  readonly uid: string
  readonly generation: number
  /** Absent: a standalone claim. */
  readonly nodePool?: string
  readonly nodeClass: string
  readonly labels: Labels
  readonly annotations: Labels
  readonly requirements: Requirements
  readonly requests: ResourceList
  readonly taints: ReadonlyArray<Taint>
  readonly startupTaints: ReadonlyArray<Taint>
  readonly providerId?: string
  readonly imageId?: string
  readonly registered: boolean
  readonly deleting: boolean
}

/** What a provider sees of a Node. */
export interface NodeFacts {
  readonly name: string
  readonly labels: Labels
  readonly kubeletVersion: string
  readonly capacity: ResourceList
}

/** All NodeClasses and claims. Complete, so that absence is meaningful. */
export interface ClusterView<C> {
  readonly nodeClasses: ReadonlyArray<C>
  readonly claims: ReadonlyArray<NodeClaimFacts>
}
