import type { Pod } from '../cluster/index.ts'
import { emptyBitset, hasBit, intersectInto, isEmptyBitset, uniteInto, type Bitset } from '../internal/index.ts'
import { labelKeys } from '../labels/index.ts'
import { Requirement } from '../requirements/index.ts'
import { Taints } from '../taints/index.ts'
import type { Demand, RequirementSet, RequirementTable, Topology } from '../topology/index.ts'
import { Claim } from './claim.ts'
import { attach, attachedCount, isWithinAttachLimits, type ExistingNode } from './existing-node.ts'
import { anyPortClashes } from './host-ports.ts'
import { lowered, unmetMinValues } from './min-values.ts'
import {
  countingGroups,
  defines,
  stageAt,
  untrackedStage,
  type PodClass,
  type PodShape,
  type Stage,
  type StageContext,
} from './pod-class.ts'
import type { Reservations } from './reservations.ts'
import type { Template } from './template.ts'
import { failedHostBinding, narrowByTopology, type Site } from './topology-check.ts'
import { type PodVolumes } from './volume-topology.ts'

/** How an attempt to place a pod ended. */
export type Outcome = 'placed' | 'failed' | 'reserved' | 'devices'

/** Why a claim cannot take a pod; `reserved` defers the pod, the others do not. */
export type ClaimFailure =
  'room' | 'taints' | 'requirements' | 'volume limits' | 'volume places' | 'topology' | 'types' | 'reserved'

/** Everything a pass packs with; made by `compile`. */
export interface Problem {
  readonly table: RequirementTable
  readonly topology: Topology
  readonly pods: ReadonlyArray<Pod>
  readonly classOf: ReadonlyArray<PodClass>
  readonly classes: ReadonlyArray<PodClass>
  readonly nodes: ReadonlyArray<ExistingNode>
  readonly templates: ReadonlyArray<Template>
  readonly reservations: Reservations
  readonly stages: StageContext
  readonly settings: PackerSettings
  /** Set in simulations, whose state is put back: the nodes with room for a class at first, found once for all of them. */
  readonly openNodes?: (podClass: PodClass, stage: Stage) => Array<number>
  /** Set in simulations: by template, the types that may be launched. */
  readonly ceilings?: ReadonlyArray<Bitset> | undefined
}

export interface PackerSettings {
  readonly reservesCapacity: boolean
  readonly defersForReservations: boolean
  readonly relaxesMinValues: boolean
  /** Whether pods that contradict themselves fit nowhere; the reference lets them go where the label is missing (W16). */
  readonly refusesContradictions: boolean
  /** Whether alternatives that were given up come back without preferences; the reference never tries that (W15). */
  readonly revisitsAlternatives: boolean
  /** Whether claims opened in the pass count towards a limit on nodes; the reference forgets them (W23). */
  readonly countsOpenedNodes: boolean
  /** Whether a claim that can no longer become its largest type gives back the difference; the reference keeps it (W8). */
  readonly givesBackLimits: boolean
  /** Whether placeholder pods of capacity buffers wait for all others; the reference goes by size alone (W32). */
  readonly placesBuffersLast: boolean
  /** Whether topology is read as the scheduler reads it where the reference reads it otherwise. */
  readonly readsAsScheduler: boolean
  /** The most places of a pod's volumes that are tried; the reference tries all (W42). */
  readonly mostVolumePlaces: number
}

const newSite: Site = { hostname: 'hostname-placeholder', host: -1 }

// What a class remembers about candidates at one stage of relaxation.
interface ClassMemory {
  /** By claim: `never`, or one more than the version at which the class failed there; 0: not known to fail. */
  failedClaims: Int32Array
  /** Nodes that may still take the class, by index; the others never will. */
  nodes: Array<number> | undefined
  /** Sum of the versions of the topology groups on which failures depend. */
  topologyStamp: number
}

const never = -1
const startingClaims = 64

