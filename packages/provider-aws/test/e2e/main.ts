/**
 * `npm run e2e:aws`: the SDK and the controller against moto behind our proxy, over sockets.
 *
 * moto is Python: where there is none the suite says so and passes by. `--full` adds what takes minutes; further
 * arguments are handed on to jest.
 */
import { runStep } from '../../../../tools/step.ts'
import { findPython } from '../emulator/index.ts'

const args = process.argv.slice(2)

if (findPython() === undefined) {
  process.stdout.write(
    'skipped: the suite against moto needs Python 3.10 or later with venv and pip, and there is none\n',
  )
} else {
  const isPassed = await runStep({
    name: 'running the controller against moto',
    script: 'node_modules/jest/bin/jest.js',
    nodeFlags: ['--experimental-vm-modules'],
    args: [
      // The controller waits most of its time: the others run beside it, each with a moto of its own.
      ...['--testMatch', '<rootDir>/packages/provider-aws/test/**/*.e2e.ts', '--maxWorkers=2'],
      ...args.filter((argument) => argument !== '--full'),
    ],
    env: { SCANTLING_SUITE: 'e2e-aws', ...(args.includes('--full') && { SCANTLING_E2E: 'full' }) },
  })
  if (!isPassed) process.exitCode = 1
}
