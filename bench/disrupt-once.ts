/** Plans disruption for one fleet, twice; prints what it took as JSON. A process of its own, so that memory is its own. */
import { fileURLToPath } from 'node:url'

import {
  disruptionByMethod,
  planDisruption,
  readScenario,
  startDisruption,
  type Snapshot,
} from '../packages/core/src/index.ts'
import * as E from 'fp-ts/lib/Either.js'

import { catalogsIn } from '../packages/cli/src/plan/scenario-files.ts'
import { fleet, type FleetOptions } from './fleet.ts'

export interface DisruptFigures {
  readonly nodes: number
  readonly pods: number
  /** The whole plan, the second time in the process. */
  readonly planMs: number
  readonly planCpuMs: number
  /** Single-node consolidation by itself, loading included, for each candidate, at its best; null where it ended at one. */
  readonly candidateMs: number | null
  /** The same in time of the processor, which a busy machine does not stretch. */
  readonly candidateCpuMs: number | null
  readonly simulations: number
  /** The longest that the plan keeps others waiting when it is made in slices of one unit. */
  readonly longestUnitMs: number
  readonly decision: string
  readonly rssBytes: number
}

interface Timed<A> {
  readonly ms: number
  readonly cpuMs: number
  readonly value: A
}

const timed = <A>(work: () => A): Timed<A> => {
  const before = performance.now()
  const cpuBefore = process.cpuUsage()
  const value = work()
  const ms = performance.now() - before
  const { user, system } = process.cpuUsage(cpuBefore)
  return { ms, cpuMs: (user + system) / 1000, value }
}

// What others do on the machine only ever adds time.
const repeats = 3
const best = <A>(work: () => A): Timed<A> =>
  Array.from({ length: repeats }, () => timed(work)).reduce((a, b) => ({
    ms: Math.min(a.ms, b.ms),
    cpuMs: Math.min(a.cpuMs, b.cpuMs),
    value: b.value,
  }))

const snapshotOf = (options: FleetOptions): Snapshot => {
  const catalogs = catalogsIn(fileURLToPath(new URL('../vectors/catalogs', import.meta.url)))
  const read = readScenario(fleet(options), catalogs)
  if (E.isLeft(read)) throw new Error(read.left.join('\n'))
  return read.right.snapshot
}

const measure = (options: FleetOptions): DisruptFigures => {
  const snapshot = snapshotOf(options)
  planDisruption(snapshot, { strategy: 'first-fit' })
  const { ms, cpuMs, value } = timed(() => planDisruption(snapshot, { strategy: 'first-fit' }))
  const single = best(() =>
    disruptionByMethod(snapshot, { strategy: 'reference', methods: ['single-node-consolidation'] }),
  )
  const run = startDisruption(snapshot, { strategy: 'first-fit' })
  let longestUnitMs = 0
  for (let isDone = false; !isDone;) {
    const { ms: unitMs, value: hasEnded } = timed(() => run.step(1))
    longestUnitMs = Math.max(longestUnitMs, unitMs)
    isDone = hasEnded
  }
  // Where one can go, the method ends there: only a fleet without any tells what a candidate takes.
  const [outcome] = single.value
  const looked = outcome?.commands.length === 0 ? outcome.candidates.length : undefined
  return {
    nodes: options.nodes,
    pods: snapshot.nodes.reduce((sum, { pods }) => sum + pods.length, 0),
    planMs: ms,
    planCpuMs: cpuMs,
    candidateMs: looked === undefined ? null : single.ms / looked,
    candidateCpuMs: looked === undefined ? null : single.cpuMs / looked,
    simulations: value.stats.simulations,
    longestUnitMs,
    decision: value.commands
      .map(({ candidates, replacements }) => `${candidates.length} for ${replacements.length} by ${value.method}`)
      .join(),
    rssBytes: process.memoryUsage().rss,
  }
}

console.log(JSON.stringify(measure(JSON.parse(process.argv[2] ?? '{}') as FleetOptions)))
