/**
 * `npm run bench:scheduling -- --pods 1000,5000,20000 --types 400`: our scheduler beside the reference's, on the same
 * scenarios in one run.
 *
 * The reference runs with one worker, its best setting. Ours runs in processes of its own: cold (the first pass of a
 * process) and warm (the second, from objects read anew). Fails when a ratio, the memory or the growth is out of bounds;
 * where the reference cannot be built, only ours is measured and the ratios are said to be skipped.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { gunzipSync } from 'node:zlib'

import { findOracle } from '../packages/cli/src/oracle/oracle-binary.ts'
import type { PassFigures, ProcessFigures } from './plan-once.ts'

/** Least ratio of throughput, warm, by number of pods: what the largest size at or below asks for. */
const leastRatios: ReadonlyArray<readonly [pods: number, ratio: number]> = [
  [1000, 20],
  [5000, 50],
  [20_000, 100],
]
const rssBound = { fromPods: 20_000, bytes: 300e6 }
// From one size to a larger one the time may grow as the pods do, and by half as much again.
const growth = { fromPods: 5000, toPods: 20_000, factor: 1.5 }
const processes = 3
// How far the cost may exceed the reference's, beyond what its own runs differ by.
const costSlack = 1.01

interface ReferenceFigures {
  readonly ms: number
  readonly setupMs: number
  readonly cpuSeconds: number
  readonly peakRssBytes: number
  readonly nodes: ReadonlyArray<number>
  readonly unplaced: ReadonlyArray<number>
  readonly prices: ReadonlyArray<number>
}

interface Comparison {
  readonly pods: number
  readonly cold: PassFigures
  readonly warm: PassFigures
  readonly rssColdBytes: number
  readonly rssWarmBytes: number
  readonly reference: ReferenceFigures
}

const planOnce = fileURLToPath(new URL('plan-once.ts', import.meta.url))
const packedCatalog = fileURLToPath(new URL('../vectors/catalogs/bench400.json.gz', import.meta.url))

const runOurs = (frame: string, pods: string, times: number): ProcessFigures => {
  const args = ['--conditions=@scantling/source', planOnce, frame, pods, String(times)]
  const ran = spawnSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  if (ran.status !== 0) throw new Error(`Planning ${pods} failed`)
  return JSON.parse(ran.stdout) as ProcessFigures
}

/** Parts a scenario into what stands around its pods and the pods, one a line. */
const splitScenario = (scenario: string, frame: string, pods: string): void => {
  const form = JSON.parse(readFileSync(scenario, 'utf8')) as { readonly objects: ReadonlyArray<{ kind: string }> }
  const isPod = ({ kind }: { readonly kind: string }) => kind === 'Pod'
  writeFileSync(frame, JSON.stringify({ ...form, objects: form.objects.filter((object) => !isPod(object)) }))
  const lines = form.objects.filter(isPod).map((pod) => `${JSON.stringify(pod)}\n`)
  writeFileSync(pods, lines.join(''))
}

interface OracleBench {
  readonly newNodeClaims: ReadonlyArray<number>
  readonly podErrors: ReadonlyArray<number>
  readonly price: ReadonlyArray<number>
  readonly solveNanos: number
  readonly setupNanos: number
  readonly peakRSSBytes: number
}

