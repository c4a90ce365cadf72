import {
  countBits,
  emptyBitset,
  hasBit,
  intersectInto,
  isEmptyBitset,
  uniteInto,
  type Bitset,
} from '../internal/index.ts'
import { Quantity } from '../quantity/index.ts'
import { Requirement, Requirements } from '../requirements/index.ts'
import { Taints } from '../taints/index.ts'
import type { RequirementSet, TopologyGroup } from '../topology/index.ts'
import type { Compiled } from './compile.ts'
import { anyPortClashes } from './host-ports.ts'
import { unmetMinValues } from './min-values.ts'
import { defines, type PodClass, type Stage } from './pod-class.ts'
import type { NodePoolReason } from './rejection.ts'
import { relaxed } from './relaxation.ts'
import type { Template } from './template.ts'
import { failedHostBinding, narrowByTopology } from './topology-check.ts'

const shownDomains = 25

/**
 * Why no NodePool opens a node for pods of a class: one reason for each, from the state at the end of the pass.
 *
 * Computed only for pods that failed; the packer itself keeps no reasons.
 */
export const diagnose = (compiled: Compiled, podClass: PodClass): ReadonlyArray<NodePoolReason> => {
  const stages = bindingStages(compiled, podClass)
  return compiled.templates.flatMap((template) => {
    const reasons = stages.map((stage) => reasonOf(compiled, podClass, stage, template))
    const furthest = Math.max(...reasons.map(progress))
    return reasons.find((reason) => progress(reason) === furthest) ?? []
  })
}

// Stages that have nothing to give up but their alternative, in the order in which alternatives are written: what stands
// in their way is required. Where the pod was put off before it came to one, the last that was tried.
const bindingStages = ({ stages: context }: Compiled, { shape }: PodClass): ReadonlyArray<Stage> => {
  const strict = shape.stages.filter(({ constraints }) => {
    const alone = { ...constraints, requiredNodeTerms: constraints.requiredNodeTerms.slice(0, 1) }
    return relaxed(alone, context) === undefined
  })
  if (strict.length === 0) return shape.stages.slice(-1)
  const turnOf = ({ constraints: { requiredNodeTerms } }: Stage) =>
    requiredNodeTerms[0] === undefined ? 0 : shape.constraints.requiredNodeTerms.indexOf(requiredNodeTerms[0])
  return strict.sort((a, b) => turnOf(a) - turnOf(b))
}

// How far an alternative came: what keeps the one that came furthest keeps the pod.
const progress = ({ _tag }: NodePoolReason): number => checks.indexOf(_tag)

const checks: ReadonlyArray<NodePoolReason['_tag']> = [
  'LimitReached',
  'UntoleratedTaints',
  'Incompatible',
  'VolumesElsewhere',
  'TopologyUnsatisfied',
  'HostPortsTaken',
  'NoInstanceTypeFits',
  'MinValuesUnmet',
  'TooManyVolumes',
  'ReservationsTaken',
]

