import type { InstanceType, Offering } from '../instance/index.ts'
import { labelKeys } from '../labels/index.ts'
import { Requirement, Requirements, type Aliases } from '../requirements/index.ts'
import type { InstanceTypeForm, OfferingForm, OfferingPatchForm, ScenarioCatalog, ScenarioForm } from './form.ts'

/** The types of a scenario before they are built: those selected from its catalogue, then its own, patched in order. */
export const selectTypes = (
  scenario: ScenarioForm,
  catalog: ScenarioCatalog | undefined,
): { readonly types: ReadonlyArray<InstanceTypeForm>; readonly missing: ReadonlyArray<string> } => {
  const offered = catalog?.instanceTypes ?? []
  const byName = new Map(offered.map((type) => [type.name, type]))
  const names = scenario.catalogSelect
  const selected = names.length === 0 ? offered : names.flatMap((name) => byName.get(name) ?? [])
  return {
    types: [...selected, ...scenario.instanceTypes].map((type) => scenario.offeringPatches.reduce(patchType, type)),
    missing: names.filter((name) => !byName.has(name)),
  }
}

const patchType = (type: InstanceTypeForm, patch: OfferingPatchForm): InstanceTypeForm => {
  if (patch.instanceType !== undefined && patch.instanceType !== type.name) return type
  if (patch.add !== undefined) return { ...type, offerings: [...type.offerings, patch.add] }
  return { ...type, offerings: type.offerings.map((offering) => patchOffering(offering, patch)) }
}

const patchOffering = (offering: OfferingForm, patch: OfferingPatchForm): OfferingForm => {
  const { zone, capacityType, available = offering.available, priceFactor = 1 } = patch
  const isSelected =
    (zone === undefined || firstValue(offering, labelKeys.zone) === zone) &&
    (capacityType === undefined || firstValue(offering, labelKeys.capacityType) === capacityType)
  return isSelected ? { ...offering, available, price: offering.price * priceFactor } : offering
}

const firstValue = ({ requirements }: OfferingForm, key: string): string =>
  requirements.find((requirement) => requirement.key === key && (requirement.values ?? []).length > 0)?.values?.[0] ??
  ''

/** An instance type in the planners' form; zone, capacity type and name are derived where its requirements lack them. */
export const buildType = (form: InstanceTypeForm, aliases: Aliases, nowMs: number): InstanceType => {
  const stated = Requirements.fromSpecs(form.requirements, aliases)
  const derive = (key: string, values: ReadonlyArray<string>) =>
    Requirements.has(stated, key) ? [] : [Requirement.isIn(key, values)]
  const valuesOf = (key: string) => form.offerings.map((offering) => firstValue(offering, key))
  return {
    name: form.name,
    requirements: Requirements.of([
      ...stated.byKey.values(),
      ...derive(labelKeys.instanceType, [form.name]),
      ...derive(labelKeys.zone, valuesOf(labelKeys.zone)),
      ...derive(labelKeys.capacityType, valuesOf(labelKeys.capacityType)),
    ]),
    capacity: form.capacity,
    overhead: form.overhead,
    ...(form.volumeAttachmentLimits === undefined
      ? {}
      : { volumeAttachmentLimits: new Map(Object.entries(form.volumeAttachmentLimits)) }),
    offerings: form.offerings.map((offering) => buildOffering(offering, aliases, nowMs)),
  }
}

const buildOffering = (form: OfferingForm, aliases: Aliases, nowMs: number): Offering => ({
  requirements: Requirements.fromSpecs(form.requirements, aliases),
  pricePerHour: form.price,
  ...(form.available ? {} : { unavailable: { reason: 'NotOffered' } }),
  ...(firstValue(form, labelKeys.capacityType) === 'reserved'
    ? { reservation: { remaining: form.reservationCapacity, observedAtMs: nowMs } }
    : {}),
})