/** Runs the reference, and leaves the scenario in `file`. The shell's `time` tells what the process cost in CPU. */
const runReference = (binary: string, catalogs: string, args: ReadonlyArray<string>): ReferenceFigures => {
  const ran = spawnSync('bash', ['-c', 'TIMEFORMAT="cpu %U %S"; time "$0" "$@"', binary, 'bench', ...args], {
    env: { ...process.env, ORACLE_CATALOGS: catalogs, LC_ALL: 'C' },
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  if (ran.status !== 0) throw new Error(`The reference failed: ${ran.stderr.trim()}`)
  const [, user = '0', system = '0'] = /^cpu (\S+) (\S+)$/m.exec(ran.stderr) ?? []
  const bench = JSON.parse(ran.stdout) as OracleBench
  return {
    ms: bench.solveNanos / 1e6,
    setupMs: bench.setupNanos / 1e6,
    cpuSeconds: Number(user) + Number(system),
    peakRssBytes: bench.peakRSSBytes,
    nodes: bench.newNodeClaims,
    unplaced: bench.podErrors,
    prices: bench.price,
  }
}

const compare = (
  binary: string,
  catalogs: string,
  sizes: { readonly pods: number; readonly types: number },
  repeat: number,
): Comparison => {
  const scenario = join(catalogs, `${sizes.pods}.json`)
  const reference = runReference(binary, catalogs, [
    ...['--pods', String(sizes.pods)],
    ...['--types', String(sizes.types)],
    ...['--workers', '1'],
    ...['--repeat', String(repeat)],
    ...['--write', scenario],
  ])
  const [frame, pods] = [join(catalogs, 'frame.json'), join(catalogs, 'pods.jsonl')]
  splitScenario(scenario, frame, pods)
  // The best of several processes, as of the reference: a pass this short is at the mercy of neighbours.
  const once = Array.from({ length: processes }, () => runOurs(frame, pods, 1))
  const twice = Array.from({ length: processes }, () => runOurs(frame, pods, 2))
  rmSync(scenario)
  return {
    pods: sizes.pods,
    cold: fastest(once.map(({ passes }) => passes[0]!)),
    warm: fastest(twice.map(({ passes }) => passes[1]!)),
    rssColdBytes: Math.max(...once.map(({ peakRssBytes }) => peakRssBytes)),
    rssWarmBytes: Math.max(...twice.map(({ peakRssBytes }) => peakRssBytes)),
    reference,
  }
}

const fastest = (passes: ReadonlyArray<PassFigures>): PassFigures =>
  passes.reduce((best, pass) => (pass.planMs < best.planMs ? pass : best))

const number = (value: number, digits = 0): string =>
  value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
const megabytes = (bytes: number): string => `${number(bytes / 1e6)} MB`
const range = (values: ReadonlyArray<number>, digits = 0): string => {
  const [least, most] = [Math.min(...values), Math.max(...values)]
  return least === most ? number(least, digits) : `${number(least, digits)}–${number(most, digits)}`
}

const render = ({ pods, cold, warm, rssColdBytes, rssWarmBytes, reference }: Comparison): string => {
  const ours = (name: string, pass: PassFigures, rss: number): ReadonlyArray<string> => [
    name,
    number((pods / pass.planMs) * 1000),
    number(pass.planMs, 1),
    number(pass.planCpuMs / 1000, 2),
    megabytes(rss),
    number(pass.nodes),
    number(pass.unplaced),
    number(pass.pricePerHour, 2),
    `${number(reference.ms / pass.planMs, 1)}×`,
  ]
  const rows = [
    [`${number(pods)} pods`, 'pods/s', 'ms', 'CPU s', 'peak RSS', 'nodes', 'unplaced', 'cost/h', 'ratio'],
    [
      'reference',
      number((pods / reference.ms) * 1000),
      number(reference.ms, 1),
      number(reference.cpuSeconds, 2),
      megabytes(reference.peakRssBytes),
      range(reference.nodes),
      range(reference.unplaced),
      range(reference.prices, 2),
      '1×',
    ],
    ours('ours, cold', cold, rssColdBytes),
    ours('ours, warm', warm, rssWarmBytes),
  ]
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  '),
  )
  return `${lines.join('\n')}\n  reading the objects: ${number(cold.ingestMs)} ms cold, ${number(warm.ingestMs)} ms warm; the reference also needs ${number(reference.setupMs)} ms to set up, which the ratio leaves out\n`
}

const problemsOf = (comparisons: ReadonlyArray<Comparison>): ReadonlyArray<string> => {
  const problems = comparisons.flatMap(({ pods, warm, rssColdBytes, rssWarmBytes, reference }) => {
    const found: Array<string> = []
    const least = leastRatios.findLast(([from]) => from <= pods)?.[1]
    const ratio = reference.ms / warm.planMs
    if (least !== undefined && ratio < least)
      found.push(
        `${number(pods)} pods: ${number(ratio, 1)} times the reference's throughput, and ${least} are asked for`,
      )
    const rss = Math.max(rssColdBytes, rssWarmBytes)
    if (pods >= rssBound.fromPods && rss > rssBound.bytes)
      found.push(`${number(pods)} pods: ${megabytes(rss)} at the peak, and ${megabytes(rssBound.bytes)} are allowed`)
    if (warm.nodes > Math.max(...reference.nodes) || warm.unplaced > Math.max(...reference.unplaced))
      found.push(`${number(pods)} pods: more nodes, or more pods without a place, than the reference`)
    if (warm.pricePerHour > Math.max(...reference.prices) * costSlack)
      found.push(`${number(pods)} pods: dearer than the reference`)
    return found
  })
  const at = (size: number) => comparisons.find(({ pods }) => pods === size)
  const [smaller, larger] = [at(growth.fromPods), at(growth.toPods)]
  if (smaller !== undefined && larger !== undefined) {
    const grown = larger.warm.planMs / smaller.warm.planMs / (larger.pods / smaller.pods)
    console.log(
      `growth from ${number(smaller.pods)} to ${number(larger.pods)} pods: ${number(grown, 2)} times linear (at most ${growth.factor})`,
    )
    if (grown > growth.factor) problems.push(`the time grows ${number(grown, 2)} times as fast as the pods`)
  }
  return problems
}

// What the reference alone can make, the scenarios, it has to be there for.
const main = (): void => {
  const { values } = parseArgs({
    options: {
      pods: { type: 'string', default: '1000,5000,20000' },
      types: { type: 'string', default: '400' },
      /** Runs of the reference; its fastest counts. By default 3 up to 1,000 pods and 1 beyond, which takes minutes. */
      repeat: { type: 'string' },
    },
  })
  const oracle = findOracle((line) => console.log(line))
  if (typeof oracle === 'string') {
    console.log(`Skipped: ${oracle}`)
    return
  }
  const folder = mkdtempSync(join(tmpdir(), 'scantling-bench-'))
  try {
    writeFileSync(join(folder, 'bench400.json'), gunzipSync(readFileSync(packedCatalog)))
    const comparisons = values.pods.split(',').map((pods) => {
      const sizes = { pods: Number(pods), types: Number(values.types) }
      const comparison = compare(oracle.binary, folder, sizes, Number(values.repeat ?? (sizes.pods > 1000 ? 1 : 3)))
      console.log(render(comparison))
      return comparison
    })
    const problems = problemsOf(comparisons)
    for (const problem of problems) console.error(`Out of bounds: ${problem}`)
    console.log(`${problems.length === 0 ? 'All' : 'Not all'} bounds hold`)
    if (problems.length > 0) process.exitCode = 1
  } finally {
    rmSync(folder, { recursive: true })
  }
}

main()
