import type { InstanceTypeInfo } from '@aws-sdk/client-ec2'
import {
  labelKeys,
  Requirement,
  Requirements,
  Resources,
  type InstanceType,
  type Offering,
  type ProviderError,
} from '@scantling/core'
import { canonical, fingerprint, stable } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { familyTraits, imageOfType, requirementsOfImage } from '../image/index.ts'
import { readKubelet, type KubeletSettings } from '../kubelet/index.ts'
import { architectureOfType, awsLabelKeys, typeRequirements } from '../labels/index.ts'
import {
  familyOf,
  reservationsOfType,
  zonesOf,
  type Ec2NodeClass,
  type NodeClassZone,
  type ResolvedCapacityReservation,
} from '../node-class/index.ts'
import { offeringsMaker, soldCapacityTypes, type OfferingsContext } from '../offerings/index.ts'
import { capacityOf, estimatedMemoryMib } from './capacity.ts'
import { soldIn, type Catalogue } from './catalogue.ts'
import { incompatibilityOf, type PlacementGroup } from './compatibility.ts'
import { overheadOf } from './overhead.ts'
import { eniLimitedPods } from './pods.ts'
import { kubeletOfType, type TypeKubelet } from './type-kubelet.ts'

/** Settings of the provider that types depend on. */
export interface InstanceTypesSettings {
  readonly region: string
  readonly vmMemoryOverheadPercent: number
  readonly reservedEnis: number
  /** The gate NodeClassCEL. */
  readonly allowsExpressions: boolean
  /** The gate ReservedCapacity. */
  readonly usesReservations: boolean
}

/** What the types of a NodeClass are made from. While all of it is the same, so are the types. */
export interface InstanceTypesInput extends Pick<
  OfferingsContext,
  'prices' | 'shiftedZoneIds' | 'exhaustedSubnetIds' | 'reservationCounts'
> {
  readonly nodeClass: Ec2NodeClass
  readonly catalogue: Catalogue | undefined
  readonly placementGroup?: PlacementGroup
}

/** The types of NodeClasses. */
export interface InstanceTypes {
  /**
   * All types with this NodeClass, those that cannot be launched included.
   *
   * The same array and the same objects while nothing about them changed.
   *
   * Errors: Left where the catalogue is not loaded, the NodeClass has no subnets yet, or `maxPods` has no value for some
   * type; never a partial list (A-ITP-05).
   */
  readonly of: (input: InstanceTypesInput) => E.Either<ProviderError, ReadonlyArray<InstanceType>>
  /** What the kubelet of a type is to be told, with the figures that its planning used (A-CEL-08). */
  readonly kubeletOf: (nodeClass: Ec2NodeClass, info: InstanceTypeInfo) => E.Either<string, TypeKubelet>
  /** Drops what is kept for NodeClasses other than these. */
  readonly keepOnly: (uids: ReadonlySet<string>) => void
}

interface Kept {
  readonly types: ReturnType<typeof stable<Draft, InstanceType>>
  last?: { readonly inputs: ReadonlyArray<unknown>; readonly result: ReadonlyArray<InstanceType> }
}

interface Draft {
  readonly info: InstanceTypeInfo
  readonly fingerprint: string
  readonly make: () => InstanceType
}

/** Types as projections of the catalogue, one per NodeClass. */
export const createInstanceTypes = (
  settings: InstanceTypesSettings,
  onDropped: (message: string) => void = () => undefined,
): InstanceTypes => {
  const kept = new Map<string, Kept>()
  const keptOf = (nodeClass: Ec2NodeClass): Kept => {
    // An object that was never stored has no UID.
    const key = nodeClass.metadata.uid === '' ? nodeClass.metadata.name : nodeClass.metadata.uid
    const present = kept.get(key)
    if (present !== undefined) return present
    const types = stable<Draft, InstanceType>({
      keyOf: ({ info }) => info.InstanceType ?? '',
      fingerprintOf: ({ fingerprint: text }) => text,
      make: ({ make }) => make(),
    })
    const made: Kept = { types }
    kept.set(key, made)
    return made
  }
  return {
    of: (input) => {
      const entry = keptOf(input.nodeClass)
      const inputs = inputsOf(input)
      if (entry.last !== undefined && inputs.every((one, index) => one === entry.last?.inputs[index]))
        return E.right(entry.last.result)
      const drafts = draftsOf(settings, input, onDropped)
      if (E.isLeft(drafts)) return drafts
      const result = entry.types.next(drafts.right)
      entry.last = { inputs, result }
      return E.right(result)
    },
    kubeletOf: (nodeClass, info) => {
      const read = readKubelet(nodeClass.spec.kubelet)
      return E.isLeft(read) ? read : typeKubeletOf(settings, nodeClass, read.right, info)
    },
    keepOnly: (uids) => {
      for (const uid of kept.keys()) if (!uids.has(uid)) kept.delete(uid)
    },
  }
}

