import { compareNumber, compareText, type Steps } from '../../internal/index.ts'
import type { SimulationTerms } from '../../scheduling/index.ts'
import { poolTotals } from '../balanced.ts'
import type { CandidateState } from '../candidate.ts'
import { recentMove } from '../churn.ts'
import { blockedNode, Pass, Spending } from '../pass.ts'
import type { BlockedNode, ForgoneSaving, PoolTotals, SearchProgress } from '../plan.ts'
import { afterConsolidation } from './after.ts'
import { alone, inTurns } from './alone.ts'
import { savingsOf, type Consolidation } from './consolidate.ts'
import { consolidatable } from './eligibility.ts'
import { longestPrefix, together, withinBudgets } from './together.ts'

/** How far a search past prefixes goes: sets of nodes that it looks at, and pods that it places in all of them. */
interface Bounds {
  readonly mostLooks: number
  readonly mostPods: number
}

interface SearchOptions {
  readonly bounds: Bounds
  /** The nodes that are looked at alone; absent: all. */
  readonly aloneOnly?: ReadonlySet<string>
}
const wholeSearch: Bounds = { mostLooks: 400, mostPods: 30_000 }
const searchOfFollowUp: Bounds = { mostLooks: 100, mostPods: 5_000 }
/** The smallest share of what nodes cost that each of their replacements may cost. */
const mostParts = 64
/** Commands that are looked at for what would follow them. */
const mostFollowUps = 12
/** Of these, those of the most that can be saved; then come commands with one replacement, which are likelier to last. */
const mostOfBest = 6

/** What `first-fit` found for both methods of consolidation. */
export interface Search {
  /** What saves most. */
  readonly chosen: Consolidation | undefined
  /** The nodes that can go alone, by name. */
  readonly singles: ReadonlyMap<string, Consolidation>
  /** Why the others cannot go alone. */
  readonly blocked: ReadonlyArray<BlockedNode>
  readonly forgone: ReadonlyArray<ForgoneSaving>
  readonly progress: SearchProgress | undefined
  /** By NodePool. */
  readonly totals: ReadonlyMap<string, PoolTotals>
}

/**
 * The consolidation that saves most, of one node or of several. W-01, W-04.
 *
 * Every node is looked at alone. For several, the reference's search over prefixes comes first, so that no less is saved
 * than it would save. One node near the front that cannot go fails every prefix; so the search goes on with sets that
 * grow from the best prefix and from nothing, in chunks that double while they can go and halve while they cannot. Sets
 * that would be replaced are then packed again into smaller nodes, which are filled better: n nodes by m.
 *
 * Bounded by sets looked at and by pods placed; the answer does not depend on how long anything takes.
 */
export function* searched(pass: Pass): Steps<Search> {
  let found = searches.get(pass)
  if (found === undefined) searches.set(pass, (found = yield* search(pass, { bounds: wholeSearch })))
  return found
}

// Both methods of consolidation ask.
const searches = new WeakMap<Pass, Search>()

