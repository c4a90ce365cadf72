import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { catalogNames, generateCatalog, isCatalogName, type CatalogEntry } from '@scantling/provider-kwok'
import { dailyCurve, isReplayed, parseLoadCurve, replay, sampleManifests, type LoadCurve } from '@scantling/simulation'
import { convertManifests } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { UsageError, type Command, type Terminal } from '../command.ts'
import { readManifests } from '../manifests/read-manifests.ts'
import { chooseCatalog } from '../plan/catalog-choice.ts'
import { renderDay, renderReplay } from '../simulate/render-replay.ts'

const help = `Usage: scantling simulate [-f FILE|DIR|- …] [options]

Replays a load curve in virtual time: controller, simulated cloud and Kubernetes run in this
process, Deployments are scaled along the curve, and the fleet is kept to it. Prints what it
cost, what moved and why. It needs no cluster and no cloud; equal options give equal answers.

  -f, --filename PATH    NodePools, Deployments, PodDisruptionBudgets …; replicas are those of
                         full load (default: twenty apps on one NodePool)
      --nodes N          how many machines the default takes at full load (200)
      --curve NAME|FILE  daily, or a file of lines such as "06:30 0.8" (daily)
      --days N           how long (1)
      --seed TEXT        decides latencies, prices and how apps differ (scantling)
      --catalog NAME     instance types: ${catalogNames.join(', ')} or a JSON file (ec2-like)
      --step DURATION    how often Deployments are scaled (1h)
      --slack DURATION   how late the controller's longer timers may be: what lets a month pass
                         in minutes (10m)
      --json             print data instead of text
  -h, --help

Exit code: 0; 1 when a checker found what must not be (a budget overdrawn, a limit exceeded,
a replacement cycle …) or a manifest was refused; 2 for a wrong command line.`

const run = async (args: ReadonlyArray<string>, terminal: Terminal): Promise<number> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      filename: { type: 'string', short: 'f', multiple: true },
      nodes: { type: 'string', default: '200' },
      curve: { type: 'string', default: 'daily' },
      days: { type: 'string', default: '1' },
      seed: { type: 'string', default: 'scantling' },
      catalog: { type: 'string', default: 'ec2-like' },
      step: { type: 'string', default: '1h' },
      slack: { type: 'string', default: '10m' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    terminal.out(help)
    return 0
  }
  const days = wholeNumber('--days', values.days, 366)
  const nodes = wholeNumber('--nodes', values.nodes, 5000)
  const stepMs = minutesIn('--step', values.step)
  const slackMs = minutesIn('--slack', values.slack)
  const curve = curveOf(values.curve)
  const catalog = entriesOf(values.catalog)
  if (E.isLeft(curve) || E.isLeft(catalog)) {
    for (const problem of [...(E.isLeft(curve) ? curve.left : []), ...(E.isLeft(catalog) ? catalog.left : [])])
      terminal.err(problem)
    return 1
  }
  const chosen = values.filename === undefined ? undefined : manifestsIn(values.filename, terminal)
  if (chosen?.isRefused) return 1
  const startedMs = performance.now()
  const outcome = await replay({
    manifests: chosen?.manifests ?? sampleManifests(nodes),
    curve: curve.right,
    days,
    seed: values.seed,
    catalog: catalog.right,
    stepMs,
    slackMs,
    ...(values.json ? {} : { onDay: (day) => terminal.out(renderDay(day)) }),
  })
  const seconds = (performance.now() - startedMs) / 1000
  terminal.out(values.json ? JSON.stringify({ ...outcome, seconds }, undefined, 2) : renderReplay(outcome, seconds))
  return outcome.violations.length > 0 ? 1 : 0
}

const wholeNumber = (flag: string, text: string, most: number): number => {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= 1 && value <= most) return value
  throw new UsageError(`Cannot use ${flag} ${JSON.stringify(text)}: expected a whole number from 1 to ${most}`)
}

const minuteMs = 60_000

const minutesIn = (flag: string, text: string): number => {
  const parts = /^(\d+)(m|h)$/.exec(text)
  const ms = parts === null ? 0 : Number(parts[1]) * (parts[2] === 'h' ? 60 : 1) * minuteMs
  if (ms > 0 && (24 * 60 * minuteMs) % ms === 0) return ms
  throw new UsageError(
    `Cannot use ${flag} ${JSON.stringify(text)}: expected minutes or hours that a day has a whole number of, such as 10m or 1h`,
  )
}

const curveOf = (choice: string): E.Either<ReadonlyArray<string>, LoadCurve> => {
  if (choice === 'daily') return E.right(dailyCurve)
  try {
    return parseLoadCurve(choice, readFileSync(choice, 'utf8'))
  } catch {
    return E.left([`Cannot read load curve ${choice}: there is no such file; write daily or a file`])
  }
}

const entriesOf = (choice: string): E.Either<ReadonlyArray<string>, ReadonlyArray<CatalogEntry>> => {
  if (isCatalogName(choice)) return E.right(generateCatalog(choice))
  const read = chooseCatalog(choice)
  return E.isLeft(read) ? read : E.right(JSON.parse(readFileSync(choice, 'utf8')) as ReadonlyArray<CatalogEntry>)
}

const manifestsIn = (paths: ReadonlyArray<string>, terminal: Terminal) => {
  const { manifests, problems } = readManifests(paths)
  const converted = convertManifests(manifests.map(({ object }) => object))
  const objects = converted.manifests as ReadonlyArray<Parameters<typeof replay>[0]['manifests'][number]>
  const left = [...new Set(objects.map(({ kind }) => kind).filter((kind) => !isReplayed(kind)))]
  if (left.length > 0) terminal.err(`Left out, since a replay makes nothing of them: ${left.join(', ')}`)
  for (const problem of problems) terminal.err(`Refused: ${problem}`)
  const hasWork = objects.some(({ kind }) => kind === 'Deployment') && objects.some(({ kind }) => kind === 'NodePool')
  if (!hasWork) terminal.err('Nothing to replay: name at least one NodePool and one Deployment with -f')
  return { manifests: objects.filter(({ kind }) => isReplayed(kind)), isRefused: problems.length > 0 || !hasWork }
}

export const simulateCommand: Command = {
  name: 'simulate',
  summary: 'replay a load curve in virtual time: cost, evictions, churn',
  help,
  run,
}