/**
 * Places pods one at a time: on existing nodes, then on claims opened in this pass, then on a new claim (P-QUE-05).
 *
 * The first candidate that accepts wins. Equal pods ask equal questions, so answers are remembered per class: what
 * cannot change within the pass for good, the rest until the candidate or a topology count changes.
 */
export class Packer {
  readonly #problem: Problem
  readonly claims: Array<Claim> = []
  /** Claims as they are tried: fewest pods first, and among equals in the order a stable sort leaves (P-INF-02). */
  #order: Int32Array = new Int32Array(startingClaims)
  /** By claim, one more than its version; as long as `#order`. */
  #versions: Int32Array = new Int32Array(startingClaims)
  /** By template, the claim that would be opened next. */
  readonly #blanks: Array<Claim | undefined> = []
  /** Pods that had a constraint relaxed in some attempt. */
  readonly relaxed = new Set<number>()
  readonly #memories: Array<Array<ClassMemory | undefined> | undefined> = []
  /** Arrays of memories that are no longer needed, cleared. */
  readonly #spareMarks: Array<Int32Array> = []
  readonly #podsLeft: Array<number>
  // Outcome of the last failed attempt of each class, and how many pods had been placed by then.
  readonly #failures: Array<{ readonly placed: number; readonly outcome: Outcome } | undefined> = []
  readonly #tracked = new Set<number>()
  // What a simulation puts back: nodes as they were, and stages that remember claims of this packer.
  readonly #before = new Map<ExistingNode, NodeBefore>()
  readonly #closing = new Set<Stage>()
  #placed = 0
  // Where the last successful check left its answer.
  #set: RequirementSet
  #variants: Bitset = new Uint32Array(0)
  #reserved: ReadonlySet<string> = new Set()
  #hasRelaxedMinValues = false
  // Buffers of the check in progress.
  #left: Bitset = new Uint32Array(0)
  #members: Bitset = new Uint32Array(0)
  readonly #total: Float64Array

  /** `pods`: those that will be attempted; absent: all of the problem's. */
  constructor(problem: Problem, pods: Iterable<number> = problem.classOf.keys()) {
    this.#problem = problem
    this.#set = problem.table.empty
    this.#total = new Float64Array(problem.classes[0]?.requests.length ?? 0)
    this.#podsLeft = problem.classes.map(() => 0)
    for (const pod of pods) this.#podsLeft[problem.classOf[pod]!.index]! += 1
  }

  /** Nodes that got a pod, in a simulation. */
  usedNodes(): Iterable<ExistingNode> {
    return this.#before.keys()
  }

