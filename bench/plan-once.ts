/**
 * One process of the scheduling bench: `plan-once.ts FRAME PODS TIMES`.
 *
 * FRAME is a scenario without pods, PODS holds one pod a line. Pods are read one by one, as from a watch, so that what
 * the process holds is what a controller would. Plans TIMES times, each time from objects read anew: only the compiled
 * code is warm. Prints one JSON line.
 */
import { createReadStream, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import {
  decodePod,
  ingestPod,
  makePodInterner,
  planProvisioning,
  readScenario,
  type Pod,
  type Snapshot,
} from '../packages/core/src/index.ts'
import { catalogsIn } from '../packages/cli/src/plan/scenario-files.ts'

/** What one pass took and what came of it. */
export interface PassFigures {
  readonly pods: number
  readonly ingestMs: number
  readonly planMs: number
  readonly planCpuMs: number
  readonly nodes: number
  readonly unplaced: number
  readonly pricePerHour: number
}

export interface ProcessFigures {
  readonly passes: ReadonlyArray<PassFigures>
  readonly peakRssBytes: number
}

const readPods = async (file: string): Promise<ReadonlyArray<Pod>> => {
  const interner = makePodInterner()
  const pods: Array<Pod> = []
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const decoded = decodePod(JSON.parse(line))
    if (decoded._tag === 'Left') throw new Error(`Cannot read a pod of ${file}`)
    pods.push(ingestPod(decoded.right, interner))
  }
  return pods
}

const pass = async (frame: string, podsFile: string): Promise<PassFigures> => {
  const ingestFrom = performance.now()
  const catalogOf = catalogsIn(fileURLToPath(new URL('../vectors/catalogs', import.meta.url)))
  const read = readScenario(JSON.parse(readFileSync(frame, 'utf8')), catalogOf)
  if (read._tag === 'Left') throw new Error(`Cannot read ${frame}: ${read.left.slice(0, 3).join('; ')}`)
  const snapshot: Snapshot = { ...read.right.snapshot, pods: await readPods(podsFile) }
  const cpuFrom = process.cpuUsage()
  const planFrom = performance.now()
  const plan = planProvisioning(snapshot, { strategy: 'reference', reservedOfferings: 'strict' })
  const planMs = performance.now() - planFrom
  const cpu = process.cpuUsage(cpuFrom)
  return {
    pods: snapshot.pods.length,
    ingestMs: planFrom - ingestFrom,
    planMs,
    planCpuMs: (cpu.user + cpu.system) / 1000,
    nodes: plan.launches.length,
    unplaced: plan.rejections.length,
    pricePerHour: plan.launches.reduce((sum, { pricePerHour = 0 }) => sum + pricePerHour, 0),
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , frame = '', pods = '', times = '1'] = process.argv
  const passes: Array<PassFigures> = []
  for (let time = 0; time < Number(times); time += 1) passes.push(await pass(frame, pods))
  const figures: ProcessFigures = { passes, peakRssBytes: process.resourceUsage().maxRSS * 1024 }
  process.stdout.write(`${JSON.stringify(figures)}\n`)
}
