/**
 * `npm run e2e:aws`: the SDK and the controller against moto behind our proxy, over sockets.
 *
 * moto is Python: where there is none the suite says so and passes by. `--full` adds what takes minutes; further
 * arguments are handed on to jest.
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { findPython } from '../emulator/index.ts'

const isFull = process.argv.includes('--full')
const root = fileURLToPath(new URL('../../../../', import.meta.url))

if (findPython() === undefined) {
  process.stdout.write(
    'skipped: the suite against moto needs Python 3.10 or later with venv and pip, and there is none\n',
  )
} else {
  const child = spawn(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      'node_modules/jest/bin/jest.js',
      '--testMatch',
      '<rootDir>/packages/provider-aws/test/**/*.e2e.ts',
      '--runInBand',
      ...process.argv.slice(2).filter((argument) => argument !== '--full'),
    ],
    {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, SCANTLING_SUITE: 'e2e-aws', ...(isFull && { SCANTLING_E2E: 'full' }) },
    },
  )
  child.on('close', (code) => (process.exitCode = code ?? 1))
}