  /** Puts nodes and stages back as they were before the first pod; counts of topology, limits and reservations are not its. */
  putBack(): void {
    for (const [node, before] of this.#before) restore(node, before)
    for (const { closedClaims } of this.#closing) closedClaims.fill(0)
  }

  /** Tries to place one pod, relaxing it step by step while that may help (P-QUE-03, P-PRF-06). */
  attempt(pod: number): Outcome {
    const podClass = this.#problem.classOf[pod]!
    const { shape } = podClass
    if (shape.constraints.usesDynamicResources) return 'devices'
    const failure = this.#failures[podClass.index]
    if (failure !== undefined && failure.placed === this.#placed && !shape.volumes.isPlaceUnknown) {
      this.#noteRelaxed(pod, podClass)
      return failure.outcome
    }
    const outcome = this.#attempt(pod, podClass)
    if (outcome === 'placed') {
      this.#placed += 1
      this.#podsLeft[podClass.index]! -= 1
      if (this.#podsLeft[podClass.index] === 0) this.#forget(podClass)
    } else this.#failures[podClass.index] = { placed: this.#placed, outcome }
    return outcome
  }

  #attempt(pod: number, podClass: PodClass): Outcome {
    const { shape } = podClass
    const { stages } = this.#problem
    for (let position = 0; ; position += 1) {
      const stage = stageAt(shape, position, stages)
      if (stage === undefined) return 'failed'
      if (position > 0) this.relaxed.add(pod)
      const isUntracked = position === 0 && shape.volumes.isPlaceUnknown && !this.#tracked.has(pod)
      if (isUntracked) this.#tracked.add(pod)
      else if (stage.isRepeat) continue
      if (shape.volumes.isUnusable || shape.volumes.hasTooManyPlaces || stage.contradiction !== undefined) continue
      const outcome = isUntracked
        ? this.#tryStage(pod, podClass, untrackedStage(shape, stage), 0)
        : this.#tryStage(pod, podClass, stage, position + 1)
      if (outcome !== 'failed') return outcome
    }
  }

  // `slot` tells the memories of one class apart; 0 is for pods that topology does not know yet.
  #tryStage(pod: number, podClass: PodClass, stage: Stage, slot: number): Outcome {
    const memory = this.#memory(podClass, stage, slot)
    if (this.#addToExisting(pod, podClass, stage, memory)) return 'placed'
    if (this.#addToOpenClaim(pod, podClass, stage, memory)) return 'placed'
    return this.#addToNewClaim(pod, podClass, stage)
  }

  #noteRelaxed(pod: number, { shape }: PodClass): void {
    if (shape.stages.length > 1) this.relaxed.add(pod)
  }

  #memory(podClass: PodClass, stage: Stage, slot: number): ClassMemory {
    const memories = (this.#memories[podClass.index] ??= [])
    const memory = (memories[slot] ??= {
      failedClaims: this.#spareMarks.pop() ?? new Int32Array(this.#order.length),
      nodes: undefined,
      topologyStamp: 0,
    })
    memory.failedClaims = grown(memory.failedClaims, this.#order.length)
    let stamp = 0
    for (const { group } of stage.domainBindings) stamp += group.version
    if (stamp !== memory.topologyStamp) {
      memory.topologyStamp = stamp
      const { failedClaims } = memory
      for (let claim = 0; claim < this.claims.length; claim += 1) {
        if (failedClaims[claim] !== never) failedClaims[claim] = 0
      }
    }
    return memory
  }

  #forget({ index }: PodClass): void {
    for (const memory of this.#memories[index] ?? []) {
      if (memory !== undefined) this.#spareMarks.push(memory.failedClaims.fill(0))
    }
    this.#memories[index] = undefined
  }

  // --- existing nodes -------------------------------------------------------------------------------------------

  #addToExisting(pod: number, podClass: PodClass, stage: Stage, memory: ClassMemory): boolean {
    const { nodes } = this.#problem
    if (nodes.length === 0) return false
    const open = (memory.nodes ??= this.#problem.openNodes?.(podClass, stage) ?? openNodes(nodes, podClass, stage))
    let kept = 0
    let placed = false
    for (let at = 0; at < open.length; at += 1) {
      const index = open[at]!
      const node = nodes[index]!
      // Room only shrinks: a node that has too little is not looked at again.
      if (!placed && (node.isGone || !hasRoom(node, podClass))) continue
      open[kept] = index
      kept += 1
      if (!placed && this.#checkNode(node, podClass, stage)) {
        this.#placeOnNode(pod, node, podClass)
        placed = true
      }
    }
    open.length = kept
    return placed
  }

  #checkNode(node: ExistingNode, { shape }: PodClass, stage: Stage): boolean {
    const { table, topology, settings } = this.#problem
    // A pod that is content with a label's absence narrows the set, and the reference then takes the label for granted.
    if (settings.refusesContradictions && !table.isCompatible('present', node.own, stage.demand.set)) return false
    const base = table.combine('present', node.set, stage.demand.set)
    if (base === undefined || !stage.mustDefine.every((key) => defines(node.set, key))) return false
    if (stage.demand.host !== undefined && !Requirement.has(stage.demand.host, node.hostname)) return false
    if (stage.hostBindings.length > 0 && failedHostBinding(stage, node, topology) !== undefined) return false
    const { volumes, constraints } = shape
    if (volumes.attached.size > 0 || node.attachLimits.size > 0) {
      if (!isWithinAttachLimits(node.attached, volumes.attached, node.attachLimits)) return false
    }
    if (constraints.hostPorts.length > 0 && anyPortClashes(constraints.hostPorts, node.hostPorts)) return false
    const labels = settings.readsAsScheduler && node.isInitialized ? node.own : undefined
    for (const alternative of shape.alternatives) {
      if (alternative.host !== undefined && !Requirement.has(alternative.host, node.hostname)) continue
      const placed = table.combine('present', base, alternative.set)
      if (placed === undefined) continue
      const verdict = narrowByTopology(table, 'present', placed, stage, labels)
      if ('failed' in verdict) continue
      this.#set = verdict
      return true
    }
    return false
  }

  #placeOnNode(pod: number, node: ExistingNode, podClass: PodClass): void {
    const { shape, requests } = podClass
    if (this.#problem.openNodes !== undefined && !this.#before.has(node)) this.#before.set(node, stateOf(node))
    node.pods.push(pod)
    node.set = this.#set
    for (let index = 0; index < requests.length; index += 1) node.remaining[index]! -= requests[index]!
    node.hostPorts.push(...shape.constraints.hostPorts)
    for (const [driver, claims] of shape.volumes.attached) attach(node.attached, driver, claims)
    this.#record(shape, this.#set, node.taints, node)
  }

  // --- claims ---------------------------------------------------------------------------------------------------

  #addToOpenClaim(pod: number, podClass: PodClass, stage: Stage, { failedClaims }: ClassMemory): boolean {
    const { topology } = this.#problem
    const order = this.#order
    const versions = this.#versions
    const closed = (stage.closedClaims = grown(stage.closedClaims, order.length))
    for (let at = 0; at < this.claims.length; at += 1) {
      const index = order[at]!
      const failed = failedClaims[index]!
      if (closed[index] !== 0 || failed === never || failed === versions[index]) continue
      const claim = this.claims[index]!
      if (!hasHeadroom(claim, podClass)) {
        failedClaims[index] = never
        continue
      }
      const failedHost = stage.hostBindings.length === 0 ? undefined : failedHostBinding(stage, claim, topology)
      if (failedHost !== undefined) {
        // Counts only grow: a host that is full for the constraint stays so. Only affinity may find its pod later.
        if (failedHost.group.rule.kind !== 'affinity') {
          closed[index] = 1
          this.#closing.add(stage)
        }
        continue
      }
      const failure = this.#checkClaim(claim, podClass, stage, false)
      if (failure === undefined) {
        this.#placeOnClaim(pod, claim, podClass)
        this.#reorder(at)
        return true
      }
      // What reservations leave depends on other claims as well, so that answer is not kept.
      if (failure !== 'reserved') failedClaims[index] = versions[index]!
    }
    return false
  }

