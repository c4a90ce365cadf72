import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

/** Runs the end-to-end tests on a machine with these programs and no others. */
const runWith = (directory: string, programs: Readonly<Record<string, string>>) => {
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(directory, name), 0o755)
  }
  const { status, stdout } = spawnSync(
    process.execPath,
    ['--conditions=@scantling/source', join(import.meta.dirname, 'main.ts')],
    { encoding: 'utf8', env: { PATH: directory, HOME: directory } },
  )
  return { status, lines: stdout.trim().split('\n') }
}

describe('npm run e2e:cluster on a machine that lacks what it needs', () => {
  let directory = ''
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'scantling-skips-'))
  })
  afterAll(() => rmSync(directory, { recursive: true }))

  test.each([
    [
      'neither Go nor Python',
      { unshare: 'exit 0' },
      'skipped: A Kubernetes control plane needs Go to be built, or Python 3 to fetch Go; neither is on this machine',
    ],
    [
      'namespaces that are forbidden',
      { unshare: 'echo "unshare: unshare failed: Operation not permitted" >&2; exit 1', go: 'exit 0' },
      'skipped: A cluster needs a network namespace of its own, which cannot be had here: unshare: unshare failed: Operation not permitted',
    ],
    [
      'no unshare',
      { go: 'exit 0' },
      'skipped: A cluster needs a network namespace of its own, which cannot be had here: there is no unshare on this machine',
    ],
  ])('%s: says so and skips', (_, programs, why) => {
    const machine = mkdtempSync(join(directory, 'machine-'))
    expect(runWith(machine, programs)).toEqual({ status: 0, lines: [why, '0 passed, 0 failed, 1 skipped'] })
  })
})
