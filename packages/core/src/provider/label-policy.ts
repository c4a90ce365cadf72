import type { Labels } from '../labels/index.ts'

/** What a provider adds to the knowledge of labels; `Labels.extend` takes it. */
export interface LabelPolicy {
  /**
   * Keys that future nodes may carry by the provider's doing. `values`: a requirement naming none of them is refused.
   * `notInOverlays`: a NodeOverlay may not select by the key.
   */
  readonly wellKnown: ReadonlyArray<{
    readonly key: string
    readonly values?: ReadonlyArray<string>
    readonly notInOverlays?: true
  }>
  /** Domain suffixes and bare keys that users may not set unless well known. */
  readonly restricted?: ReadonlyArray<string>
  /** Keys within those domains that users may set although no type defines them, such as one that an agent selects by. */
  readonly allowed?: ReadonlyArray<string>
  /** A storage driver's zone key to the zone key. */
  readonly aliases?: Labels
  /** By key: value as written to value as meant, such as zone `''` to `'0'`. */
  readonly normalizedValues?: Readonly<Record<string, Labels>>
  /** On types, for matching and marks; on no Node. */
  readonly internal?: ReadonlyArray<string>
  /**
   * Keys that only reserved offerings define; `id` names the reservation.
   *
   * When `list` shows a reserved claim's instance as on-demand, the shell relabels claim and Node and drops these.
   */
  readonly reservation?: { readonly id: string; readonly all: ReadonlyArray<string> }
}