  #addToNewClaim(pod: number, podClass: PodClass, stage: Stage): Outcome {
    const { templates, settings, topology, ceilings } = this.#problem
    if (stage.hostBindings.length > 0 && failedHostBinding(stage, newSite, topology) !== undefined) return 'failed'
    for (const template of templates) {
      const { limits, catalog } = template
      if (limits.nodes !== undefined && (settings.countsOpenedNodes ? limits.nodes < 1 : limits.nodes <= 0)) continue
      const blank = this.#blank(template)
      if ((limits.isLimited || ceilings !== undefined) && isEmptyBitset(blank.variants)) continue
      const failure = this.#checkClaim(blank, podClass, stage, settings.relaxesMinValues)
      if (failure === 'reserved') return 'reserved'
      if (failure !== undefined) continue
      const index = this.claims.length
      const hostname = `${newSite.hostname}-${String(index + 1).padStart(4, '0')}`
      const host = topology.space(labelKeys.hostname).index(hostname)
      const claim = new Claim(template, { index, hostname, host }, blank)
      claim.hasRelaxedMinValues = this.#hasRelaxedMinValues
      template.hasRelaxedMinValues = this.#hasRelaxedMinValues
      this.#open(claim)
      this.#placeOnClaim(pod, claim, podClass)
      if (settings.countsOpenedNodes) limits.chargeCount()
      limits.chargeClaim(catalog, claim.variants)
      return 'placed'
    }
    return 'failed'
  }

  // The template's claim before its first pod, with the types that the limits leave now.
  #blank(template: Template): Claim {
    const most = this.#problem.ceilings?.[template.index] ?? template.variants
    const variants = template.limits.available(template.catalog, most)
    const known = this.#blanks[template.index]
    if (known !== undefined && known.variants === variants) return known
    const blank = new Claim(template, { index: never, ...newSite }, { variants })
    this.#blanks[template.index] = blank
    return blank
  }

  /** Why the claim cannot take the pod, or `undefined` with the answer left in `#set`, `#variants` and `#reserved`. */
  #checkClaim(claim: Claim, podClass: PodClass, stage: Stage, relaxesMinValues: boolean): ClaimFailure | undefined {
    const { table, stages } = this.#problem
    const { template } = claim
    const { shape } = podClass
    if (!toleratesTemplate(stage, template)) return 'taints'
    const base = table.combine('future', claim.set, stage.demand.set)
    if (base === undefined) return 'requirements'
    const { wellKnown } = stages.aliases
    if (!stage.mustDefine.every((key) => wellKnown.has(key) || defines(claim.set, key))) return 'requirements'
    if (stage.demand.host !== undefined && !Requirement.has(stage.demand.host, claim.hostname)) return 'requirements'
    let variants = claim.variants
    if (shape.volumes.attached.size > 0 && template.catalog.attachmentDrivers.size > 0) {
      variants = attachable(template, variants, claim.attached, shape.volumes)
      if (isEmptyBitset(variants)) return 'volume limits'
    }
    let failure: ClaimFailure = 'volume places'
    for (const alternative of shape.alternatives) {
      const set = this.#at(base, claim.hostname, alternative)
      if (set === undefined) {
        failure = 'volume places'
        continue
      }
      const verdict = narrowByTopology(table, 'future', set, stage)
      if ('failed' in verdict) {
        failure = 'topology'
        continue
      }
      const result = this.#checkTypes(claim, variants, podClass, verdict, relaxesMinValues)
      if (result === undefined) return undefined
      failure = result
    }
    return failure
  }

  #at(base: RequirementSet, hostname: string, place: Demand): RequirementSet | undefined {
    if (place.host !== undefined && !Requirement.has(place.host, hostname)) return undefined
    return this.#problem.table.combine('future', base, place.set)
  }

  // P-FLT-01…03, then minValues, then reservations.
  #checkTypes(
    claim: Claim,
    variants: Bitset,
    podClass: PodClass,
    set: RequirementSet,
    relaxesMinValues: boolean,
  ): ClaimFailure | undefined {
    const { template } = claim
    const left = this.#fitting(claim, variants, podClass, set)
    if (isEmptyBitset(left)) return 'types'
    template.catalog.close(left)
    let final = set
    let hasRelaxedMinValues = false
    if (set.minKeys.length > 0) {
      const unmet = unmetMinValues(template.catalog, left, set)
      if (unmet.length > 0) {
        if (!relaxesMinValues) return 'types'
        final = this.#problem.table.intern(lowered(set, unmet))
        hasRelaxedMinValues = true
      }
    }
    const { settings } = this.#problem
    if (settings.reservesCapacity && template.catalog.hasReservations) {
      const reserved = this.#toReserve(template, left, final, claim.reserved)
      if (reserved === undefined) return 'reserved'
      if (reserved === 'full') return 'types'
      this.#reserved = reserved
    } else this.#reserved = nothingHeld
    this.#set = final
    this.#variants = left
    this.#hasRelaxedMinValues = hasRelaxedMinValues
    return undefined
  }

  #fitting(claim: Claim, variants: Bitset, podClass: PodClass, set: RequirementSet): Bitset {
    const { catalog, groups } = claim.template
    const { requests, shape } = podClass
    const wanted = shape.constraints.hostPorts
    if (this.#left.length !== variants.length) this.#left = emptyBitset(catalog.size)
    const left = this.#left.fill(0)
    if (wanted.length > 0 && anyPortClashes(wanted, claim.hostPorts)) return left
    const candidates = catalog.candidates(set)
    const total = this.#total
    for (let index = 0; index < total.length; index += 1) total[index] = requests[index]! + claim.requests[index]!
    for (const group of groups) {
      if (wanted.length > 0 && anyPortClashes(wanted, group.hostPorts)) continue
      if (this.#members.length !== variants.length) this.#members = emptyBitset(catalog.size)
      const members = this.#members
      members.set(variants)
      intersectInto(members, candidates)
      if (groups.length > 1) intersectInto(members, group.variants)
      catalog.keepFitting(members, total, group.hasDaemons ? group.overhead : undefined)
      uniteInto(left, members)
    }
    return left
  }

  // P-RSV-03, P-RSV-05. `undefined`: the pod waits; 'full': only reservations would do, and none has room.
  #toReserve(
    { catalog }: Template,
    variants: Bitset,
    set: RequirementSet,
    held: ReadonlySet<string>,
  ): ReadonlySet<string> | 'full' | undefined {
    const { reservations, settings } = this.#problem
    const admitted = catalog.kindsAdmitted(set)
    const wanted = new Set<string>()
    let hasRoom = false
    let hasFull = false
    let hasOther = false
    for (const type of catalog.typesIn(variants)) {
      for (const { kind, isReserved, remaining } of catalog.offerings[type] ?? []) {
        if (!admitted[kind]) continue
        if (!isReserved) hasOther = true
        else if (remaining === 0) hasFull = true
        else {
          hasRoom = true
          const id = catalog.kinds[kind]?.reservationId ?? ''
          if (reservations.canReserve(held, id)) wanted.add(id)
        }
      }
    }
    const isStrict = settings.defersForReservations
    if (isStrict && hasRoom && wanted.size === 0) return undefined
    if (hasFull && !hasRoom && !hasOther) return isStrict ? undefined : 'full'
    if (isStrict && held.size > 0 && wanted.size === 0) return undefined
    return wanted
  }

  #placeOnClaim(pod: number, claim: Claim, podClass: PodClass): void {
    const { shape, requests } = podClass
    const set = this.#set
    this.#problem.reservations.exchange(claim.reserved, this.#reserved)
    claim.reserved = this.#reserved
    claim.pods.push(pod)
    const { variants, template } = claim
    claim.shrink(set, this.#variants, requests)
    if (this.#problem.settings.givesBackLimits && claim.pods.length > 1 && claim.variants !== variants) {
      template.limits.giveBack(template.catalog, variants, claim.variants)
    }
    this.#versions[claim.index] = claim.version + 1
    claim.hostPorts.push(...shape.constraints.hostPorts)
    for (const [driver, claims] of shape.volumes.attached) attach(claim.attached, driver, claims)
    this.#record(shape, set, claim.template.nodePool.taints, claim)
  }

  // A new claim has one pod: it comes after the others that have one, before those with more.
  #open(claim: Claim): void {
    this.claims.push(claim)
    const { length } = this.claims
    if (length > this.#order.length) {
      this.#order = grown(this.#order, 2 * length)
      this.#versions = grown(this.#versions, 2 * length)
    }
    const order = this.#order
    let at = length - 1
    for (; at > 0 && this.claims[order[at - 1]!]!.pods.length > 1; at -= 1) order[at] = order[at - 1]!
    order[at] = claim.index
  }

  // The claim that got a pod moves past those that now have fewer.
  #reorder(from: number): void {
    const order = this.#order
    const index = order[from]!
    const pods = this.claims[index]!.pods.length
    const last = this.claims.length - 1
    let at = from
    for (; at < last && this.claims[order[at + 1]!]!.pods.length < pods; at += 1) order[at] = order[at + 1]!
    order[at] = index
  }

  /** Counts a placed pod in every group that sees it (P-TOP-09). */
  #record(shape: PodShape, set: RequirementSet, taints: Template['nodePool']['taints'], site: Site): void {
    const { topology } = this.#problem
    for (const group of countingGroups(shape, topology)) {
      const { filter, isHost, kind, space } = group.rule
      if (filter !== undefined && !filter.matches(taints, set, site.hostname)) continue
      if (isHost) group.record(site.host)
      else {
        // Anti-affinity blocks wherever the pod could land; the others count it once its domain is known.
        const domains = space.listed(set)
        if (kind === 'anti-affinity' || (domains.length === 1 && set.byKey.get(space.key)?.complement === false)) {
          for (const domain of domains) group.record(domain)
        }
      }
    }
    for (const group of shape.inverseOwned) {
      if (group.rule.isHost) group.record(site.host)
      else for (const domain of group.rule.space.listed(set)) group.record(domain)
    }
  }
}