function* search(pass: Pass, { bounds, aloneOnly }: SearchOptions): Steps<Search> {
  const { candidates } = yield* consolidatable(pass)
  const totals = poolTotals((yield* pass.sorted('graceful')).candidates, pass.snapshot)
  const looks = new Looks(pass, totals, bounds)
  const forgone: Array<ForgoneSaving> = []
  const blocked: Array<BlockedNode> = []
  const singles = new Map<string, Consolidation>()
  const stuck = new Set<CandidateState>()
  const moved = new Set<CandidateState>()
  const spending = new Spending(pass.allowances('Underutilized'))
  const packed: Array<CandidateState> = []
  for (const one of inTurns(candidates)) {
    if (aloneOnly?.has(one.state.name) === false) continue
    const found = yield* alone(one, { pass, spending, totals })
    const recent = recentMove(one, pass)
    if (recent !== undefined) moved.add(one)
    if ('_tag' in found) {
      blocked.push(blockedNode(one, found))
      if (found._tag === 'PodsWithoutPlace' || found._tag === 'NeedsUninitializedNode') stuck.add(one)
      if (found._tag === 'NotCheaper' || found._tag === 'NeedsSeveralNodes') packed.push(one)
    } else if (recent !== undefined) {
      blocked.push(blockedNode(one, recent))
      forgone.push({ nodes: [one.state.name], savingsPerHour: savedBy(found), rule: 'RecentlyMoved' })
    } else singles.set(one.state.name, found)
  }
  const proposals = [...singles.values()]
  if (pass.methods.includes('multi-node-consolidation')) {
    const ordered = withinBudgets(
      candidates.filter((one) => !moved.has(one)),
      pass,
    )
    const found = yield* prefixes(ordered, pass, totals)
    proposals.push(...found, ...(yield* looks.past(found.sort(mostSavedFirst)[0], ordered, { stuck, singles })))
  }
  if (pass.methods.includes('single-node-consolidation')) {
    for (const one of [...singles.values()].filter(({ replacements }) => replacements.length > 0))
      proposals.push(...(yield* looks.repacked(one.moved)))
    for (const one of packed) if (!moved.has(one)) proposals.push(...(yield* looks.repacked([one])))
  }
  const isAsked = ({ moved: { length } }: Consolidation) =>
    pass.methods.includes(length > 1 ? 'multi-node-consolidation' : 'single-node-consolidation')
  const best = distinct(proposals.filter(isAsked).sort(mostSavedFirst))
  const isFollowUp = aloneOnly !== undefined
  const chosen = pass.avoidsChurn && !isFollowUp ? yield* lasting(best, { pass, looks, forgone, blocked }) : best[0]
  const isMulti = pass.methods.includes('multi-node-consolidation')
  return { chosen, singles, blocked, forgone, totals, progress: isMulti ? looks.progress : undefined }
}

/**
 * The prefix that the reference would take, and the one that it would if it bought several new nodes.
 *
 * A longer prefix may save less, and one that needs several leads the search elsewhere: neither alone is as good as both.
 */
function* prefixes(
  ordered: ReadonlyArray<CandidateState>,
  pass: Pass,
  totals: ReadonlyMap<string, PoolTotals>,
): Steps<Array<Consolidation>> {
  const known = new Map<number, Consolidation | undefined>()
  function* look(moved: ReadonlyArray<CandidateState>): Steps<Consolidation | undefined> {
    if (!known.has(moved.length)) known.set(moved.length, yield* together(moved, pass, totals))
    return known.get(moved.length)
  }
  function* lookForOne(moved: ReadonlyArray<CandidateState>): Steps<Consolidation | undefined> {
    const found = yield* look(moved)
    return found === undefined || found.replacements.length > 1 ? undefined : found
  }
  const found = [yield* longestPrefix(ordered, lookForOne), yield* longestPrefix(ordered, look)]
  return found.filter((one) => one !== undefined)
}

// To the billionth: sums of prices that are equal differ in their last digits, and no node is to go for that.
const savedBy = (one: Consolidation): number => Math.round(savingsOf(one) * 1e9) / 1e9

// Among equals the one that moves the least.
const mostSavedFirst = (a: Consolidation, b: Consolidation): number =>
  compareNumber(savedBy(b), savedBy(a)) ||
  compareNumber(a.moved.length, b.moved.length) ||
  compareNumber(typesOf(b), typesOf(a)) ||
  compareText(namesOf(a).join(), namesOf(b).join())

const typesOf = ({ replacements }: Consolidation): number =>
  replacements.reduce((sum, { offer }) => sum + offer.types.length, 0)

// The same nodes for the same launches, however they were come by; those that leave more types stand first.
const distinct = (sorted: ReadonlyArray<Consolidation>): ReadonlyArray<Consolidation> => {
  const seen = new Set<string>()
  return sorted.filter((one) => {
    const launches = one.replacements.map(({ node, offer }) => `${node.nodePool.name} ${offer.names[0]} ${node.pods}`)
    const key = JSON.stringify([namesOf(one).toSorted(compareText), launches])
    return !seen.has(key) && seen.add(key)
  })
}

const namesOf = ({ moved }: Consolidation): ReadonlyArray<string> => moved.map(({ state }) => state.name)

