import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { scratchDirectory } from '../../test/scratch-directory.ts'
import { applyFiles } from './apply-files.ts'

const pool = (name: string, nodeClass: string) => `
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: { name: ${name} }
spec:
  template:
    spec:
      nodeClassRef: { group: karpenter.kwok.sh, kind: KWOKNodeClass, name: ${nodeClass} }
      requirements: []
`

describe('applyFiles()', () => {
  const scratch = scratchDirectory()

  /** What is said of one file by a server that refuses the names given. */
  const apply = async (text: string, refused: ReadonlyArray<string> = []) => {
    const file = join(scratch, 'mine.yaml')
    writeFileSync(file, text)
    const applied: Array<string> = []
    const said = await applyFiles(
      {
        apply: ({ metadata }) =>
          refused.includes(metadata?.name ?? '')
            ? Promise.reject(new Error('not today'))
            : Promise.resolve(void applied.push(metadata?.name ?? '')),
        merge: () => Promise.resolve(),
        scaleDeployment: () => Promise.resolve(),
      },
      [file],
    )
    return { applied, said: said.map((sentence) => sentence.replace(`${scratch}/`, '')) }
  }

  test('a NodePool may name the NodeClass that the cluster starts with', async () => {
    expect(await apply(pool('fine', 'default'))).toEqual({ applied: ['fine'], said: [] })
  })

  test('says what the server admits though it cannot work', async () => {
    const { applied, said } = await apply([pool('fine', 'default'), pool('lost', 'nowhere')].join('---'))
    expect(applied).toEqual(['fine', 'lost'])
    expect(said).toEqual([
      'mine.yaml, document 2 (NodePool lost): spec.template.spec.nodeClassRef: Invalid value: "KWOKNodeClass.karpenter.kwok.sh/nowhere": there is no such object in the files; add it, or name one that is there',
    ])
  })

  test('says of a refused object what the server says, once, and applies the rest', async () => {
    const { applied, said } = await apply([pool('lost', 'nowhere'), pool('fine', 'default')].join('---'), ['lost'])
    expect(applied).toEqual(['fine'])
    expect(said).toEqual(['mine.yaml, document 1 (NodePool lost): not today'])
  })
})
