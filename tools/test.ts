/** `npm test`: type-checks everything, then runs every test. Arguments are passed on to jest, without the type-check. */
import { runStep } from './step.ts'

const args = process.argv.slice(2)
const isWhole = args.length === 0

const isTyped = !isWhole || (await runStep({ name: 'type-checking every package', script: 'tools/typecheck.ts' }))
const isTested = await runStep({
  name: isWhole ? 'running every test' : `running jest ${args.join(' ')}`,
  script: 'node_modules/jest/bin/jest.js',
  nodeFlags: ['--experimental-vm-modules'],
  args: isWhole ? ['--maxWorkers=100%'] : args,
  env: isWhole ? { SCANTLING_SUITE: 'unit', SCANTLING_FAILED_BEFORE: isTyped ? '0' : '1' } : {},
})
if (!isTyped || !isTested) process.exitCode = 1
