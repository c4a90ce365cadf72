import fs from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { resource, type KubeSim, type DraftObject } from '@scantling/kube-sim'
import { renderCrds } from './crds.ts'
import { startManifestJudge } from './manifest-judge.ts'
import { root } from './step.ts'
import { renderYaml } from './yaml.ts'

describe('the CustomResourceDefinitions', () => {
  const files = Object.entries(renderCrds())

  test('there is one file for each kind, and no other', () => {
    expect(fs.readdirSync(path.join(root, 'deploy/crds')).sort()).toEqual(
      files.map(([file]) => path.basename(file)).sort(),
    )
  })

  test.each(files)('%s is what the schemas say', (file, text) => {
    expect(fs.readFileSync(path.join(root, file), 'utf8')).toBe(text)
  })
})

interface Corpus {
  readonly apiVersion: string
  readonly plural: string
  readonly namespaced?: boolean
  readonly base: object
  readonly cases: ReadonlyArray<{ readonly title: string; readonly accepted: boolean; readonly patch: object }>
  readonly updates: ReadonlyArray<{
    readonly title: string
    readonly accepted: boolean
    readonly before: object
    readonly patch: object
  }>
}

/** RFC 7386: null removes, lists are replaced. */
const merge = (target: unknown, patch: unknown): unknown => {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const merged = new Map(
    typeof target === 'object' && target !== null && !Array.isArray(target) ? Object.entries(target) : [],
  )
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key)
    else merged.set(key, merge(merged.get(key), value))
  }
  return Object.fromEntries(merged)
}

describe('an API server with our definitions', () => {
  const corpora = JSON.parse(fs.readFileSync(path.join(root, 'vectors/manifests.json'), 'utf8')) as Record<
    string,
    Corpus
  >
  let sim: KubeSim
  beforeAll(async () => {
    sim = await startManifestJudge()
  })
  afterAll(() => sim.stop())
  const accepts = async (attempt: Promise<unknown>): Promise<boolean> => {
    try {
      await attempt
      return true
    } catch {
      return false
    }
  }

  test.each(Object.entries(corpora))(
    'accepts and refuses each %s as one with the reference’s does',
    async (_, corpus) => {
      const { apiVersion, plural, namespaced = false, base, cases, updates } = corpus
      const target = { ...resource(apiVersion, plural), ...(namespaced ? { namespace: 'default' } : {}) }
      const face = sim.server.face('test')
      const wrong: Array<string> = []
      // Versions of one kind share their names.
      const prefix = apiVersion.slice(apiVersion.indexOf('/') + 1)
      const named = (name: string, ...patches: ReadonlyArray<object>) =>
        patches.reduce<unknown>(merge, { metadata: { name }, ...base }) as DraftObject
      for (const [index, { title, accepted, patch }] of cases.entries())
        if ((await accepts(face.create(target, named(`${prefix}-case-${index}`, patch)))) !== accepted)
          wrong.push(`${title}: ${accepted ? 'refused' : 'accepted'}`)
      for (const [index, { title, accepted, before, patch }] of updates.entries()) {
        const name = `${prefix}-update-${index}`
        const { metadata } = await face.create(target, named(name, before))
        const next = merge(named(name, patch), { metadata: { resourceVersion: metadata.resourceVersion } })
        if ((await accepts(face.update({ ...target, name }, next as DraftObject))) !== accepted)
          wrong.push(`${title}: ${accepted ? 'refused' : 'accepted'}`)
      }
      expect(cases.length).toBeGreaterThan(10)
      expect(wrong).toEqual([])
    },
  )
})

describe('renderYaml()', () => {
  test('quotes what YAML would read as something else', () => {
    const value = { a: ['True', '10%', 'x: y', '', 'plain text.', '2026-01-01', 'no'], b: [{ c: 1, d: [] }], e: {} }
    expect(renderYaml(value)).toBe(
      [
        'a:',
        '  - "True"',
        '  - "10%"',
        '  - "x: y"',
        '  - ""',
        '  - plain text.',
        '  - "2026-01-01"',
        '  - "no"',
        'b:',
        '  - c: 1',
        '    d: []',
        'e: {}',
        '',
      ].join('\n'),
    )
  })
})