const reasonOf = (compiled: Compiled, podClass: PodClass, stage: Stage, template: Template): NodePoolReason => {
  const { table, topology, columns, settings } = compiled
  const { shape } = podClass
  const nodePool = template.nodePool.name
  const limit = limitReason(compiled, template)
  if (limit !== undefined) return limit
  const taints = Taints.untolerated(template.nodePool.taints, stage.tolerations)
  if (taints.length > 0) return { _tag: 'UntoleratedTaints', nodePool, taints }
  if (stage.contradiction !== undefined) return { _tag: 'Incompatible', nodePool, conflicts: [stage.contradiction] }
  const base = table.combine('future', template.set, stage.demand.set)
  if (base === undefined) {
    const conflicts = Requirements.conflicts(template.set, stage.demand.set, compiled.wellKnown)
    return { _tag: 'Incompatible', nodePool, conflicts }
  }
  const undefinedKeys = stage.mustDefine.filter((key) => !compiled.wellKnown.has(key) && !defines(template.set, key))
  if (undefinedKeys.length > 0) {
    return { _tag: 'Incompatible', nodePool, conflicts: undefinedKeys.map(undefinedLabel) }
  }
  const site = { hostname: 'hostname-placeholder', host: -1 }
  if (stage.demand.host !== undefined && !Requirement.has(stage.demand.host, site.hostname)) {
    return { _tag: 'Incompatible', nodePool, conflicts: [hostConflict(stage.demand.host, site.hostname)] }
  }
  const failedHost = failedHostBinding(stage, site, topology)
  if (failedHost !== undefined) return topologyReason(compiled, nodePool, failedHost.group)
  const places = shape.alternatives.flatMap(({ set }) => table.combine('future', base, set) ?? [])
  if (places.length === 0) {
    const conflicts = shape.alternatives.flatMap(({ set }) => Requirements.conflicts(base, set, compiled.wellKnown))
    return { _tag: 'VolumesElsewhere', nodePool, conflicts }
  }
  let narrowed: RequirementSet | undefined
  let failed: TopologyGroup | undefined
  for (const place of places) {
    const verdict = narrowByTopology(table, 'future', place, stage)
    if ('failed' in verdict) failed = verdict.failed
    else narrowed ??= verdict
  }
  if (narrowed === undefined) return topologyReason(compiled, nodePool, failed!)
  const variants = template.limits.available(template.catalog, template.variants)
  const ports = shape.constraints.hostPorts
  const groups = template.groups.filter(({ hostPorts }) => !anyPortClashes(ports, hostPorts))
  if (groups.length === 0) return { _tag: 'HostPortsTaken', nodePool, ports: ports.map(({ port }) => port) }
  const { catalog } = template
  const meeting = within(catalog.meeting(narrowed), variants)
  const offered = within(catalog.offered(narrowed), variants)
  const fitting = emptyBitset(catalog.size)
  for (const { variants: members, hasDaemons, overhead } of groups) {
    const mask = within(members.slice(), variants)
    catalog.keepFitting(mask, podClass.requests, hasDaemons ? overhead : undefined)
    uniteInto(fitting, mask)
  }
  const all = within(within(meeting.slice(), offered), fitting)
  if (!isEmptyBitset(all)) {
    const unmet = settings.relaxesMinValues ? [] : unmetMinValues(catalog, all, narrowed)
    if (unmet.length > 0) return { _tag: 'MinValuesUnmet', nodePool, keys: unmet }
    for (const [driver, claims] of shape.volumes.attached) {
      const exceeds = catalog
        .typesIn(all)
        .every((type) => claims.size > (catalog.types[type]?.volumeAttachmentLimits?.get(driver) ?? claims.size))
      if (exceeds) return { _tag: 'TooManyVolumes', nodePool, driver, volumes: claims.size }
    }
    const admitted = catalog.kindsAdmitted(narrowed)
    const ids = catalog.kinds.flatMap(({ reservationId }, kind) =>
      reservationId !== undefined && admitted[kind] === true ? [reservationId] : [],
    )
    if (ids.length > 0) return { _tag: 'ReservationsTaken', nodePool, reservations: [...new Set(ids)] }
  }
  const least = groups.reduce((best, group) => (total(group.overhead) < total(best.overhead) ? group : best))
  const requests = podClass.requests.map((amount, index) => amount + least.overhead[index]!)
  return {
    _tag: 'NoInstanceTypeFits',
    nodePool,
    considered: countBits(variants),
    overLimit: countBits(template.variants) - countBits(variants),
    meetRequirements: countBits(meeting),
    haveRoom: countBits(fitting),
    haveOffering: countBits(offered),
    requirements: { byKey: narrowed.byKey },
    requests: columns.list(requests),
    ...closest(compiled, template, within(meeting, offered), requests),
  }
}

