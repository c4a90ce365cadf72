import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from '@jest/globals'
import { loadProvider } from './provider-loader.ts'

const good = {
  name: 'box',
  nodeClasses: [{ group: 'box.io', kind: 'Box', names: { plural: 'boxes' }, versions: [{ name: 'v1', schema: {} }] }],
  create: () => undefined,
}

const loadAs = async (name: string, exported: unknown) => {
  const asked: Array<string> = []
  const result = await loadProvider(name, (specifier) => {
    asked.push(specifier)
    return Promise.resolve(exported)
  })()
  return { asked, result }
}

describe('loadProvider()', () => {
  test('short names stand for our packages, other names for themselves', async () => {
    expect((await loadAs('aws', { provider: good })).asked).toEqual(['@scantling/provider-aws'])
    const { asked, result } = await loadAs('@acme/boxes', { provider: good })
    expect(asked).toEqual(['@acme/boxes'])
    expect(result).toEqual(E.right(good))
  })

  test.each([
    'https://evil.example/provider.mjs',
    './provider.ts',
    '/tmp/provider.js',
    'file:///tmp/a.js',
    'data:text/javascript,1',
    '',
  ])('refuses %p without importing it', async (name) => {
    const { asked, result } = await loadAs(name, { provider: good })
    expect(asked).toEqual([])
    expect(result).toEqual(
      E.left(expect.stringMatching(/^Cannot load provider .*: not the name of a package; use aws/)),
    )
  })

  test('says what a package lacks', async () => {
    expect((await loadAs('box', {})).result).toEqual(
      E.left(
        'Cannot use package box as a provider: it exports no value named provider; export const provider: ProviderModule<…> = { … }',
      ),
    )
    expect((await loadAs('box', { provider: { name: 'box', nodeClasses: [{ kind: 'Box' }] } })).result).toEqual(
      E.left(
        'Cannot use package box as a provider: provider.create is not a function; provider.nodeClasses[0] lacks group or kind; provider.nodeClasses[0].names.plural is not a text; provider.nodeClasses[0].versions has no version with a schema',
      ),
    )
  })

  test('tells a package that is not installed from one that fails to load', async () => {
    const failing = (cause: unknown) => loadProvider('box', () => Promise.reject(cause))()
    const absent = (what: string) =>
      Object.assign(new Error(`Cannot find package '${what}' imported from x`), { code: 'ERR_MODULE_NOT_FOUND' })
    expect(await failing(absent('box'))).toEqual(
      E.left('Cannot load provider "box": package box is not installed; install it beside the controller'),
    )
    expect(await failing(absent('left-pad'))).toEqual(E.left(expect.stringContaining('failed while loading')))
  })
})
