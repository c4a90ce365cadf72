import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { stdin } from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import {
  planDisruption,
  planProvisioning,
  podKey,
  readScenario,
  renderRejection,
  renderRejectionTable,
  type ProvisioningPlan,
  type ScenarioCatalog,
  type Snapshot,
  type Strategy,
} from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'

import { UsageError, type Command, type Terminal } from '../command.ts'
import { readManifests } from '../manifests/read-manifests.ts'
import { sortObjects } from '../manifests/sort-objects.ts'
import { chosenCatalog } from '../plan/chosen-catalog.ts'
import { describePlan } from '../plan/describe-plan.ts'
import { planManifests, type Catalog } from '../plan/plan-manifests.ts'
import { isSnapshotFile, readSnapshotFile } from '../plan/snapshot-file.ts'
import { renderPlan } from '../plan/render-plan.ts'
import { renderDisruption } from '../plan/render-disruption.ts'
import { answerAsAsked } from '../plan/scenario-answer.ts'
import { catalogsIn } from '../plan/scenario-files.ts'

const help = `Usage: scantling plan -f FILE|DIR|- [-f …] [options]
       scantling plan --scenario FILE|- [options]

Prints which nodes would be launched for the pods in the manifests, which pods go
where, what has no place and why, and what it costs. It needs no cluster and no cloud:
workloads are expanded into pods, and NodePools count as Ready.

  -f, --filename PATH    manifests: a file, a directory, or - for standard input; repeatable;
                         or one snapshot, as /debug/snapshot of a controller gives it
      --catalog NAME     instance types: ec2-like, azure-like, kwok, or a JSON file
                         (default: azure-like if every NodePool names an Azure class, else ec2-like);
                         aws, azure: the cloud's own types in a region, without an account,
                         as the EC2NodeClasses or AKSNodeClasses among the manifests see them
      --region NAME      of --catalog aws or azure, such as eu-west-1 or westeurope
      --prices FILE      of --catalog aws or azure: your prices in place of the catalogue's, as
                         lines of TYPE PRICE [CAPACITY-TYPE [ZONE]] (Azure: no zone), or as
                         "aws pricing get-products --output json" prints them or Azure's retail
                         price list has them
      --scenario PATH    a scenario instead of manifests; with -, one a line on standard
                         input and one answer a line in the same order
      --catalogs DIR     where the catalogue that a scenario names is looked up
      --strategy NAME    first-fit, or reference for Karpenter's own decisions
                         (default: first-fit for manifests, reference for scenarios)
      --for WHAT         provisioning (default), or disruption: which nodes would be taken
                         away, and why not the others; scenarios say themselves
      --why POD          say of one pod without a place how far each NodePool came
      --json             print data instead of text
  -h, --help

Exit code: 0; 1 when something was refused or a pod has no place; 2 for a wrong command line.`

