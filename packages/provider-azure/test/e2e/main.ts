/**
 * `npm run e2e:azure`: the SDKs and the controller against our emulator of ARM, over HTTPS.
 *
 * Needs Node and nothing else. Arguments are handed on to jest.
 */
import { runStep } from '../../../../tools/step.ts'

const isPassed = await runStep({
  name: 'running the controller against the emulator of Azure',
  script: 'node_modules/jest/bin/jest.js',
  nodeFlags: ['--experimental-vm-modules'],
  args: [
    ...['--testMatch', '<rootDir>/packages/provider-azure/test/**/*.e2e.ts'],
    // Most of the time is waiting: clusters run side by side.
    '--maxWorkers=4',
    ...process.argv.slice(2),
  ],
  env: { SCANTLING_SUITE: 'e2e-azure' },
})
if (!isPassed) process.exitCode = 1