const within = (target: Bitset, other: Bitset): Bitset => {
  intersectInto(target, other)
  return target
}

const total = (row: Float64Array): number => row.reduce((sum, amount) => sum + amount, 0)

const hostConflict = (demand: Requirement, hostname: string) => ({
  _tag: 'NoCommonValue' as const,
  key: demand.key,
  demand,
  supply: Requirement.isIn(demand.key, [hostname]),
})

const undefinedLabel = (key: string) => ({ _tag: 'UndefinedLabel' as const, key, demand: Requirement.exists(key) })

const topologyReason = (
  { topology }: Compiled,
  nodePool: string,
  group: TopologyGroup,
): Extract<NodePoolReason, { readonly _tag: 'TopologyUnsatisfied' }> => {
  const { kind, space, maxSkew } = group.rule
  return {
    _tag: 'TopologyUnsatisfied',
    nodePool,
    kind: topology.inverse.includes(group) ? 'anti-affinity of others' : kind,
    topologyKey: space.key,
    domains: group.known().slice(0, shownDomains),
    ...(kind === 'spread' ? { maxSkew } : {}),
  }
}

const limitReason = (
  { columns, settings }: Compiled,
  { limits, catalog, variants, nodePool }: Template,
): NodePoolReason | undefined => {
  const isOutOfNodes = limits.nodes !== undefined && (settings.countsOpenedNodes ? limits.nodes < 1 : limits.nodes <= 0)
  if (isOutOfNodes) {
    return {
      _tag: 'LimitReached',
      nodePool: nodePool.name,
      resource: 'nodes',
      remaining: String(limits.nodes),
      smallest: '1',
    }
  }
  if (!isEmptyBitset(limits.available(catalog, variants))) return undefined
  for (const [resource, left] of limits.left) {
    let smallest = Number.POSITIVE_INFINITY
    for (const type of catalog.typesIn(variants)) {
      smallest = Math.min(smallest, catalog.capacity[type]?.[resource] ?? 0)
    }
    if (smallest > left) {
      return {
        _tag: 'LimitReached',
        nodePool: nodePool.name,
        resource: columns.names[resource]!,
        remaining: columns.quantity(resource, left),
        smallest: columns.quantity(resource, smallest),
      }
    }
  }
  // No one limit excludes every type, but together they do: name the first.
  const [first] = limits.left
  return first === undefined
    ? undefined
    : {
        _tag: 'LimitReached',
        nodePool: nodePool.name,
        resource: columns.names[first[0]]!,
        remaining: columns.quantity(first[0], first[1]),
        smallest: Quantity.zero,
      }
}

// The type that lacks the smallest share of what the pod needs, and the resource it lacks most of.
const closest = (
  { columns }: Compiled,
  { catalog }: Template,
  variants: Bitset,
  requests: Float64Array,
): Pick<Extract<NodePoolReason, { readonly _tag: 'NoInstanceTypeFits' }>, 'closest'> => {
  let best: { readonly variant: number; readonly resource: number; readonly share: number } | undefined
  for (let variant = 0; variant < catalog.size; variant += 1) {
    if (!hasBit(variants, variant)) continue
    let worst = { resource: -1, share: 0 }
    for (let resource = 0; resource < requests.length; resource += 1) {
      const lacking = requests[resource]! - catalog.allocatable[resource]![variant]!
      const share = requests[resource]! > 0 ? lacking / requests[resource]! : 0
      if (share > worst.share) worst = { resource, share }
    }
    if (worst.resource >= 0 && (best === undefined || worst.share < best.share)) best = { variant, ...worst }
  }
  if (best === undefined) return {}
  return {
    closest: {
      instanceType: catalog.types[catalog.typeOf[best.variant]!]!.name,
      resource: columns.names[best.resource]!,
      requested: columns.quantity(best.resource, requests[best.resource]!),
      allocatable: columns.quantity(best.resource, catalog.allocatable[best.resource]![best.variant]!),
    },
  }
}
