import type { CloudInstance } from '@scantling/provider-kwok'
import type { Effect, Seen } from '../cluster/index.ts'

/** One step in the life of an object, as the API server committed it. */
export interface Change {
  readonly plural: 'pods' | 'nodes' | 'nodeclaims'
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: Seen
  readonly before: Seen | undefined
  readonly atMs: number
}

/** The cluster and its cloud as they are now, for checkers: read at no cost, never older than the last change. */
export interface World {
  readonly nowMs: () => number
  readonly pods: () => Iterable<Seen>
  readonly podsOn: (node: string) => Iterable<Seen>
  readonly nodes: () => Iterable<Seen>
  readonly claims: () => Iterable<Seen>
  readonly pools: () => Iterable<Seen>
  readonly budgets: () => Iterable<Seen>
  readonly deployments: () => Iterable<Seen>
  readonly everyMachine: () => ReadonlyArray<CloudInstance & { readonly token: string }>
  /** How often the outside world has meddled: interruptions, prices, shortages. What happens after one is no fault. */
  readonly disturbances: () => number
}

/** Watches for one thing that must never be, or counts one thing. */
export interface Checker {
  readonly name: string
  readonly onChange?: (change: Change, world: World) => void
  /** Every call of a controller that changes something, before it takes effect. */
  readonly onEffect?: (effect: Effect, world: World) => void
  /** Now and then, between events. */
  readonly onLook?: (world: World) => void
  /** Once, when the cluster has come to rest. */
  readonly onRest?: (world: World) => void
  /** Sentences, one for each thing that should not have been. */
  readonly violations: () => ReadonlyArray<string>
}

const mostKept = 50

/** Where a checker notes what it found; the same sentence counts once. */
export const findings = () => {
  const found = new Set<string>()
  return {
    note: (sentence: string): void => {
      if (found.size < mostKept) found.add(sentence)
    },
    violations: (): ReadonlyArray<string> => [...found],
  }
}

export const nodePoolOf = ({ metadata }: Seen): string => metadata.labels?.['karpenter.sh/nodepool'] ?? ''
