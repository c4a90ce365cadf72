import * as E from 'fp-ts/lib/Either.js'

import {
  defaultFeatureGates,
  type FeatureGates,
  type LabelRules,
  type NodeClassReference,
  type PlanningSettings,
  type Snapshot,
} from '../cluster/index.ts'
import { decodeObjects, snapshotOf } from '../ingest/index.ts'
import { coreLabelKnowledge, Labels } from '../labels/index.ts'
import { joinPath, renderFieldError } from '../schema/index.ts'
import { Time } from '../time/index.ts'
import { decodeScenario, type ScenarioCatalog, type ScenarioForm } from './form.ts'
import { buildType, selectTypes } from './instance-types.ts'

/** A question with all that is needed to answer it. */
export interface Scenario {
  readonly name: string
  readonly family: string
  readonly kind: 'provision' | 'disrupt'
  readonly snapshot: Snapshot
}

/** The label that names a reservation in scenarios. */
export const reservationLabelKey = 'oracle.test/reservation-id'

const scenarioLabels = [
  ...['size', 'family', 'cpu', 'memory'].map((part) => `karpenter.kwok.sh/instance-${part}`),
  reservationLabelKey,
]

/**
 * Reads a scenario, as parsed from JSON, into a snapshot.
 *
 * `catalogOf` looks up the catalogue that the scenario names.
 * Errors: every sentence that says what is wrong, each with its path; an object that does not decode refuses the whole.
 *
 * @example
 * readScenario({ kind: 'provision' }, () => undefined)._tag // => 'Left'
 */
export const readScenario = (
  json: unknown,
  catalogOf: (name: string) => ScenarioCatalog | undefined,
): E.Either<ReadonlyArray<string>, Scenario> => {
  const decoded = decodeScenario(json)
  if (E.isLeft(decoded)) return E.left(decoded.left.map(renderFieldError))
  const form = decoded.right
  const problems: Array<string> = []
  const catalog = form.catalog === undefined ? undefined : catalogOf(form.catalog)
  if (form.catalog !== undefined && catalog === undefined) {
    problems.push(`catalog: Invalid value: ${JSON.stringify(form.catalog)}: there is no such catalogue`)
  }
  const { types, missing } = selectTypes(form, catalog)
  if (catalog !== undefined) {
    problems.push(
      ...missing.map((name) => `catalogSelect: Invalid value: ${JSON.stringify(name)}: not in ${catalog.name}`),
    )
  }
  if (!form.options.ignoreDRARequests) {
    problems.push('options.ignoreDRARequests: Invalid value: false: dynamic resource allocation is not planned')
  }
  const { lists, refused } = decodeObjects(form.objects)
  for (const { index, errors } of refused) {
    problems.push(
      ...errors.map((error) => renderFieldError({ ...error, path: joinPath(`objects[${index}]`, error.path) })),
    )
  }
  const nowMs = E.getOrElse(() => 0)(Time.parseInstant(form.now))
  const labelRules = labelRulesOf([...form.wellKnownLabels, ...(catalog?.wellKnownLabels ?? [])])
  const built = types.map((type) => buildType(type, labelRules.knowledge, nowMs))
  const byName = new Map(built.map((type) => [type.name, type]))
  const byPool = form.instanceTypesByNodePool
  for (const [nodePool, names] of Object.entries(byPool)) {
    for (const name of names.filter((one) => !byName.has(one))) {
      problems.push(
        `instanceTypesByNodePool[${nodePool}]: Invalid value: ${JSON.stringify(name)}: there is no such type`,
      )
    }
  }
  const settings = settingsOf(form, problems)
  if (problems.length > 0) return E.left(problems)
  return E.right({
    name: form.name,
    family: form.family,
    kind: form.kind,
    snapshot: snapshotOf(lists, {
      nowMs,
      settings,
      labelRules,
      supportsNodeClass,
      readiness: 'stated',
      instanceTypes: ({ name }) =>
        Object.hasOwn(byPool, name) ? (byPool[name] ?? []).flatMap((one) => byName.get(one) ?? []) : built,
    }),
  })
}

const supportsNodeClass = ({ group, kind }: NodeClassReference) =>
  group === 'karpenter.kwok.sh' && kind === 'KWOKNodeClass'

const labelRulesOf = (wellKnown: ReadonlyArray<string>): LabelRules => ({
  knowledge: Labels.extend(coreLabelKnowledge, {
    wellKnown: [...scenarioLabels, ...wellKnown].map((key) => ({ key })),
    restricted: ['karpenter.kwok.sh'],
  }),
  reservation: { id: reservationLabelKey, all: [] },
  unsupportedTopologyKeys: new Set(),
  unsupportedProvisioners: new Set(),
})

// Gates are matched without regard to case, as on the reference's command line.
const gateNames = new Map(Object.keys(defaultFeatureGates).map((name) => [name.toLowerCase(), name]))

const settingsOf = ({ options }: ScenarioForm, problems: Array<string>): PlanningSettings => {
  const featureGates: Record<string, boolean> = { ...defaultFeatureGates }
  for (const [written, value] of Object.entries(options.featureGates)) {
    const name = gateNames.get(written.toLowerCase())
    if (name === undefined) problems.push(`options.featureGates[${written}]: Invalid value: there is no such gate`)
    else featureGates[name] = value
  }
  return {
    preferencePolicy: options.preferencePolicy,
    minValuesPolicy: options.minValuesPolicy,
    featureGates: featureGates as unknown as FeatureGates,
    defaultTopologySpread: [],
  }
}
