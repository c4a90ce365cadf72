/**
 * `npm run e2e:azure`: the SDKs and the controller against our emulator of ARM, over HTTPS.
 *
 * Needs Node and nothing else. Arguments are handed on to jest.
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../../', import.meta.url))

const child = spawn(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
    '--testMatch',
    '<rootDir>/packages/provider-azure/test/**/*.e2e.ts',
    // Most of the time is waiting: clusters run side by side.
    '--maxWorkers=4',
    ...process.argv.slice(2),
  ],
  { cwd: root, stdio: 'inherit', env: { ...process.env, SCANTLING_SUITE: 'e2e-azure' } },
)
child.on('close', (code) => (process.exitCode = code ?? 1))
