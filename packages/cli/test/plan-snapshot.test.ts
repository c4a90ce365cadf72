import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from '@jest/globals'
import { saveSnapshot } from '@scantling/core'
import { instanceType, managedNode, pendingPod, runningPod, snapshotFor } from '@scantling/core/testing'
import { scantling } from './command-line.ts'
import { scratchDirectory } from './scratch-directory.ts'

const directory = scratchDirectory()

const runLine = async (...args: ReadonlyArray<string>) => {
  const { exitCode, out, err } = await scantling(...args)
  return { exitCode, out, err: err.replaceAll(`${directory}/`, '') }
}

const file = (name: string, text: string, size?: number) => {
  const path = join(directory, name)
  writeFileSync(path, text)
  if (size !== undefined) truncateSync(path, size)
  return path
}

const saved = () =>
  [
    ...saveSnapshot(
      snapshotFor({
        types: [instanceType('small', 2), instanceType('large', 8)],
        nodes: [managedNode('empty', { type: 'small', cpu: 2 }), managedNode('busy', { pods: [runningPod('db')] })],
        pods: [pendingPod('web', { cpu: '6' }), pendingPod('huge', { cpu: '100' })],
      }),
    ),
  ].join('')

describe('scantling plan -f with a saved snapshot', () => {
  test('plans for the pods that wait in it, with its own instance types', async () => {
    const { exitCode, out, err } = await runLine('plan', '-f', file('saved.json', saved()), '--json')
    expect({ exitCode, err }).toEqual({ exitCode: 1, err: '' })
    expect(JSON.parse(out)).toMatchObject({ refused: [] })
    expect(out).toContain('default/web')
    expect(out).toContain('default/huge')
    expect((await runLine('plan', '-f', file('saved.json', saved()), '--why', 'huge')).out).toContain('cpu')
  })

  test('says which of its nodes would be taken away', async () => {
    const { out } = await runLine('plan', '-f', file('saved.json', saved()), '--for', 'disruption')
    expect(out).toContain('empty')
  })

  test('refuses what is cut off, and files over a stated size, with a sentence', async () => {
    expect(await runLine('plan', '-f', file('cut.json', saved().slice(0, -30)))).toMatchObject({
      exitCode: 1,
      err: expect.stringMatching(/^Cannot read the snapshot cut\.json: not whole JSON .*; save it again$/),
    })
    expect(await runLine('plan', '-f', file('large.json', saved(), 256 * 2 ** 20 + 1))).toMatchObject({
      exitCode: 1,
      err: 'Cannot read large.json: it has 257 MiB, and 256 MiB are the most that is read; pass a smaller file',
    })
    expect(await runLine('plan', '-f', file('large.yaml', 'kind: Pod\n', 65 * 2 ** 20))).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining(
        'Cannot read large.yaml: it has 65 MiB, and 64 MiB are the most that is read; pass a smaller file',
      ),
    })
  })
})
