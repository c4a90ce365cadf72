import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from '@jest/globals'

/** A directory for the files of the tests that ask for it, which goes when they are done. */
export const scratchDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'scantling-test-'))
  afterAll(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
