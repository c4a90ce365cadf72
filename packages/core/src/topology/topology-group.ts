import { invariant } from '../internal/index.ts'
import type { Selector } from '../labels/index.ts'
import { Labels } from '../labels/index.ts'
import type { DomainSpace, DomainView } from './domains.ts'
import type { NodeFilter } from './node-filter.ts'

export type TopologyKind = 'spread' | 'affinity' | 'anti-affinity'

/** Which pods a term is about. */
export interface PodSelection {
  readonly namespaces: ReadonlySet<string>
  readonly selector: Selector
}

/** What identifies a group and how it counts. */
export interface TopologyRule extends PodSelection {
  readonly kind: TopologyKind
  readonly space: DomainSpace
  readonly isHost: boolean
  /** Further terms that a pod must meet to count. */
  readonly alsoSelecting?: ReadonlyArray<PodSelection>
  readonly maxSkew: number
  readonly minDomains?: number
  /** Whether no node could be bought for the pod, so that only hosts that exist make up the minimum of a spread over them. */
  readonly hasNoNewHosts?: boolean
  /** Whether affinity is unmet, not new, where its pods run only where this pod may not go. */
  readonly startsOnce?: boolean
  /** Absent: every node counts. */
  readonly filter?: NodeFilter
}

// The largest 32-bit integer, the reference's "no domain at all" in P-TSC-03.
const noDomain = 2 ** 31 - 1
const unknown = -1

/** Changes of counts, so that a simulation can be taken back. Nothing is written down while `entries` is absent. */
export interface Journal {
  entries: Array<JournalEntry> | undefined
}

interface JournalEntry {
  readonly group: TopologyGroup
  readonly domain: number
  readonly count: number
  readonly sources: number
}

/** Takes back what the journal holds, last first, and stops writing. */
export const rollBack = (journal: Journal): void => {
  const { entries = [] } = journal
  journal.entries = undefined
  for (let at = entries.length - 1; at >= 0; at -= 1) {
    const { group, domain, count, sources } = entries[at]!
    group.restore(domain, count, sources)
  }
}

/**
 * Pods counted by topology domain, shared by all pods whose constraint has the same identity (P-TOP-01).
 *
 * A domain is unknown until something vouches for it: a NodePool or node that could hold pods there, or a pod that is
 * counted. Counts only grow within a pass; a simulation lowers them for pods that it takes away, before it places any.
 * `version` grows with every change.
 */
export class TopologyGroup {
  readonly rule: TopologyRule
  version = 0
  /** Domains that count at least one pod. */
  #occupied = 0
  readonly #counts: Array<number> = []
  /** By domain, the NodePools and nodes that vouch for it; absent: none. */
  readonly #sources: Array<number | undefined> = []
  readonly #journal: Journal
  #minimum = { version: -1, view: undefined as DomainView | undefined, value: 0 }

  constructor(rule: TopologyRule, journal: Journal = { entries: undefined }) {
    this.rule = rule
    this.#journal = journal
  }

  selects(namespace: string, labels: Labels): boolean {
    return isSelected(this.rule, namespace, labels) && this.selectsFurther(namespace, labels)
  }

  /** Whether a pod meets the terms that stand beside the group's own. */
  selectsFurther(namespace: string, labels: Labels): boolean {
    return this.rule.alsoSelecting?.every((one) => isSelected(one, namespace, labels)) ?? true
  }

  /** Makes a domain known, with no pods if it was not, on the word of one more NodePool or node. */
  register(domain: number): void {
    const count = this.#raw(domain)
    this.#set(domain, count === unknown ? 0 : count, (this.#sources[domain] ?? 0) + 1)
  }

  /** Counts one more pod in a domain. */
  record(domain: number): void {
    this.#set(domain, Math.max(0, this.#raw(domain)) + 1, this.#sources[domain] ?? 0)
  }

  /** Takes a node's word for a domain and its pods there away; what nothing vouches for any more is unknown again. */
  withdraw(domain: number, gone: { readonly nodes: number; readonly pods: number }): void {
    const sources = (this.#sources[domain] ?? 0) - gone.nodes
    const count = Math.max(0, this.#raw(domain)) - gone.pods
    invariant(sources >= 0 && count >= 0, 'only what was counted is taken away')
    this.#set(domain, count === 0 && sources === 0 ? unknown : count, sources)
  }

  /** Puts a domain back as it was. */
  restore(domain: number, count: number, sources: number): void {
    this.#set(domain, count, sources)
  }

  #raw(domain: number): number {
    return this.#counts[domain] ?? unknown
  }

  #set(domain: number, count: number, sources: number): void {
    const before = this.#raw(domain)
    this.#journal.entries?.push({ group: this, domain, count: before, sources: this.#sources[domain] ?? 0 })
    this.#sources[domain] = sources
    if (before === count) return
    while (this.#counts.length <= domain) this.#counts.push(unknown)
    if (before > 0 !== count > 0) this.#occupied += count > 0 ? 1 : -1
    this.#counts[domain] = count
    this.version += 1
  }

  /** Pods in a domain; 0 where it is unknown. */
  count(domain: number): number {
    const count = this.#counts[domain]
    return count === undefined || count === unknown ? 0 : count
  }

  isKnown(domain: number): boolean {
    const count = this.#counts[domain]
    return count !== undefined && count !== unknown
  }

  /** Domains by index with their counts, known ones only. */
  known(): ReadonlyArray<{ readonly domain: string; readonly pods: number }> {
    return this.#counts.flatMap((pods, domain) =>
      pods === unknown ? [] : [{ domain: this.rule.space.names[domain] ?? '', pods }],
    )
  }

