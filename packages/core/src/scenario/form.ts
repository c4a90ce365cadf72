import { decoderOf, s, type TypeOf } from '../schema/index.ts'

/*
 * The interchange form, version 1: what a scenario file and a catalogue file hold. `vectors/README.md` describes it.
 */

const requirementsForm = s.array(
  s.object({
    key: s.string(),
    operator: s.literals(['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt', 'Gte', 'Lte']),
    values: s.optional(s.array(s.string())),
    minValues: s.optional(s.integer()),
  }),
)

const offeringForm = s.object({
  requirements: requirementsForm,
  price: s.number(),
  available: s.filledIn(s.boolean(), false),
  reservationCapacity: s.filledIn(s.integer(), 0),
})
export interface OfferingForm extends TypeOf<typeof offeringForm> {}

const amounts = s.filledIn(s.record(s.quantity()), {})

const instanceTypeForm = s.object({
  name: s.string(),
  requirements: s.filledIn(requirementsForm, []),
  offerings: s.filledIn(s.array(offeringForm), []),
  capacity: amounts,
  volumeAttachmentLimits: s.optional(s.record(s.integer())),
  overhead: s.filledIn(s.object({ kubeReserved: amounts, systemReserved: amounts, evictionThreshold: amounts }), {}),
})
export interface InstanceTypeForm extends TypeOf<typeof instanceTypeForm> {}

export const catalogForm = s.named(
  'Catalog',
  s.object({
    name: s.filledIn(s.string(), ''),
    wellKnownLabels: s.filledIn(s.array(s.string()), []),
    instanceTypes: s.array(instanceTypeForm),
  }),
)

/** Instance types under a name, to which scenarios refer. */
export interface ScenarioCatalog extends TypeOf<typeof catalogForm> {}
/**
 * Decodes a catalogue file: instance types under a name.
 *
 * @example
 * decodeCatalog({ instanceTypes: [] })._tag // => 'Right'
 */
export const decodeCatalog = decoderOf<ScenarioCatalog>(catalogForm)

const offeringPatchForm = s.object({
  instanceType: s.optional(s.string({ emptyIsAbsent: true })),
  zone: s.optional(s.string({ emptyIsAbsent: true })),
  capacityType: s.optional(s.string({ emptyIsAbsent: true })),
  available: s.optional(s.boolean()),
  priceFactor: s.optional(s.number()),
  add: s.optional(offeringForm),
})
export interface OfferingPatchForm extends TypeOf<typeof offeringPatchForm> {}

const optionsForm = s.object({
  preferencePolicy: s.filledIn(s.literals(['Respect', 'Ignore']), 'Respect'),
  minValuesPolicy: s.filledIn(s.literals(['Strict', 'BestEffort']), 'Strict'),
  ignoreDRARequests: s.filledIn(s.boolean(), true),
  /** How many workers the reference searches with; it changes no decision of ours. */
  cpuRequests: s.filledIn(s.integer(), 1000),
  featureGates: s.filledIn(s.record(s.boolean()), {}),
})

export const scenarioForm = s.named(
  'Scenario',
  s.object({
    version: s.integer({ minimum: 1, maximum: 1 }),
    name: s.filledIn(s.string(), ''),
    family: s.filledIn(s.string(), ''),
    kind: s.filledIn(s.literals(['provision', 'disrupt']), 'provision'),
    seed: s.filledIn(s.integer(), 0),
    now: s.instant(),
    options: s.filledIn(optionsForm, {}),
    wellKnownLabels: s.filledIn(s.array(s.string()), []),
    catalog: s.optional(s.string({ emptyIsAbsent: true })),
    catalogSelect: s.filledIn(s.array(s.string()), []),
    offeringPatches: s.filledIn(s.array(offeringPatchForm), []),
    instanceTypes: s.filledIn(s.array(instanceTypeForm), []),
    instanceTypesByNodePool: s.filledIn(s.record(s.array(s.string())), {}),
    objects: s.array(s.any()),
  }),
)

export interface ScenarioForm extends TypeOf<typeof scenarioForm> {}
export const decodeScenario = decoderOf<ScenarioForm>(scenarioForm)
