import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import {
  completeWellKnown,
  LearnedMemories,
  OfferingMemories,
  type Call,
  type CloudProvider,
  type InstanceType,
  type LaunchReport,
  type LearnedMemory,
  type NodeClassObject,
  type NodePool,
  type OfferingMemory,
  type ProviderError,
  type UnavailableMark,
} from '@scantling/core'
import type { Clock } from '@scantling/provider-kit'
import type { OverlayCell } from './overlay-cell.ts'

/**
 * The instance types that planners see: the provider's, with the memory that Nodes of theirs really had, and with the
 * offerings that failed of late marked unavailable.
 *
 * While nothing changed the answer is the same array of the same objects, which planners compile by.
 */
export interface InstanceTypeCell {
  readonly ofNodeClass: (
    nodeClass: NodeClassObject,
    call: Call,
  ) => TaskEither<ProviderError, ReadonlyArray<InstanceType>>
  /** The types for a claim of a NodePool, its overlays laid over them: what was planned is what is launched. */
  readonly ofClaim: (
    nodeClass: NodeClassObject,
    nodePool: string | undefined,
    call: Call,
  ) => TaskEither<ProviderError, ReadonlyArray<InstanceType>>
  /**
   * Types by NodePool name; a pool whose NodeClass is missing, or whose types cannot be had now, is left out and
   * reported to `onFailure`: the other pools still plan (P-PRV-07, P-OVC-07).
   */
  readonly ofNodePools: (
    pools: ReadonlyArray<NodePool>,
    call: Call,
    onFailure: (pool: NodePool, error: ProviderError) => void,
  ) => Promise<ReadonlyMap<string, ReadonlyArray<InstanceType>>>
  /** Takes in what a launch, a task or an interruption said of offerings. */
  readonly learn: (report: Pick<LaunchReport, 'unavailable'>) => void
}

interface MarkedList {
  readonly complete: ReadonlyArray<InstanceType>
  readonly learned: LearnedMemory
  readonly memory: OfferingMemory
  readonly marked: ReadonlyArray<InstanceType>
}

export interface InstanceTypeCellOptions {
  readonly provider: CloudProvider<NodeClassObject>
  readonly clock: Clock
  readonly wellKnown: ReadonlySet<string>
  readonly nodeClassOf: (reference: NodePool['nodeClass']) => NodeClassObject | undefined
  /** Absent: NodeOverlays are off. */
  readonly overlays?: OverlayCell
  /** Absent: estimates of memory stand. */
  readonly learnedMemory?: () => LearnedMemory
}

export const makeInstanceTypeCell = ({
  provider,
  clock,
  wellKnown,
  nodeClassOf,
  overlays,
  learnedMemory = () => LearnedMemories.empty,
}: InstanceTypeCellOptions): InstanceTypeCell => {
  let memory = OfferingMemories.empty
  // What each list of the provider's became under which memory; both are compared by identity.
  const markedLists = new WeakMap<ReadonlyArray<InstanceType>, MarkedList>()
  const markedTypes = (types: ReadonlyArray<InstanceType>): ReadonlyArray<InstanceType> => {
    const nowMs = clock.nowMs()
    memory = OfferingMemories.forget(memory, nowMs)
    const learned = learnedMemory()
    const known = markedLists.get(types)
    if (known?.memory === memory && known.learned === learned) return known.marked
    const complete = known?.complete ?? completeWellKnown(types, wellKnown)
    const marked = OfferingMemories.applyMemory(LearnedMemories.apply(complete, learned), memory, nowMs)
    markedLists.set(types, { complete, learned, memory, marked })
    return marked
  }
  const ofNodeClass: InstanceTypeCell['ofNodeClass'] = (nodeClass, call) => async () =>
    E.map(markedTypes)(await provider.instanceTypes(nodeClass, call)())
  return {
    ofNodeClass,
    ofClaim: (nodeClass, nodePool, call) => async () =>
      E.map((types: ReadonlyArray<InstanceType>) =>
        overlays === undefined || nodePool === undefined ? types : overlays.applyTo(nodePool, types),
      )(await ofNodeClass(nodeClass, call)()),
    ofNodePools: async (pools, call, onFailure) => {
      const byPool = new Map<string, ReadonlyArray<InstanceType>>()
      for (const pool of pools) {
        const nodeClass = pool.isManaged ? nodeClassOf(pool.nodeClass) : undefined
        if (nodeClass === undefined) continue
        const types = await ofNodeClass(nodeClass, call)()
        if (E.isLeft(types)) onFailure(pool, types.left)
        else byPool.set(pool.name, types.right)
      }
      return overlays === undefined ? byPool : overlays.apply(byPool).instanceTypes
    },
    learn: ({ unavailable = [] }: { readonly unavailable?: ReadonlyArray<UnavailableMark> }) => {
      memory = OfferingMemories.remember(memory, unavailable, clock.nowMs())
    },
  }
}
