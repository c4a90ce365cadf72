import { compareText } from '../internal/index.ts'
import { Quantity, type ResourceList } from '../quantity/index.ts'

// Coarse to fine; the first that divides every amount of a resource becomes its unit.
const units = [1_000_000_000n, 1_000_000n, 1_000n, 1n]
// Amounts saturate here, so that a sum of two is still exact. In bytes: four petabytes.
const largest = 2 ** 52

/**
 * Resources as columns of plain numbers.
 *
 * Every resource name of a pass gets an index and a unit in which all its amounts are whole, so that sums and
 * comparisons of doubles are exact. Observe every list first, then ask for vectors.
 *
 * An amount beyond 2^52 units counts as 2^52 units: it still exceeds every machine.
 */
export class ResourceColumns {
  readonly names: Array<string> = []
  readonly #indexes = new Map<string, number>()
  readonly #unitIndexes: Array<number> = []
  readonly #formats: Array<ReturnType<typeof Quantity.formatOf>> = []
  readonly #amounts: Array<Map<string, number>> = []
  readonly #observed: Array<Set<string>> = []
  #sorted: ReadonlyArray<number> = []

  observe(list: ResourceList): void {
    for (const name of Object.keys(list)) {
      const quantity = list[name]
      if (quantity === undefined) continue
      const index = this.#indexOf(name)
      const observed = this.#observed[index]!
      if (observed.has(quantity)) continue
      observed.add(quantity)
      const nano = Quantity.toNano(quantity)
      if (Quantity.formatOf(quantity) === 'BinarySI') this.#formats[index] = 'BinarySI'
      while (nano % units[this.#unitIndexes[index]!]! !== 0n) this.#unitIndexes[index]! += 1
    }
  }

  get count(): number {
    return this.names.length
  }

  index(name: string): number | undefined {
    return this.#indexes.get(name)
  }

  /** The list as a row; resources that it does not name are 0. */
  vector(list: ResourceList): Float64Array {
    const row = new Float64Array(this.names.length)
    for (const name of Object.keys(list)) {
      const index = this.#indexes.get(name)
      const quantity = list[name]
      if (index !== undefined && quantity !== undefined) row[index] = this.amount(index, quantity)
    }
    return row
  }

  /** One amount in the unit of its column. */
  amount(index: number, quantity: Quantity): number {
    const amounts = this.#amounts[index]!
    const known = amounts.get(quantity)
    if (known !== undefined) return known
    const amount = Number(Quantity.toNano(quantity) / units[this.#unitIndexes[index]!]!)
    const bounded = Math.max(-largest, Math.min(largest, amount))
    amounts.set(quantity, bounded)
    return bounded
  }

  quantity(index: number, amount: number): Quantity {
    return Quantity.fromNano(BigInt(amount) * units[this.#unitIndexes[index]!]!, this.#formats[index]!)
  }

  /** Columns by name: the order in which they were observed is that of the input, and must not show. */
  get #inOrder(): ReadonlyArray<number> {
    if (this.#sorted.length !== this.names.length)
      this.#sorted = [...this.names.keys()].sort((a, b) => compareText(this.names[a]!, this.names[b]!))
    return this.#sorted
  }

  /** The row as a list in the order of the names, without the resources of amount 0. */
  list(row: Float64Array): ResourceList {
    const list = Object.create(null) as Record<string, Quantity>
    for (const index of this.#inOrder) {
      if (row[index] !== 0) list[this.names[index]!] = this.quantity(index, row[index]!)
    }
    return list
  }

  #indexOf(name: string): number {
    const known = this.#indexes.get(name)
    if (known !== undefined) return known
    const index = this.names.push(name) - 1
    this.#indexes.set(name, index)
    this.#unitIndexes.push(0)
    this.#formats.push('DecimalSI')
    this.#amounts.push(new Map())
    this.#observed.push(new Set())
    return index
  }
}