  /** Whether a node with this one hostname satisfies the constraint (P-TSC-05, P-AFF-05, P-AFF-06). */
  admitsHost(host: number, isSelf: boolean, podAllowsHost: boolean, podView: DomainView | undefined): boolean {
    const count = this.count(host)
    switch (this.rule.kind) {
      case 'spread':
        return count + (isSelf ? 1 : 0) - this.#leastOnHosts(podView) <= this.rule.maxSkew
      case 'affinity':
        return podAllowsHost && (count > 0 || (isSelf && !this.#isAnywhere(podView)))
      case 'anti-affinity':
        return count === 0
    }
  }

  /**
   * The domains that a node may be in for the pod, out of `node`; empty where there is none.
   *
   * A spread returns one domain: the least loaded viable one, by name among equals (P-TSC-04). Affinity returns those
   * that hold a pod, or one to start with (P-AFF-03, P-AFF-04). Anti-affinity returns the empty ones (P-AFF-06).
   * `pod` is what the pod's own strict requirements admit; `undefined` is everything.
   *
   * Cost: O(domains in `node`).
   */
  choose(isSelf: boolean, pod: DomainView | undefined, node: DomainView): ReadonlyArray<number> {
    switch (this.rule.kind) {
      case 'spread':
        return this.#chooseSpread(isSelf, pod, node)
      case 'affinity':
        return this.#chooseAffinity(isSelf, pod, node)
      case 'anti-affinity':
        return node.members.filter((domain) => this.#counts[domain] === 0 && allows(pod, domain))
    }
  }

  #chooseSpread(isSelf: boolean, pod: DomainView | undefined, node: DomainView): ReadonlyArray<number> {
    const least = this.#leastCount(pod)
    const own = isSelf ? 1 : 0
    let best = unknown
    let bestCount = 0
    for (const domain of node.members) {
      const count = this.#counts[domain]
      if (count === undefined || count === unknown || count + own - least > this.rule.maxSkew) continue
      if (best === unknown || count < bestCount) {
        best = domain
        bestCount = count
      }
    }
    return best === unknown ? [] : [best]
  }

  // A new host would be empty.
  #leastOnHosts(pod: DomainView | undefined): number {
    return this.rule.hasNoNewHosts === true ? this.#leastCount(pod) : 0
  }

  #leastCount(pod: DomainView | undefined): number {
    if (this.#minimum.version === this.version && this.#minimum.view === pod) return this.#minimum.value
    let least = noDomain
    let supported = 0
    for (let domain = 0; domain < this.#counts.length; domain += 1) {
      const count = this.#counts[domain]!
      if (count === unknown || !allows(pod, domain)) continue
      supported += 1
      if (count < least) least = count
    }
    if (this.rule.minDomains !== undefined && supported < this.rule.minDomains) least = 0
    this.#minimum = { version: this.version, view: pod, value: least }
    return least
  }

  #chooseAffinity(isSelf: boolean, pod: DomainView | undefined, node: DomainView): ReadonlyArray<number> {
    const populated = node.members.filter((domain) => this.count(domain) > 0 && allows(pod, domain))
    if (populated.length > 0 || !isSelf || this.#isAnywhere(pod)) return populated
    const start = node.members.find((domain) => this.isKnown(domain) && allows(pod, domain))
    if (start !== undefined) return [start]
    // No domain suits both: the reference still names one for the pod, which the node then cannot meet.
    const elsewhere = this.#counts.findIndex((count, domain) => count !== unknown && allows(pod, domain))
    return elsewhere < 0 ? [] : [elsewhere]
  }

  // Whether some pod is counted where this pod could follow. Where none is, the first may start anywhere.
  #isAnywhere(pod: DomainView | undefined): boolean {
    if (this.#occupied === 0) return false
    return (
      pod === undefined ||
      this.rule.startsOnce === true ||
      this.#counts.some((count, domain) => count > 0 && allows(pod, domain))
    )
  }
}

const isSelected = ({ namespaces, selector }: PodSelection, namespace: string, labels: Labels): boolean =>
  namespaces.has(namespace) && Labels.matches(selector, labels)

const allows = (view: DomainView | undefined, domain: number): boolean =>
  view === undefined || view.has[domain] === true
