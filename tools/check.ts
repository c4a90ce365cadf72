/** `npm run check`: everything short of running the tests, each step even where an earlier one failed. */
import { runStep } from './step.ts'
import type { Step } from './step.ts'

const steps: ReadonlyArray<Step> = [
  { name: 'lint', script: 'node_modules/oxlint/bin/oxlint', args: ['--type-aware', '--deny-warnings'] },
  { name: 'types', script: 'tools/typecheck.ts' },
  { name: 'dependency rules', script: 'tools/dependencies.ts' },
  { name: 'format', script: 'node_modules/prettier/bin/prettier.cjs', args: ['--check', '.', '--log-level', 'warn'] },
  { name: 'unused code', script: 'node_modules/knip/bin/knip.js', args: ['--no-config-hints'] },
  { name: 'generated files', script: 'tools/generate.ts', args: ['--check'] },
]

const failed: Array<string> = []
for (const step of steps) if (!(await runStep(step))) failed.push(step.name)

console.log(failed.length === 0 ? '\nEverything is in order' : `\nNot in order: ${failed.join(', ')}`)
console.log(`${steps.length - failed.length} passed, ${failed.length} failed`)
if (failed.length > 0) process.exitCode = 1