// What of the NodeClass types depend on, as one text; conditions and times change more often than these.
const nodeClassKey = ({ spec, status }: Ec2NodeClass): string =>
  canonical(
    JSON.parse(
      JSON.stringify([
        spec.kubelet ?? null,
        spec.blockDeviceMappings ?? null,
        spec.instanceStorePolicy ?? null,
        spec.networkInterfaces ?? null,
        spec.connectionTracking ?? null,
        spec.cpuOptions ?? null,
        spec.ipPrefixCount ?? null,
        familyOf(spec),
        status.subnets,
        status.amis,
        status.capacityReservations,
      ]),
    ),
  )

const setKey = (values: ReadonlySet<string>): string => [...values].sort().join(' ')

const inputsOf = (input: InstanceTypesInput): ReadonlyArray<unknown> => [
  input.catalogue,
  input.prices,
  input.reservationCounts,
  setKey(input.shiftedZoneIds),
  setKey(input.exhaustedSubnetIds),
  JSON.stringify(input.placementGroup ?? null),
  nodeClassKey(input.nodeClass),
]

const notReady = (message: string): ProviderError => ({ _tag: 'NodeClassNotReady', message })

const draftsOf = (
  settings: InstanceTypesSettings,
  input: InstanceTypesInput,
  onDropped: (message: string) => void,
): E.Either<ProviderError, ReadonlyArray<Draft>> => {
  const { nodeClass, catalogue, placementGroup } = input
  const { name } = nodeClass.metadata
  if (catalogue === undefined || catalogue.types.size === 0)
    return E.left({ _tag: 'Unknown', message: 'The catalogue of instance types is not loaded yet', retryAfterMs: 1000 })
  if (catalogue.zones.length === 0)
    return E.left({
      _tag: 'Unknown',
      message: 'The offerings of instance types are not loaded yet',
      retryAfterMs: 1000,
    })
  if (nodeClass.status.subnets.length === 0)
    return E.left(notReady(`Cannot list instance types: EC2NodeClass ${name} has found no subnets`))
  const kubelet = readKubelet(nodeClass.spec.kubelet)
  if (E.isLeft(kubelet)) return E.left(notReady(`Cannot list instance types of EC2NodeClass ${name}: ${kubelet.left}`))
  const family = familyOf(nodeClass.spec)
  const zones = zonesOf(nodeClass.status)
  const makeOfferings = offeringsMaker({ ...input, ...settings, zones: catalogue.zones, nodeClassZones: zones })
  const images = nodeClass.status.amis.map((image) => ({ id: image.id, requirements: requirementsOfImage(image) }))
  const drafts: Array<Draft> = []
  for (const [type, info] of catalogue.types) {
    const own = typeKubeletOf(settings, nodeClass, kubelet.right, info)
    if (E.isLeft(own)) return E.left(notReady(`Cannot list instance types of EC2NodeClass ${name}: ${own.left}`))
    own.right.dropped.forEach(onDropped)
    const incompatibility = incompatibilityOf({
      info,
      family,
      spec: nodeClass.spec,
      ...(placementGroup !== undefined && { placementGroup }),
    })
    const places = soldIn(catalogue, type)
    const reservations = settings.usesReservations ? reservationsOfType(nodeClass.status, type) : []
    const offerings = makeOfferings({
      info,
      soldIn: places,
      reservations,
      ...(incompatibility !== undefined && { incompatibility }),
    })
    const requirements = Requirements.of([
      ...typeRequirements(info, settings.region),
      ...classRequirements(info, { family, zones, places, reservations, placementGroup }),
    ])
    const shape = shapeOf(settings, nodeClass, kubelet.right, own.right, info)
    const imageId = imageOfType(images, { requirements })
    const draft = { name: type, requirements, ...shape, offerings, ...(imageId !== undefined && { imageId }) }
    drafts.push({ info, fingerprint: draftFingerprint(draft), make: () => draft })
  }
  return E.right(drafts)
}

const typeKubeletOf = (
  { reservedEnis, allowsExpressions }: InstanceTypesSettings,
  { spec }: Ec2NodeClass,
  kubelet: KubeletSettings,
  info: InstanceTypeInfo,
) =>
  kubeletOfType(info, {
    settings: kubelet,
    traits: familyTraits[familyOf(spec)],
    reservedEnis,
    allowsExpressions,
    ...(spec.networkInterfaces !== undefined && { networkInterfaces: spec.networkInterfaces }),
  })

