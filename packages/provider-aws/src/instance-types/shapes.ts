import type { InstanceTypeInfo } from '@aws-sdk/client-ec2'
import { labelKeys, Requirement, Requirements, Resources, type InstanceType } from '@scantling/core'
import { fingerprint } from '@scantling/provider-kit'
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
import { soldCapacityTypes } from '../offerings/index.ts'
import { capacityOf, estimatedMemoryMib } from './capacity.ts'
import { soldIn, type Catalogue } from './catalogue.ts'
import { incompatibilityOf, type Incompatibility, type PlacementGroup } from './compatibility.ts'
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

/** A type without its offerings: what changes with the NodeClass and the catalogue, and not with prices. */
export interface Shape {
  readonly type: Omit<InstanceType, 'offerings'>
  readonly info: InstanceTypeInfo
  readonly soldIn: ReadonlySet<string>
  readonly reservations: ReadonlyArray<ResolvedCapacityReservation>
  readonly incompatibility?: Incompatibility
  readonly fingerprint: string
}

/**
 * The shapes of all types with a NodeClass.
 *
 * Errors: a sentence, where kubelet settings cannot be read or `maxPods` has no value for some type.
 */
export const shapesOf = (
  settings: InstanceTypesSettings,
  {
    nodeClass,
    catalogue,
    placementGroup,
  }: {
    readonly nodeClass: Ec2NodeClass
    readonly catalogue: Catalogue
    readonly placementGroup: PlacementGroup | undefined
  },
  onDropped: (message: string) => void,
): E.Either<string, ReadonlyArray<Shape>> => {
  const { spec, status } = nodeClass
  const kubelet = readKubelet(spec.kubelet)
  if (E.isLeft(kubelet)) return kubelet
  const family = familyOf(spec)
  const zones = zonesOf(status)
  const images = status.amis.map((image) => ({ id: image.id, requirements: requirementsOfImage(image) }))
  const shapes: Array<Shape> = []
  for (const [name, info] of catalogue.types) {
    const own = typeKubeletOf(settings, nodeClass, kubelet.right, info)
    if (E.isLeft(own)) return own
    own.right.dropped.forEach(onDropped)
    const incompatibility = incompatibilityOf({
      info,
      family,
      spec,
      ...(placementGroup !== undefined && { placementGroup }),
    })
    const places = soldIn(catalogue, name)
    const reservations = settings.usesReservations ? reservationsOfType(status, name) : []
    const requirements = Requirements.of([
      ...typeRequirements(info, settings.region),
      ...classRequirements(info, { family, zones, places, reservations, placementGroup }),
    ])
    const imageId = imageOfType(images, { requirements })
    const type = {
      name,
      requirements,
      ...resourcesOf(settings, nodeClass, kubelet.right, own.right, info),
      ...(imageId !== undefined && { imageId }),
    }
    shapes.push({
      type,
      info,
      soldIn: places,
      reservations,
      ...(incompatibility !== undefined && { incompatibility }),
      fingerprint: fingerprint([Requirements.render(requirements), type.capacity, { ...type.overhead }, imageId ?? '']),
    })
  }
  return E.right(shapes)
}

/** The kubelet of a type as the NodeClass has it, worked out for the type. */
export const typeKubeletOf = (
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

const resourcesOf = (
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