/** Looks at sets of nodes, and counts them. */
class Looks {
  readonly #pass: Pass
  readonly #totals: ReadonlyMap<string, PoolTotals>
  readonly #bounds: Bounds
  #looks = 0
  #pods = 0
  #isCutOff = false

  constructor(pass: Pass, totals: ReadonlyMap<string, PoolTotals>, bounds: Bounds) {
    this.#bounds = bounds
    this.#pass = pass
    this.#totals = totals
  }

  get progress(): SearchProgress {
    return { looks: this.#looks, pods: this.#pods, isComplete: !this.#isCutOff, ...this.#bounds }
  }

  /** How a set can be done without; `undefined` also where the search has come to its end. */
  *at(moved: ReadonlyArray<CandidateState>, terms: SimulationTerms = {}): Steps<Consolidation | undefined> {
    const { mostLooks, mostPods } = this.#bounds
    if (this.#looks === mostLooks || this.#pods >= mostPods) {
      this.#isCutOff = true
      return undefined
    }
    this.#looks += 1
    const before = this.#pass.podsPlaced
    const found = yield* together(moved, this.#pass, this.#totals, terms)
    this.#pods += this.#pass.podsPlaced - before
    return found
  }

  /** Sets that save, from the best prefix on. */
  *past(
    prefix: Consolidation | undefined,
    ordered: ReadonlyArray<CandidateState>,
    known: { readonly stuck: ReadonlySet<CandidateState>; readonly singles: ReadonlyMap<string, Consolidation> },
  ): Steps<ReadonlyArray<Consolidation>> {
    const movable = ordered.filter((one) => !known.stuck.has(one))
    // Nodes that can go alone without replacement are the likeliest to go together.
    const isFree = ({ state }: CandidateState) => known.singles.get(state.name)?.replacements.length === 0
    const freeFirst = [...movable.filter(isFree), ...movable.filter((one) => !isFree(one))]
    const found: Array<Consolidation> = prefix === undefined ? [] : [prefix]
    for (const [start, order] of [
      [prefix, movable],
      [undefined, freeFirst],
    ] as const) {
      const grown = yield* this.#grown(start, order)
      if (grown !== undefined) found.push(grown)
    }
    const sets = [...found.map(({ moved }) => moved), ...firsts(movable)]
    for (const set of sets) found.push(...(yield* this.repacked(set)))
    return found.filter(({ moved }) => moved.length > 1)
  }

  /** The same nodes replaced by nodes that are no dearer than they together, than a half of them, a quarter, and so on. */
  *repacked(moved: ReadonlyArray<CandidateState>): Steps<ReadonlyArray<Consolidation>> {
    const pricePerHour = moved.reduce((sum, { candidate }) => sum + candidate.pricePerHour, 0)
    const found: Array<Consolidation> = []
    for (let parts = 1; parts <= mostParts; parts *= 2) {
      const one = yield* this.at(moved, { mostPricePerHour: pricePerHour / parts })
      if (one !== undefined) found.push(one)
      // Smaller ones yet would be more again.
      else if (found.length > 0) break
    }
    return found
  }

  *#grown(start: Consolidation | undefined, order: ReadonlyArray<CandidateState>): Steps<Consolidation | undefined> {
    let best = start
    const taken = new Set(start?.moved)
    const rest = order.filter((one) => !taken.has(one))
    let at = 0
    // One node alone is known already.
    let size = start === undefined ? 2 : 1
    while (at < rest.length) {
      const base = best?.moved ?? []
      const chunk = rest.slice(at, at + size)
      const found: Consolidation | undefined = yield* this.at([...base, ...chunk])
      if (this.#isCutOff) break
      const isBetter = found !== undefined && savedBy(found) > (best === undefined ? 0 : savedBy(best))
      if (isBetter) {
        best = found
        at += size
        size *= 2
      } else if (size > (base.length === 0 ? 2 : 1)) size = size >>> 1
      else at += 1
    }
    return best
  }
}

// Some of the most rewarding nodes, twice as many each time.
const firsts = (ordered: ReadonlyArray<CandidateState>): ReadonlyArray<ReadonlyArray<CandidateState>> => {
  const sets: Array<ReadonlyArray<CandidateState>> = []
  for (let size = 2; size <= Math.min(ordered.length, 64); size *= 2) sets.push(ordered.slice(0, size))
  return sets
}

const likeliestToLast = (proposals: ReadonlyArray<Consolidation>): ReadonlyArray<Consolidation> => {
  const rest = proposals.slice(mostOfBest)
  const isPlain = ({ replacements }: Consolidation) => replacements.length <= 1
  return [...proposals.slice(0, mostOfBest), ...rest.filter(isPlain), ...rest.filter((one) => !isPlain(one))]
}

/**
 * The first of the proposals whose replacements would not go again at once.
 *
 * Where one would, together with other nodes, these go in the same command if they can; else the proposal is forgone.
 */
function* lasting(
  proposals: ReadonlyArray<Consolidation>,
  {
    pass,
    looks,
    forgone,
    blocked,
  }: {
    readonly pass: Pass
    readonly looks: Looks
    readonly forgone: Array<ForgoneSaving>
    readonly blocked: Array<BlockedNode>
  },
): Steps<Consolidation | undefined> {
  let followUps = 0
  let refused: Consolidation | undefined
  let found: Consolidation | undefined
  for (const proposal of likeliestToLast(proposals)) {
    let candidate = proposal
    for (;;) {
      if (candidate.replacements.length === 0) found = candidate
      // Without a look at what follows, nothing with a replacement is proposed.
      if (found !== undefined || followUps === mostFollowUps) break
      followUps += 1
      const following = yield* followUp(candidate, pass)
      if (following === undefined) {
        found = candidate
        break
      }
      const all = [...candidate.moved, ...following]
      const isRecent = following.some((one) => recentMove(one, pass) !== undefined)
      const mayGo = following.length > 0 && !isRecent && withinBudgets(all, pass).length === all.length
      const again = mayGo ? [yield* looks.at(all), ...(yield* looks.repacked(all))] : []
      const [joined] = again.filter((one) => one !== undefined).sort(mostSavedFirst)
      if (joined === undefined || savedBy(joined) <= savedBy(candidate)) break
      candidate = joined
    }
    if (found !== undefined) break
    refused ??= proposal
    const [first, ...rest] = namesOf(proposal)
    if (first === undefined) continue
    const reason = { _tag: 'ReplacementWouldGo', nodes: [first, ...rest] } as const
    for (const one of proposal.moved) blocked.push(blockedNode(one, reason))
  }
  // One command is made in a pass, so what is forgone is what the best would have saved beyond it.
  const [first, ...rest] = refused === undefined ? [] : namesOf(refused)
  if (refused !== undefined && first !== undefined) {
    const savingsPerHour = savedBy(refused) - (found === undefined ? 0 : savedBy(found))
    if (savingsPerHour > 0) forgone.push({ nodes: [first, ...rest], savingsPerHour, rule: 'ReplacementWouldGo' })
  }
  return found
}

/**
 * What would go at once with a replacement, were the consolidation carried out: the nodes beside the replacements, none
 * where a replacement could go alone; `undefined`: the replacements would stay.
 *
 * The planner is asked about the cluster as it would be then, and not what would follow in turn.
 */
function* followUp(consolidation: Consolidation, pass: Pass): Steps<ReadonlyArray<CandidateState> | undefined> {
  const { snapshot, replacements } = afterConsolidation(consolidation, pass.snapshot)
  const later = new Pass(snapshot, {
    strategy: pass.strategy,
    methods: ['multi-node-consolidation', 'single-node-consolidation'],
  })
  const { chosen, singles } = yield* search(later, { bounds: searchOfFollowUp, aloneOnly: replacements })
  if ([...replacements].some((name) => singles.has(name))) return []
  const names = new Set(chosen?.moved.map(({ state }) => state.name))
  if (![...replacements].some((name) => names.has(name))) return undefined
  const { candidates } = yield* pass.sorted('graceful')
  return candidates.filter(({ state }) => names.has(state.name))
}
