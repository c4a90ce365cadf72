/**
 * One process of the scheduling bench: reads the scenario named by its first argument and plans it as often as the
 * second says, each time from objects read anew, so that only the compiled code is warm. Prints one JSON line.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { planProvisioning, readScenario } from '../packages/core/src/index.ts'
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

const catalogOf = catalogsIn(fileURLToPath(new URL('../vectors/catalogs', import.meta.url)))

const pass = (file: string): PassFigures => {
  const ingestFrom = performance.now()
  const read = readScenario(JSON.parse(readFileSync(file, 'utf8')), catalogOf)
  if (read._tag === 'Left') throw new Error(`Cannot read ${file}: ${read.left.slice(0, 3).join('; ')}`)
  const { snapshot } = read.right
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
  const [, , file = '', times = '1'] = process.argv
  const passes = Array.from({ length: Number(times) }, () => pass(file))
  const figures: ProcessFigures = { passes, peakRssBytes: process.resourceUsage().maxRSS * 1024 }
  process.stdout.write(`${JSON.stringify(figures)}\n`)
}
