import type { NodePool } from '../cluster/index.ts'
import { intersectInto, type Bitset } from '../internal/index.ts'
import type { Labels } from '../labels/index.ts'
import type { RequirementSet } from '../topology/index.ts'
import type { Catalog } from './catalog.ts'
import type { DaemonGroup } from './daemon-overhead.ts'
import type { ResourceColumns } from './resource-columns.ts'

/** What a NodePool's claims start from, and what its limits still leave. */
export interface Template {
  readonly index: number
  readonly nodePool: NodePool
  readonly catalog: Catalog
  /** The pool's requirements and labels, and the marks of a started node that daemons may select (P-SCH-02). */
  readonly set: RequirementSet
  /** Types that the requirements leave (P-SCH-04). */
  readonly variants: Bitset
  readonly groups: ReadonlyArray<DaemonGroup>
  /** Allocatable less the daemons' requests, by resource, then variant. */
  readonly usable: ReadonlyArray<Float64Array>
  readonly labels: Labels
  readonly annotations: Labels
  readonly limits: PoolLimits
  /** Whether the claim opened last relaxed its minValues (P-MIN-05, W26). */
  hasRelaxedMinValues: boolean
}

/** What is left of a NodePool's limits, by resource; `nodes` apart, since no type has any. */
export class PoolLimits {
  readonly #left: Map<number, number>
  #nodes: number | undefined
  #columns: ResourceColumns
  #version = 0
  #availableVersion = -1
  #available: Bitset = new Uint32Array(0)

  constructor(nodePool: NodePool, columns: ResourceColumns) {
    this.#columns = columns
    this.#left = new Map()
    for (const name of Object.keys(nodePool.limits ?? {})) {
      const index = columns.index(name)
      const quantity = nodePool.limits?.[name]
      if (index === undefined || quantity === undefined) continue
      if (name === 'nodes') this.#nodes = columns.amount(index, quantity)
      else this.#left.set(index, columns.amount(index, quantity))
    }
  }

  /** Nodes that may still be added; absent: any number. */
  get nodes(): number | undefined {
    return this.#nodes
  }

  get left(): ReadonlyMap<number, number> {
    return this.#left
  }

  get isLimited(): boolean {
    return this.#left.size > 0
  }

  /** Takes off what an existing node has (P-SCH-06). */
  chargeNode(capacity: Float64Array): void {
    for (const [index, left] of this.#left) this.#left.set(index, left - capacity[index]!)
    this.chargeCount()
  }

  /** Takes off one node. */
  chargeCount(): void {
    const index = this.#columns.index('nodes')
    if (this.#nodes !== undefined && index !== undefined) this.#nodes -= this.#columns.amount(index, oneNode)
    this.#version += 1
  }

  /** Gives back what a node took off. */
  releaseNode(capacity: Float64Array): void {
    for (const [index, left] of this.#left) this.#left.set(index, left + capacity[index]!)
    const index = this.#columns.index('nodes')
    if (this.#nodes !== undefined && index !== undefined) this.#nodes += this.#columns.amount(index, oneNode)
    this.#version += 1
  }

  /** Remembers what is left; calling the result puts it back. */
  checkpoint(): () => void {
    const nodes = this.#nodes
    const left = [...this.#left]
    return () => {
      this.#nodes = nodes
      for (const [index, amount] of left) this.#left.set(index, amount)
      this.#version += 1
    }
  }

  /** Takes off the largest capacity among the types a new claim may become (P-LIM-04). */
  chargeClaim(catalog: Catalog, variants: Bitset): void {
    for (const [index, left] of this.#left) this.#left.set(index, left - catalog.mostCapacity(index, variants))
    this.#version += 1
  }

  /** Gives back what a claim can no longer come to need. */
  giveBack(catalog: Catalog, before: Bitset, after: Bitset): void {
    for (const [index, left] of this.#left) {
      const less = catalog.mostCapacity(index, before) - catalog.mostCapacity(index, after)
      if (less === 0) continue
      this.#left.set(index, left + less)
      this.#version += 1
    }
  }

  /** The variants whose capacity the limits still allow (P-LIM-03). */
  available(catalog: Catalog, variants: Bitset): Bitset {
    if (!this.isLimited) return variants
    if (this.#availableVersion === this.#version) return this.#available
    const available = variants.slice()
    for (const [index, left] of this.#left) intersectInto(available, catalog.withinCapacity(index, left))
    this.#available = available
    this.#availableVersion = this.#version
    return available
  }
}

const oneNode = '1' as Parameters<ResourceColumns['amount']>[1]