const shapeOf = (
  { vmMemoryOverheadPercent }: InstanceTypesSettings,
  { spec }: Ec2NodeClass,
  { evictionHard }: KubeletSettings,
  { pods, kubeReserved, systemReserved }: TypeKubelet,
  info: InstanceTypeInfo,
): Pick<InstanceType, 'capacity' | 'overhead'> => {
  const family = familyOf(spec)
  const traits = familyTraits[family]
  const memoryMib = estimatedMemoryMib(info, vmMemoryOverheadPercent)
  const capacity = capacityOf(info, { family, traits, spec, pods, memoryMib })
  return {
    capacity,
    overhead: overheadOf({
      cores: info.VCpuInfo?.DefaultVCpus ?? 0,
      // The bootstrap of these images reckons with every interface, whatever pods the node is told to run.
      reservingPods: traits.reservesByEniPods ? eniLimitedPods(info, 0, spec.networkInterfaces) : pods,
      memoryMib,
      ephemeralStorage: Resources.get(capacity, 'ephemeral-storage'),
      kubeReserved,
      systemReserved,
      ...(evictionHard !== undefined && { evictionHard }),
    }),
  }
}

/** The labels of a type that depend on the NodeClass. */
const classRequirements = (
  info: InstanceTypeInfo,
  subject: {
    readonly family: ReturnType<typeof familyOf>
    readonly zones: ReadonlyMap<string, NodeClassZone>
    readonly places: ReadonlySet<string>
    readonly reservations: ReadonlyArray<ResolvedCapacityReservation>
    readonly placementGroup: PlacementGroup | undefined
  },
): ReadonlyArray<Requirement> => {
  const { family, zones, places, reservations, placementGroup } = subject
  const { os, windowsBuild } = familyTraits[family]
  const reachable = [...zones.values()].filter(({ zone }) => places.has(zone))
  const zoneIds = reachable.flatMap(({ zoneId }) => zoneId ?? [])
  const partitions = placementGroup?.strategy === 'partition' ? (placementGroup.partitionCount ?? 0) : 0
  const oneOf = (key: string, values: ReadonlyArray<string>) =>
    values.length === 0 ? [] : [Requirement.isIn(key, values)]
  return [
    Requirement.isIn(
      labelKeys.zone,
      reachable.map(({ zone }) => zone),
    ),
    Requirement.isIn(labelKeys.capacityType, [
      ...soldCapacityTypes(info),
      ...(reservations.length === 0 ? [] : ['reserved']),
    ]),
    // Windows boots on x86 alone.
    Requirement.isIn(labelKeys.os, os === 'windows' && architectureOfType(info) !== 'amd64' ? [] : [os]),
    ...oneOf(labelKeys.windowsBuild, windowsBuild === undefined ? [] : [windowsBuild]),
    ...oneOf(awsLabelKeys.zoneId, zoneIds),
    ...oneOf(
      awsLabelKeys.reservationId,
      reservations.map(({ id }) => id),
    ),
    ...oneOf(
      awsLabelKeys.reservationType,
      reservations.map(({ reservationType }) => reservationType),
    ),
    ...oneOf(
      awsLabelKeys.reservationInterruptible,
      reservations.map(({ interruptible = false }) => String(interruptible)),
    ),
    ...oneOf(awsLabelKeys.placementGroupId, placementGroup === undefined ? [] : [placementGroup.id]),
    ...oneOf(
      awsLabelKeys.placementGroupPartition,
      Array.from({ length: partitions }, (_, index) => String(index + 1)),
    ),
  ]
}

const draftFingerprint = ({ requirements, capacity, overhead, offerings, imageId = '' }: InstanceType): string =>
  fingerprint([
    Requirements.render(requirements),
    capacity,
    { ...overhead },
    imageId,
    offerings.map(offeringKey).join(';'),
  ])

// Offerings share their requirements, so each is written out once.
const rendered = new WeakMap<Requirements, string>()
const renderOnce = (requirements: Requirements): string => {
  const present = rendered.get(requirements)
  if (present !== undefined) return present
  const text = Requirements.render(requirements)
  rendered.set(requirements, text)
  return text
}

const offeringKey = ({ requirements, pricePerHour, unavailable, reservation }: Offering): string =>
  [
    renderOnce(requirements),
    String(pricePerHour),
    unavailable?.reason ?? '',
    unavailable?.message ?? '',
    reservation === undefined ? '' : `${reservation.remaining}@${reservation.observedAtMs}`,
  ].join('|')