interface NodeBefore {
  readonly set: RequirementSet
  readonly remaining: Float64Array
  readonly hostPorts: number
  readonly attached: ReadonlyArray<readonly [string, ReadonlySet<string>]>
}

const stateOf = ({ set, remaining, hostPorts, attached }: ExistingNode): NodeBefore => ({
  set,
  remaining: remaining.slice(),
  hostPorts: hostPorts.length,
  attached: [...attached].map(([driver, claims]) => [driver, new Set(claims)] as const),
})

const restore = (node: ExistingNode, { set, remaining, hostPorts, attached }: NodeBefore): void => {
  node.set = set
  node.remaining.set(remaining)
  node.hostPorts.length = hostPorts
  node.pods.length = 0
  node.attached.clear()
  for (const [driver, claims] of attached) node.attached.set(driver, new Set(claims))
}

/** The nodes that may take a class, by index, in the order in which they are tried. */
export const openNodes = (
  nodes: ReadonlyArray<ExistingNode>,
  podClass: PodClass,
  { tolerations }: Stage,
): Array<number> =>
  nodes
    .filter(({ taints, isResting }) => !(isResting && podClass.isSettled) && Taints.areTolerated(taints, tolerations))
    .map(({ index }) => index)

const nothingHeld: ReadonlySet<string> = new Set()

