/**
 * `npm run bench:disruption -- --nodes 100,300,2000 --pods 8`: planning disruption beside the reference, in one run.
 *
 * Two fleets: one so full that every candidate has to be looked at in vain, and one in which a third of the nodes can
 * go. The reference runs on the first only, and only up to 300 nodes: it grows with the cluster, and beyond that takes
 * all day. Where it cannot be built, only ours is measured.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import { findOracle } from '../packages/cli/src/oracle/oracle-binary.ts'
import type { DisruptFigures } from './disrupt-once.ts'
import { fleet, type FleetOptions } from './fleet.ts'

const mostReferenceNodes = 300
const disruptOnce = fileURLToPath(new URL('disrupt-once.ts', import.meta.url))

const runOurs = (options: FleetOptions): DisruptFigures => {
  const args = ['--conditions=@scantling/source', disruptOnce, JSON.stringify(options)]
  const ran = spawnSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  if (ran.status !== 0) throw new Error(`Planning disruption of ${options.nodes} nodes failed`)
  return JSON.parse(ran.stdout) as DisruptFigures
}

/** Milliseconds that the reference takes for one candidate of single-node consolidation. */
const runReference = (run: (args: ReadonlyArray<string>) => string, options: FleetOptions): number => {
  const folder = mkdtempSync(join(tmpdir(), 'scantling-fleet-'))
  try {
    const file = join(folder, 'fleet.json')
    writeFileSync(file, JSON.stringify(fleet(options)))
    const { timing } = JSON.parse(run(['disrupt', '--runs', '1', '--repeat', '1', file])) as {
      readonly timing: Readonly<Record<string, number>>
    }
    return (timing['single-node-consolidation'] ?? Number.NaN) / options.nodes / 1e6
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const print = (name: string, ours: DisruptFigures, referenceMs: number | undefined): void => {
  const { nodes, pods, planMs, candidateMs, simulations, decision, rssBytes } = ours
  const parts = [
    `${name} ${nodes} nodes, ${pods} pods`,
    `plan ${Math.round(planMs)} ms (${simulations} simulations, ${decision || 'nothing to take away'})`,
    ...(candidateMs === null ? [] : [`a candidate ${candidateMs.toFixed(2)} ms`]),
    ...(candidateMs === null || referenceMs === undefined
      ? []
      : [`the reference ${referenceMs.toFixed(1)} ms, ${Math.round(referenceMs / candidateMs)} times as long`]),
    `RSS ${Math.round(rssBytes / 1e6)} MB`,
  ]
  console.log(parts.join('; '))
}

const main = (): void => {
  const { values } = parseArgs({
    options: { nodes: { type: 'string', default: '100,300,2000' }, pods: { type: 'string', default: '8' } },
  })
  const oracle = findOracle((line) => console.log(line))
  if (typeof oracle === 'string') console.log(`Without the reference: ${oracle}`)
  for (const nodes of values.nodes.split(',').map(Number)) {
    const full = { nodes, podsPerNode: Number(values.pods), sparseEvery: 0 }
    const isCompared = typeof oracle !== 'string' && nodes <= mostReferenceNodes
    print('full  ', runOurs(full), isCompared ? runReference(oracle.run, full) : undefined)
    print('sparse', runOurs({ ...full, sparseEvery: 3 }), undefined)
  }
}

main()
