import type { LabelPolicy, NodeClassObject } from '@scantling/core'
import type { InstanceIds } from '../provider-host/index.ts'
import type { Turns } from '../queue/index.ts'
import type { ControllerDeps } from '../runtime/index.ts'
import type {
  AnnouncedCell,
  BufferCell,
  ClusterState,
  CommandCell,
  DomainViews,
  InstanceTypeCell,
  OverlayCell,
  ShortageCell,
  SpreadCell,
} from '../state/index.ts'

/** What every reconciler is given: the shell's parts, and the cells that reconcilers share. */
export interface ReconcilerContext extends ControllerDeps {
  readonly views: DomainViews
  readonly state: ClusterState
  readonly commands: CommandCell
  readonly announced: AnnouncedCell
  readonly types: InstanceTypeCell
  readonly shortages: ShortageCell
  readonly nodeClasses: NodeClasses
  readonly features: FeatureCells
  /** What the running provider says of labels, or else its module. */
  readonly labelPolicy: LabelPolicy | undefined
  readonly instanceIds: InstanceIds
  /** Reconcilers write one NodeClaim one after another, so that none outdates what another sends. */
  readonly claimTurns: Turns
  /** Names of the NodeClaims that this process created, as long as they exist. */
  readonly ownClaims: Set<string>
}

/** What features that are switched off leave out. */
export interface FeatureCells {
  readonly overlays?: OverlayCell
  readonly buffers?: BufferCell
  readonly spread?: SpreadCell
}

/** NodeClasses as the provider reads them. */
export interface NodeClasses {
  /** The object that a reference names, as cached; `undefined` when it is not there. */
  readonly get: (reference: {
    readonly group: string
    readonly kind: string
    readonly name: string
  }) => NodeClassObject | undefined
  /** Whether the provider supports the kind. */
  readonly isManaged: (reference: { readonly group: string; readonly kind: string }) => boolean
  /** Whether it is Ready at its present generation; launches wait for that. */
  readonly isReady: (nodeClass: NodeClassObject) => boolean
  readonly readiness: (nodeClass: NodeClassObject) => NodeClassReadiness
}

/** What a NodeClass says of itself at its present generation. */
export type NodeClassReadiness =
  | { readonly _tag: 'Ready' | 'Deleting' | 'Unknown' }
  | { readonly _tag: 'NotReady'; readonly reason: string; readonly message: string }
