import type { InstanceTypeInfo } from '@aws-sdk/client-ec2'
import { Requirements, type InstanceType, type Offering, type ProviderError } from '@scantling/core'
import { canonical, stable } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { readKubelet } from '../kubelet/index.ts'
import { familyOf, zonesOf, type Ec2NodeClass } from '../node-class/index.ts'
import { offeringsMaker, type OfferingsContext } from '../offerings/index.ts'
import type { Catalogue } from './catalogue.ts'
import type { PlacementGroup } from './compatibility.ts'
import { shapesOf, typeKubeletOf, type InstanceTypesSettings, type Shape } from './shapes.ts'
import type { TypeKubelet } from './type-kubelet.ts'

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
  /** Drops what is kept for a NodeClass. */
  readonly forget: (nodeClass: Ec2NodeClass) => void
}

interface Draft {
  readonly shape: Shape
  readonly offerings: ReadonlyArray<Offering>
}

interface Kept {
  readonly types: ReturnType<typeof stable<Draft, InstanceType>>
  shapes?: { readonly inputs: ReadonlyArray<unknown>; readonly result: ReadonlyArray<Shape> }
  last?: { readonly inputs: ReadonlyArray<unknown>; readonly result: ReadonlyArray<InstanceType> }
}

// An object that was never stored has no UID.
const keyOf = ({ metadata: { uid, name } }: Ec2NodeClass): string => (uid === '' ? name : uid)

const isSame = (a: ReadonlyArray<unknown>, b: ReadonlyArray<unknown> | undefined): boolean =>
  b !== undefined && a.every((one, index) => one === b[index])

/**
 * Types as projections of the catalogue, one per NodeClass.
 *
 * Cost: nothing while all inputs are the same; new prices make offerings anew, a new NodeClass or catalogue the rest.
 */
export const createInstanceTypes = (
  settings: InstanceTypesSettings,
  onDropped: (message: string) => void = () => undefined,
): InstanceTypes => {
  const kept = new Map<string, Kept>()
  const keptOf = (nodeClass: Ec2NodeClass): Kept => {
    const key = keyOf(nodeClass)
    const present = kept.get(key)
    if (present !== undefined) return present
    const idOf = requirementIds()
    const types = stable<Draft, InstanceType>({
      keyOf: ({ shape }) => shape.type.name,
      fingerprintOf: ({ shape, offerings }) =>
        `${shape.fingerprint} ${offerings.map((one) => offeringKey(idOf(one.requirements), one)).join(';')}`,
      make: ({ shape, offerings }) => ({ ...shape.type, offerings }),
    })
    const made: Kept = { types }
    kept.set(key, made)
    return made
  }
  const shapesFor = (
    entry: Kept,
    { nodeClass, placementGroup }: InstanceTypesInput,
    catalogue: Catalogue,
    inputs: ReadonlyArray<unknown>,
  ): E.Either<string, ReadonlyArray<Shape>> => {
    if (entry.shapes !== undefined && isSame(inputs, entry.shapes.inputs)) return E.right(entry.shapes.result)
    const made = shapesOf(settings, { nodeClass, catalogue, placementGroup }, onDropped)
    if (E.isRight(made)) entry.shapes = { inputs, result: made.right }
    return made
  }
  return {
    of: (input) => {
      const { nodeClass, catalogue } = input
      const { name } = nodeClass.metadata
      if (catalogue === undefined || catalogue.types.size === 0) return E.left(notLoaded('catalogue'))
      if (catalogue.zones.length === 0) return E.left(notLoaded('list of zones in which instance types are sold'))
      if (nodeClass.status.subnets.length === 0)
        return E.left(notReady(`Cannot list instance types: EC2NodeClass ${name} has found no subnets`))
      const entry = keptOf(nodeClass)
      const shapeInputs = [catalogue, JSON.stringify(input.placementGroup ?? null), nodeClassKey(nodeClass)]
      const inputs = [...shapeInputs, ...offeringInputs(input)]
      if (entry.last !== undefined && isSame(inputs, entry.last.inputs)) return E.right(entry.last.result)
      const shapes = shapesFor(entry, input, catalogue, shapeInputs)
      if (E.isLeft(shapes))
        return E.left(notReady(`Cannot list instance types of EC2NodeClass ${name}: ${shapes.left}`))
      const makeOfferings = offeringsMaker({
        ...input,
        usesReservations: settings.usesReservations,
        zones: catalogue.zones,
        nodeClassZones: zonesOf(nodeClass.status),
      })
      const result = entry.types.next(shapes.right.map((shape) => ({ shape, offerings: makeOfferings(shape) })))
      entry.last = { inputs, result }
      return E.right(result)
    },
    kubeletOf: (nodeClass, info) => {
      const read = readKubelet(nodeClass.spec.kubelet)
      return E.isLeft(read) ? read : typeKubeletOf(settings, nodeClass, read.right, info)
    },
    forget: (nodeClass) => void kept.delete(keyOf(nodeClass)),
  }
}

const notReady = (message: string): ProviderError => ({ _tag: 'NodeClassNotReady', message })
const notLoaded = (what: string): ProviderError => ({
  _tag: 'Unknown',
  message: `Cannot list instance types: the ${what} is not loaded yet`,
  retryAfterMs: 1000,
})

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

// By content where callers make the collection anew each time, by identity where it is large and kept.
const offeringInputs = (input: InstanceTypesInput): ReadonlyArray<unknown> => [
  input.prices,
  [...input.reservationCounts]
    .map(([id, { remaining, observedAtMs }]) => `${id}=${remaining}@${observedAtMs}`)
    .join(' '),
  setKey(input.shiftedZoneIds),
  setKey(input.exhaustedSubnetIds),
]

// Offerings share their requirements, of which there are few: a number for each keeps fingerprints short.
const requirementIds = (): ((requirements: Requirements) => number) => {
  const byText = new Map<string, number>()
  const byObject = new WeakMap<Requirements, number>()
  return (requirements) => {
    const present = byObject.get(requirements)
    if (present !== undefined) return present
    const text = Requirements.render(requirements)
    const id = byText.get(text) ?? byText.size
    byText.set(text, id)
    byObject.set(requirements, id)
    return id
  }
}

const offeringKey = (id: number, { pricePerHour, unavailable, reservation }: Offering): string =>
  `${id}|${pricePerHour}|${unavailable?.reason ?? ''}|${unavailable?.message ?? ''}|${
    reservation === undefined ? '' : `${reservation.remaining}@${reservation.observedAtMs}`
  }`
