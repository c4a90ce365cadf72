import {
  evaluateOverlays,
  ingestNodeOverlay,
  type InstanceType,
  type LabelRules,
  type NodeOverlay,
  type NodeOverlayObject,
  type NodePool,
  type OverlayEvaluation,
  type OverlayVerdict,
} from '@scantling/core'
import type { ObjectCache } from '../cache/index.ts'

type TypesByPool = ReadonlyMap<string, ReadonlyArray<InstanceType>>

/** NodeOverlays in force. While nothing changed, answers are the same objects. */
export interface OverlayCell {
  /** The types with overlays laid over them. Cost: a comparison of identities where nothing changed. */
  readonly apply: (types: TypesByPool) => OverlayEvaluation
  /** As `apply` for one pool; what was last known of the others decides which overlays are in conflict. */
  readonly applyTo: (nodePool: string, types: ReadonlyArray<InstanceType>) => ReadonlyArray<InstanceType>
  /** By overlay, as of the last `apply`. */
  readonly verdicts: () => ReadonlyMap<string, OverlayVerdict>
}

export interface OverlayCellOptions {
  readonly overlays: ObjectCache<NodeOverlayObject>
  readonly nodePools: () => ReadonlyArray<NodePool>
  readonly labelRules: LabelRules
}

interface Evaluated {
  readonly overlays: ReadonlyArray<NodeOverlay>
  readonly nodePools: ReadonlyArray<NodePool>
  readonly types: TypesByPool
  readonly evaluation: OverlayEvaluation
}

export const makeOverlayCell = ({ overlays, nodePools, labelRules }: OverlayCellOptions): OverlayCell => {
  const views = new WeakMap<NodeOverlayObject, NodeOverlay>()
  const view = (object: NodeOverlayObject): NodeOverlay => {
    const known = views.get(object) ?? ingestNodeOverlay(object, labelRules.knowledge)
    views.set(object, known)
    return known
  }
  let last: Evaluated | undefined
  const apply = (types: TypesByPool): OverlayEvaluation => {
    const present = [...overlays.values()].filter(({ metadata }) => metadata.deletionTimestamp === undefined).map(view)
    const pools = nodePools()
    if (
      last !== undefined &&
      isSame(last.overlays, present) &&
      isSame(last.nodePools, pools) &&
      isSameMap(last.types, types)
    )
      return last.evaluation
    const input = { overlays: present, nodePools: pools, instanceTypes: types, labelRules }
    const evaluation = evaluateOverlays(input, last?.evaluation)
    last = { overlays: present, nodePools: pools, types, evaluation }
    return evaluation
  }
  return {
    apply,
    applyTo: (nodePool, types) =>
      apply(new Map([...(last?.types ?? []), [nodePool, types]])).instanceTypes.get(nodePool) ?? types,
    verdicts: () => last?.evaluation.verdicts ?? new Map(),
  }
}

const isSame = <A>(before: ReadonlyArray<A>, after: ReadonlyArray<A>): boolean =>
  before.length === after.length && after.every((one, index) => before[index] === one)

const isSameMap = (before: TypesByPool, after: TypesByPool): boolean =>
  before.size === after.size && [...after].every(([name, types]) => before.get(name) === types)
