import { readdirSync, readFileSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { describe, expect, test } from '@jest/globals'

import { runCommandLine } from '../src/run.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const examples = join(root, 'examples')

/** Runs one line of a README as a shell in the repository's root would. */
const runLine = async (line: string) => {
  const printed: Array<string> = []
  const print = (text: string) => printed.push(text)
  const args = line
    .replace(/^\$ scantling /, '')
    .split(' ')
    .map((word) => (word.startsWith('examples/') ? join(root, word) : word))
  const exitCode = await runCommandLine(args, { out: print, err: print })
  // Trailing slashes of the command do not show in the names of files, and machines have other roots.
  return { exitCode, text: printed.join('\n').replaceAll(`${root.replace(/\/$/, '')}/`, '') }
}

const block = /```console\n(.*?)\n```/s

/** The README's block with each command's real output under it. */
const fillIn = async (readme: string) => {
  const commands = (block.exec(readme)?.[1] ?? '').split('\n').filter((line) => line.startsWith('$ scantling '))
  const parts: Array<string> = []
  for (const command of commands) {
    const { exitCode, text } = await runLine(command)
    parts.push(`${command}\n${text}`)
    expect(exitCode).toBe(/^(Refused|No place)/m.test(text) ? 1 : 0)
  }
  return readme.replace(block, () => `\`\`\`console\n${parts.join('\n\n')}\n\`\`\``)
}

const directories = readdirSync(examples).filter((name) => {
  const readme = join(examples, name, 'README.md')
  return existsSync(readme) && readFileSync(readme, 'utf8').includes('$ scantling plan')
})

describe('scantling plan gives the plan that the README of each example promises', () => {
  test('there are examples', () => {
    expect(directories.length).toBeGreaterThanOrEqual(15)
  })

  for (const name of directories) {
    test(`examples/${name}`, async () => {
      const file = join(examples, name, 'README.md')
      const readme = readFileSync(file, 'utf8')
      const filled = await fillIn(readme)
      expect(filled).toContain('$ scantling plan -f')
      // To be set by hand when a plan changes for a good reason.
      if (process.env['SCANTLING_UPDATE_EXAMPLES'] === '1') writeFileSync(file, filled)
      else expect(readme).toBe(filled)
    })
  }
})
