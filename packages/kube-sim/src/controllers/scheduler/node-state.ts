import type { NodeObject, PodObject, Taint } from '../objects.ts'
import type { Labels } from '../selectors.ts'
import type { PodClass } from './pod-class.ts'

/** A pod that takes room on a node: bound there, or assumed to be while its binding is under way. */
export interface PlacedPod {
  readonly key: string
  readonly uid: string
  readonly object: PodObject
  readonly podClass: PodClass
  readonly isTerminating: boolean
}

/** One node with its running totals. Columns are those of the scheduler's table of resources. */
export interface NodeState {
  readonly name: string
  readonly object: NodeObject
  /** Changes with everything about the node that filters other than room read. */
  readonly version: number
  readonly taints: ReadonlyArray<Taint>
  readonly isUnschedulable: boolean
  readonly allocatable: ReadonlyArray<number>
  readonly allowedPods: number
  readonly requested: ReadonlyArray<number>
  readonly scoredCpuMilli: number
  readonly scoredMemoryBytes: number
  readonly pods: ReadonlySet<PlacedPod>
  /** Port conflicts are rare: only pods with host ports are walked. */
  readonly podsWithPorts: ReadonlySet<PlacedPod>
  readonly label: (key: string) => string | undefined
  readonly labels: Labels
}
