/** `npm run sim -- --seed N [--runs N]`: simulations drawn from seeds, each run twice. */
import { parseArgs } from 'node:util'
import { simulate } from './seeded/index.ts'

const help = `Usage: npm run sim -- [--seed N] [--runs N] [--verbose] [--once]

Draws a world from each seed (options are printed), lets faults befall it, heals it, and waits
for it to come to rest. Each seed is run twice; equal seeds must give equal traces.

  --seed N     the first seed (1)
  --runs N     how many seeds, one after the other (1)
  --once       run each seed once only
  --verbose    say what befalls the cluster

Exit code: 0; 1 when a checker found something, a world did not come to rest, or two runs differ.`

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '1' },
    once: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

const runSeed = async (seed: number): Promise<boolean> => {
  const startedMs = performance.now()
  const first = await simulate({ seed, ...(values.verbose && { onEvent: (sentence) => console.log(`  ${sentence}`) }) })
  const second = values.once ? first : await simulate({ seed })
  const { world, violations, trace, restedAfterMs, ...counts } = first
  const problems = [
    ...violations,
    ...(second.trace === trace ? [] : [`two runs differ: traces ${trace} and ${second.trace}`]),
  ]
  console.log(`seed ${seed}: ${problems.length === 0 ? 'well' : 'FAILED'}, trace ${trace}`)
  console.log(`  options ${JSON.stringify(world)}`)
  console.log(
    `  ${JSON.stringify({ ...counts, restedAfterMinutes: Math.round(restedAfterMs / 6000) / 10 })}, ${((performance.now() - startedMs) / 1000).toFixed(1)} s`,
  )
  for (const problem of problems) console.log(`  ${problem}`)
  return problems.length === 0
}

const main = async (): Promise<number> => {
  if (values.help) {
    console.log(help)
    return 0
  }
  const first = Number(values.seed)
  const runs = Number(values.runs)
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(runs) || runs < 1) {
    console.error(`Cannot use --seed ${values.seed} --runs ${values.runs}: expected whole numbers`)
    return 2
  }
  const failed: Array<number> = []
  for (let seed = first; seed < first + runs; seed++) if (!(await runSeed(seed))) failed.push(seed)
  if (failed.length > 0) console.log(`Failed: ${failed.map((seed) => `npm run sim -- --seed ${seed}`).join(', ')}`)
  return failed.length === 0 ? 0 : 1
}

process.exitCode = await main()