/** Whether the node has as much left as one pod of the class asks for. */
export const hasRoom = (
  { isOvercommitted, remaining }: Pick<ExistingNode, 'isOvercommitted' | 'remaining'>,
  { needed, requests }: PodClass,
): boolean => {
  if (isOvercommitted) return false
  for (const resource of needed) if (requests[resource]! > remaining[resource]!) return false
  return true
}

const hasHeadroom = ({ headroom }: Claim, { needed, requests }: PodClass): boolean => {
  for (const resource of needed) if (requests[resource]! > headroom[resource]!) return false
  return true
}

/** The marks, or a longer copy of them. */
const grown = (marks: Int32Array, length: number): Int32Array => {
  if (marks.length >= length) return marks
  const longer = new Int32Array(length)
  longer.set(marks)
  return longer
}

const toleratesTemplate = (stage: Stage, { index, nodePool }: Template): boolean =>
  (stage.toleratesTemplate[index] ??= Taints.areTolerated(nodePool.taints, stage.tolerations))

// The types that can attach the pod's volumes beside those of the claim's other pods.
const attachable = (
  { catalog }: Template,
  variants: Bitset,
  attached: ReadonlyMap<string, ReadonlySet<string>> | undefined,
  volumes: PodVolumes,
): Bitset => {
  const left = variants.slice()
  const counts = new Map<string, number>()
  for (const driver of new Set([...volumes.attached.keys(), ...(attached?.keys() ?? [])])) {
    counts.set(driver, attachedCount(attached?.get(driver), volumes.attached.get(driver)))
  }
  for (const [variant, type] of catalog.typeOf.entries()) {
    if (!hasBit(left, variant)) continue
    const limits = catalog.types[type]?.volumeAttachmentLimits
    for (const [driver, count] of counts) {
      const limit = limits?.get(driver)
      if (limit !== undefined && count > limit) left[variant >>> 5]! &= ~(1 << (variant & 31))
    }
  }
  return left
}
