import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { parseAllDocuments } from 'yaml'
import { builtHelm } from '../helm/helm.ts'
import { root } from '../step.ts'

/** A rendered object, as far as tests read it. */
export interface Rendered {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly rules?: ReadonlyArray<Rule>
  readonly spec?: unknown
}

export interface Rule {
  readonly apiGroups: ReadonlyArray<string>
  readonly resources: ReadonlyArray<string>
  readonly resourceNames?: ReadonlyArray<string>
  readonly verbs: ReadonlyArray<string>
}

type Values = Readonly<Record<string, unknown>>

// "npm test" promises to need Node and npm alone, and is the same whatever was built before.
const helm = process.env['SCANTLING_SUITE'] === 'unit' ? undefined : builtHelm()

/** Whether charts can be tested here: `npm run packaging` does, and builds Helm from its Go module where it is missing. */
export const hasHelm = helm !== undefined

/** Runs Helm. Throws with what it said when it fails. */
export const runHelm = (args: ReadonlyArray<string>, values: Values = {}): string => {
  const ran = spawnSync(helm ?? '', [...args, '--values', '-'], {
    cwd: path.join(root, 'deploy'),
    encoding: 'utf8',
    input: JSON.stringify(values),
    maxBuffer: 2 ** 26,
  })
  if (ran.status !== 0) throw new Error(`${ran.stdout}${ran.stderr}`)
  return ran.stdout
}

const rendered = new Map<string, ReadonlyArray<Rendered>>()

/** What `helm template` makes of a chart for a release `scantling` in namespace `karpenter`; equal questions cost once. */
export const template = (
  chart: 'chart' | 'chart-crds',
  values: Values = {},
  flags: ReadonlyArray<string> = [],
): ReadonlyArray<Rendered> => {
  const key = JSON.stringify([chart, values, flags])
  const known = rendered.get(key)
  if (known !== undefined) return known
  const text = runHelm(['template', 'scantling', chart, '--namespace', 'karpenter', ...flags], values)
  const objects = parseAllDocuments(text).flatMap((document) => (document.toJS() ?? []) as Rendered)
  rendered.set(key, objects)
  return objects
}
