import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'

import { runCommandLine } from '../src/run.ts'
import { scratchDirectory } from './scratch-directory.ts'

const examples = fileURLToPath(new URL('../../../examples/', import.meta.url))
// Several NodePools, spread, affinity, volumes and priority.
const names = ['capacity-spread', 'priority', 'stateful-on-demand', 'team-isolation', 'zone-spread']

const documentsOf = (name: string): ReadonlyArray<string> =>
  readdirSync(join(examples, name))
    .filter((file) => file.endsWith('.yaml'))
    .sort()
    .flatMap((file) => readFileSync(join(examples, name, file), 'utf8').split(/^---$/m))

const misfit = (name: string, gpus: number) => `
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  containers: [{ name: app, resources: { requests: { memory: ${gpus}0Ti, example.com/gpu: ${gpus}, cpu: ${gpus}000 } } }]
`
// Pods that have no place must come in order, too.
const misfits = [misfit('misfit-b', 1), misfit('misfit-a', 2), misfit('misfit-c', 1)]

const directory = scratchDirectory()

const plan = async (documents: ReadonlyArray<string>, ...options: ReadonlyArray<string>): Promise<string> => {
  const file = join(directory, 'all.yaml')
  writeFileSync(file, documents.join('\n---\n'))
  const printed: Array<string> = []
  const print = (text: string) => printed.push(text)
  await runCommandLine(['plan', '-f', file, ...options], { out: print, err: print })
  return printed.join('\n')
}

describe('scantling plan', () => {
  test.each(names)('prints the same, byte for byte, in whatever order the manifests of %s come', async (name) => {
    const documents = [...documentsOf(name), ...misfits]
    const text = await plan(documents)
    const data = await plan(documents, '--json')
    expect(text).toContain('an hour')
    expect(text).toContain('misfit-c')
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([...documents], { minLength: documents.length }), async (shuffled) => {
        expect(await plan(shuffled)).toBe(text)
        expect(await plan(shuffled, '--json')).toBe(data)
      }),
      { numRuns: 5 },
    )
  })

  test('prints the same for all of them at once, however often it is asked', async () => {
    const documents = names.flatMap(documentsOf)
    const text = await plan(documents)
    expect(await plan(documents)).toBe(text)
    expect(await plan(documents)).toBe(text)
  })
})
