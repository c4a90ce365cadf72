import { compareText } from '../internal/index.ts'
import { Requirement } from '../requirements/index.ts'
import type { RequirementSet } from './requirement-table.ts'

/** The domains of one topology key that a requirement set admits. */
export interface DomainView {
  /** By name, so that the first of equals is the same in every run. */
  readonly members: ReadonlyArray<number>
  /** Indexed by domain; beyond its end, absent. */
  readonly has: ReadonlyArray<boolean>
}

/**
 * The values that a topology key takes, interned.
 *
 * Values are added as they are met; a set's view of them is remembered until one is added.
 */
export class DomainSpace {
  readonly key: string
  readonly names: Array<string> = []
  readonly #indexes = new Map<string, number>()
  readonly #views = new Map<number, { readonly size: number; readonly view: DomainView }>()
  readonly #recorded = new Map<number, ReadonlyArray<number>>()

  constructor(key: string) {
    this.key = key
  }

  index(name: string): number {
    const known = this.#indexes.get(name)
    if (known !== undefined) return known
    this.#indexes.set(name, this.names.length)
    return this.names.push(name) - 1
  }

  /** The domains that the set's requirement on this key admits; all of them where it has none. */
  view(set: RequirementSet): DomainView {
    const known = this.#views.get(set.id)
    if (known !== undefined && known.size === this.names.length) return known.view
    const requirement = set.byKey.get(this.key)
    if (requirement !== undefined && !requirement.complement) for (const value of requirement.values) this.index(value)
    const has = this.names.map((name) => requirement === undefined || Requirement.has(requirement, name))
    const members = [...has.keys()]
      .filter((domain) => has[domain])
      .sort((a, b) => compareText(this.names[a] ?? '', this.names[b] ?? ''))
    const view = { members, has }
    this.#views.set(set.id, { size: this.names.length, view })
    return view
  }

  /** The values listed in the set's requirement on this key, excluded ones of a complement included (P-REQ-14). */
  listed(set: RequirementSet): ReadonlyArray<number> {
    const known = this.#recorded.get(set.id)
    if (known !== undefined) return known
    const requirement = set.byKey.get(this.key)
    const listed = requirement === undefined ? [] : [...requirement.values].map((value) => this.index(value))
    this.#recorded.set(set.id, listed)
    return listed
  }
}
