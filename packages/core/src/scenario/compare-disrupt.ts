import type { Difference } from './compare.ts'
import type { DisruptOutput, MethodOutput } from './disrupt-form.ts'
import { compareText } from '../internal/index.ts'
import { stableJson } from './stable-json.ts'

/** What the reference answered, as far as it is compared. */
export interface ExpectedDisrupt {
  readonly nondeterministic?: boolean
  /** Distinct answers that were seen; the first is that to the objects in their given order. */
  readonly outputs: ReadonlyArray<DisruptOutput>
  /** Projections in which runs of the reference differ among themselves. */
  readonly unstable?: ReadonlyArray<string>
}

/**
 * How an answer departs from the reference's; empty: it agrees.
 *
 * It agrees when it equals one of the outputs or, where the reference is nondeterministic, when it agrees with the first
 * output in every projection in which the reference's own runs do.
 *
 * @example
 * import { snapshotFor } from '@scantling/core/testing'
 * const snapshot = snapshotFor({})
 * const actual = disruptOutputOf(disruptionByMethod(snapshot, { strategy: 'reference' }), snapshot)
 * compareDisrupt({ outputs: [actual] }, actual) // => []
 */
export const compareDisrupt = (expected: ExpectedDisrupt, actual: DisruptOutput): ReadonlyArray<Difference> => {
  const text = comparable(actual)
  const [first] = expected.outputs
  if (first === undefined || expected.outputs.some((output) => comparable(output) === text)) return []
  const unstable = new Set(expected.nondeterministic === true ? expected.unstable : [])
  const found = projections(actual)
  const differences = [...projections(first)].flatMap(([projection, value]): ReadonlyArray<Difference> => {
    const other = found.get(projection) ?? ''
    return value === other || unstable.has(projection) ? [] : [{ projection, expected: value, actual: other }]
  })
  if (differences.length > 0 || expected.nondeterministic === true) return differences
  return [{ projection: 'whole', expected: comparable(first), actual: text }]
}

// Events are published on the way and not part of the decision.
const comparable = ({ selected, methods }: DisruptOutput): string =>
  stableJson({ selected, methods: methods.map(decided) })

const decided = ({ method, reason, decision, budgets, candidates, commands }: MethodOutput) => ({
  method,
  reason,
  decision,
  budgets,
  candidates,
  commands: inOrder(commands.map((command) => ({ ...command, replacements: inOrder(command.replacements) }))),
})

const inOrder = (values: ReadonlyArray<unknown>): ReadonlyArray<string> => values.map(stableJson).sort(compareText)

const projections = ({ selected, methods }: DisruptOutput): ReadonlyMap<string, string> =>
  new Map([
    ['selected', selected],
    ...methods.flatMap((output): ReadonlyArray<readonly [string, string]> => {
      const { method, decision, budgets, candidates } = output
      const { commands } = decided(output)
      const disrupted = output.commands.map((command) => stableJson(command.candidates)).sort(compareText)
      return [
        [`${method}.decision`, decision],
        [`${method}.budgets`, stableJson(budgets ?? {})],
        [`${method}.candidates`, stableJson(candidates)],
        [
          `${method}.disruptedCount`,
          stableJson(output.commands.map((command) => command.candidates.length).sort((a, b) => a - b)),
        ],
        [`${method}.disrupted`, stableJson(disrupted)],
        [`${method}.commands`, stableJson(commands)],
      ]
    }),
  ])