const parse = (args: ReadonlyArray<string>) =>
  parseArgs({
    args: [...args],
    options: {
      filename: { type: 'string', short: 'f', multiple: true },
      catalog: { type: 'string' },
      region: { type: 'string' },
      prices: { type: 'string' },
      scenario: { type: 'string' },
      catalogs: { type: 'string' },
      strategy: { type: 'string' },
      for: { type: 'string', default: 'provisioning' },
      why: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  }).values

type Options = ReturnType<typeof parse>

const run = async (args: ReadonlyArray<string>, terminal: Terminal): Promise<number> => {
  const options = parse(args)
  if (options.help) {
    terminal.out(help)
    return 0
  }
  if (options.for !== 'provisioning' && options.for !== 'disruption') {
    throw new UsageError(`--for: Invalid value: ${JSON.stringify(options.for)}: expected provisioning or disruption`)
  }
  if (options.scenario === '-') return answerLines(options, terminal)
  if (options.scenario !== undefined) return answerFile(options.scenario, options, terminal)
  if (options.filename === undefined) throw new UsageError('Name manifests with -f, or a scenario with --scenario')
  return planFiles(options.filename, options, terminal)
}

const strategyOf = ({ strategy }: Options, fallback: Strategy): Strategy => {
  if (strategy === undefined) return fallback
  if (strategy === 'reference' || strategy === 'first-fit') return strategy
  throw new UsageError(`--strategy: Invalid value: ${JSON.stringify(strategy)}: expected first-fit or reference`)
}

const planFiles = async (paths: ReadonlyArray<string>, options: Options, terminal: Terminal): Promise<number> => {
  const strategy = strategyOf(options, 'first-fit')
  const [first = ''] = paths
  if (paths.length === 1 && isSnapshotFile(first)) return replaySnapshot(first, options, terminal)
  const read = readManifests(paths)
  const sorted = sortObjects(read.manifests)
  const catalog = await chosenCatalog(options, sorted)
  if (E.isLeft(catalog)) {
    for (const problem of catalog.left) terminal.err(problem)
    return 1
  }
  const { snapshot, plan, problems } = planManifests(sorted, catalog.right, { strategy, nowMs: Date.now() })
  for (const note of sorted.notes) terminal.err(note)
  const refusals = [...read.problems, ...sorted.problems, ...catalog.right.problems, ...problems]
  for (const refusal of refusals) terminal.err(`Refused: ${refusal}`)
  return tellPlan({ snapshot, plan, refusals, catalog: catalog.right }, { ...options, strategy }, terminal)
}

const replaySnapshot = (file: string, options: Options, terminal: Terminal): number => {
  const strategy = strategyOf(options, 'first-fit')
  const read = readSnapshotFile(file)
  if (E.isLeft(read)) {
    terminal.err(read.left)
    return 1
  }
  const snapshot = read.right
  const plan = planProvisioning(snapshot, { strategy, reservedOfferings: 'strict' })
  return tellPlan({ snapshot, plan, refusals: [], catalog: { notes: [] } }, { ...options, strategy }, terminal)
}

interface Planned {
  readonly snapshot: Snapshot
  readonly plan: ProvisioningPlan
  readonly refusals: ReadonlyArray<string>
  readonly catalog: Pick<Catalog, 'notes' | 'sources'>
}

const tellPlan = (
  { snapshot, plan, refusals, catalog: { notes, sources } }: Planned,
  options: Options & { readonly strategy: Strategy },
  terminal: Terminal,
): number => {
  const tell = (text: string) =>
    terminal.out(notes.length === 0 ? text : [text, notes.join('\n')].filter((part) => part !== '').join('\n\n'))
  if (options.why !== undefined) return explainPod(options.why, plan, { ...terminal, out: tell })
  if (options.for === 'disruption') {
    tell(renderDisruption(planDisruption(snapshot, { strategy: options.strategy })))
    return refusals.length > 0 ? 1 : 0
  }
  const description = describePlan(plan, snapshot.labelRules.knowledge)
  if (options.json) {
    const catalogue = sources === undefined ? {} : { catalog: { sources, notes } }
    terminal.out(JSON.stringify({ ...description, refused: refusals, ...catalogue }, undefined, 2))
  } else tell(renderPlan(description))
  return refusals.length > 0 || plan.rejections.length > 0 ? 1 : 0
}

// Pods of the default namespace may go by their name alone.
const explainPod = (wanted: string, { rejections }: ProvisioningPlan, terminal: Terminal): number => {
  const name = wanted.includes('/') ? wanted : `default/${wanted}`
  const rejection = rejections.find(({ pod }) => podKey(pod) === name)
  terminal.out(
    rejection === undefined
      ? `Pod ${name} is not among those without a place`
      : `${renderRejection(rejection)}\n\n${renderRejectionTable(rejection)}`,
  )
  return rejection === undefined ? 0 : 1
}

const answerFile = (file: string, options: Options, terminal: Terminal): number => {
  const strategy = strategyOf(options, 'reference')
  const json = scenarioIn(file)
  if (typeof json === 'string') {
    terminal.err(json)
    return 1
  }
  const catalogOf = catalogLookup(options, file)
  if (options.json) {
    const result = answerAsAsked(json.scenario, { strategy, catalogOf })
    terminal.out(JSON.stringify(result))
    return result.failure === undefined ? 0 : 1
  }
  const scenario = readScenario(json.scenario, catalogOf)
  if (E.isLeft(scenario)) {
    for (const problem of scenario.left) terminal.err(`${file}: ${problem}`)
    return 1
  }
  const { snapshot, kind } = scenario.right
  if (kind === 'disrupt' || options.for === 'disruption') {
    terminal.out(renderDisruption(planDisruption(snapshot, { strategy })))
    return 0
  }
  const plan = planProvisioning(snapshot, { strategy, reservedOfferings: 'strict' })
  terminal.out(renderPlan(describePlan(plan, snapshot.labelRules.knowledge)))
  return plan.rejections.length > 0 ? 1 : 0
}

const answerLines = async (options: Options, terminal: Terminal): Promise<number> => {
  const strategy = strategyOf(options, 'reference')
  const catalogOf = catalogLookup(options)
  let hasFailed = false
  for await (const line of createInterface({ input: stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() === '') continue
    const result = answerAsAsked(scenarioOf(parseJson(line)), { strategy, catalogOf })
    hasFailed ||= result.failure !== undefined
    terminal.out(JSON.stringify(result))
  }
  return hasFailed ? 1 : 0
}

const scenarioIn = (file: string): string | { readonly scenario: unknown } => {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return `Cannot read ${file}: there is no such file`
  }
  const json = parseJson(text)
  return json === undefined ? `Cannot read ${file}: it is not JSON` : { scenario: scenarioOf(json) }
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

// A vector holds its scenario beside the expected answer.
const scenarioOf = (json: unknown): unknown => {
  const { scenario } = (json ?? {}) as { readonly scenario?: unknown }
  return typeof scenario === 'object' && scenario !== null ? scenario : json
}

const ownCatalogs = fileURLToPath(new URL('../../../../vectors/catalogs', import.meta.url))

/** The directory that was named; else a `catalogs` folder above the scenario; else the one that comes with the vectors. */
const catalogLookup = ({ catalogs }: Options, file?: string): ((name: string) => ScenarioCatalog | undefined) => {
  if (catalogs !== undefined) return catalogsIn(catalogs)
  let directory = file === undefined ? undefined : dirname(resolve(file))
  while (directory !== undefined && !existsSync(join(directory, 'catalogs'))) {
    directory = dirname(directory) === directory ? undefined : dirname(directory)
  }
  const near = directory === undefined ? undefined : catalogsIn(join(directory, 'catalogs'))
  const own = catalogsIn(ownCatalogs)
  return (name) => near?.(name) ?? own(name)
}

export const planCommand: Command = {
  name: 'plan',
  summary: 'print the nodes that would be launched for manifests, without any cluster',
  help,
  run,
}
