import { describe, expect, test } from '@jest/globals'
import type { StatusError } from '../face.ts'
import {
  applyConfiguration,
  applyJsonPatch,
  applyMergePatch,
  applyStrategicPatch,
  builtInListSemantics,
} from './index.ts'

describe('applyJsonPatch()', () => {
  const target = { a: { b: [1, 2, 3] }, 'x/y': 'z' }

  test.each([
    ['add to a list', [{ op: 'add', path: '/a/b/1', value: 9 }], { a: { b: [1, 9, 2, 3] }, 'x/y': 'z' }],
    ['append', [{ op: 'add', path: '/a/b/-', value: 9 }], { a: { b: [1, 2, 3, 9] }, 'x/y': 'z' }],
    ['remove', [{ op: 'remove', path: '/a/b/0' }], { a: { b: [2, 3] }, 'x/y': 'z' }],
    ['replace an escaped key', [{ op: 'replace', path: '/x~1y', value: 1 }], { a: { b: [1, 2, 3] }, 'x/y': 1 }],
    ['replace in a list', [{ op: 'replace', path: '/a/b/1', value: 9 }], { a: { b: [1, 9, 3] }, 'x/y': 'z' }],
    ['move', [{ op: 'move', from: '/a/b', path: '/c' }], { a: {}, c: [1, 2, 3], 'x/y': 'z' }],
    ['copy', [{ op: 'copy', from: '/a/b/0', path: '/c' }], { a: { b: [1, 2, 3] }, c: 1, 'x/y': 'z' }],
    ['test that holds', [{ op: 'test', path: '/a/b', value: [1, 2, 3] }], target],
  ])('%s', (_what, patch, expected) => {
    const before = structuredClone(target)
    expect(applyJsonPatch(target, patch)).toEqual(expected)
    expect(target).toEqual(before)
  })

  test.each([
    ['a test that does not hold', [{ op: 'test', path: '/a/b/0', value: 2 }], 422],
    ['a path that is not there', [{ op: 'remove', path: '/a/c' }], 422],
    ['an unknown operation', [{ op: 'frob', path: '/a' }], 400],
    ['no list', { op: 'add' }, 400],
  ])('refuses %s', (_what, patch, code) => {
    expect.assertions(1)
    try {
      applyJsonPatch(target, patch)
    } catch (error) {
      expect((error as StatusError).code).toBe(code)
    }
  })

  test('adds a key called __proto__ as data', () => {
    const patched = applyJsonPatch({ labels: {} }, [{ op: 'add', path: '/labels/__proto__', value: 'x' }])
    expect(JSON.stringify(patched)).toBe('{"labels":{"__proto__":"x"}}')
  })
})

test('applyMergePatch() deletes by null, merges objects, replaces lists', () => {
  const target = { a: { b: 1, c: 2 }, list: [1, 2] }
  expect(applyMergePatch(target, { a: { b: null, d: 3 }, list: [9] })).toEqual({ a: { c: 2, d: 3 }, list: [9] })
  expect(target).toEqual({ a: { b: 1, c: 2 }, list: [1, 2] })
})

describe('applyStrategicPatch()', () => {
  const apply = (target: object, patch: object) =>
    applyStrategicPatch(target as Record<string, unknown>, patch as Record<string, unknown>, builtInListSemantics)

  test('merges containers by name and env by name', () => {
    const target = {
      spec: { containers: [{ name: 'a', image: '1', env: [{ name: 'X', value: '1' }] }, { name: 'b' }] },
    }
    const patch = { spec: { containers: [{ name: 'a', env: [{ name: 'Y', value: '2' }] }, { name: 'c' }] } }
    expect(apply(target, patch)).toEqual({
      spec: {
        containers: [
          {
            name: 'a',
            image: '1',
            env: [
              { name: 'X', value: '1' },
              { name: 'Y', value: '2' },
            ],
          },
          { name: 'b' },
          { name: 'c' },
        ],
      },
    })
  })

  test('merges conditions by type and ports by their port', () => {
    expect(
      apply(
        { status: { conditions: [{ type: 'Ready', status: 'False' }, { type: 'Other' }] } },
        { status: { conditions: [{ type: 'Ready', status: 'True' }] } },
      ),
    ).toEqual({ status: { conditions: [{ type: 'Ready', status: 'True' }, { type: 'Other' }] } })
    expect(
      apply(
        { containers: [{ name: 'a', ports: [{ containerPort: 80 }] }] },
        { containers: [{ name: 'a', ports: [{ containerPort: 80, name: 'http' }] }] },
      ),
    ).toEqual({ containers: [{ name: 'a', ports: [{ containerPort: 80, name: 'http' }] }] })
  })

  test('replaces tolerations and taints whole', () => {
    expect(apply({ spec: { taints: [{ key: 'a' }] } }, { spec: { taints: [{ key: 'b' }] } })).toEqual({
      spec: { taints: [{ key: 'b' }] },
    })
  })

  test('obeys $patch, $deleteFromPrimitiveList, $retainKeys and $setElementOrder', () => {
    const target = { finalizers: ['a', 'b'], containers: [{ name: 'a' }, { name: 'b' }], strategy: { type: 'X', y: 1 } }
    expect(apply(target, { '$deleteFromPrimitiveList/finalizers': ['a'] })).toMatchObject({ finalizers: ['b'] })
    expect(apply(target, { finalizers: ['b', 'c'] })).toMatchObject({ finalizers: ['a', 'b', 'c'] })
    expect(apply(target, { containers: [{ name: 'a', $patch: 'delete' }] })).toMatchObject({
      containers: [{ name: 'b' }],
    })
    expect(apply(target, { containers: [{ name: 'z' }, { $patch: 'replace' }] })).toMatchObject({
      containers: [{ name: 'z' }],
    })
    expect(apply(target, { strategy: { $retainKeys: ['type'], type: 'Z' } })).toMatchObject({ strategy: { type: 'Z' } })
    expect(apply(target, { strategy: { $patch: 'replace', z: 1 } })['strategy']).toEqual({ z: 1 })
    expect(
      apply(target, {
        '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }],
        containers: [{ name: 'b', image: 'x' }],
      }),
    ).toMatchObject({ containers: [{ name: 'b', image: 'x' }, { name: 'a' }] })
  })
})

test('applyConfiguration() tells ports of two protocols apart and unites sets', () => {
  const apply = (target: object, applied: object) => applyConfiguration(target, applied, builtInListSemantics)
  const ports = [{ port: 53, protocol: 'TCP' }]
  expect(apply({ spec: { ports } }, { spec: { ports: [{ port: 53, protocol: 'UDP' }] } })).toEqual({
    spec: {
      ports: [
        { port: 53, protocol: 'TCP' },
        { port: 53, protocol: 'UDP' },
      ],
    },
  })
  expect(apply({ spec: { ports } }, { spec: { ports: [{ port: 53, name: 'dns' }] } })).toEqual({
    spec: { ports: [{ port: 53, protocol: 'TCP', name: 'dns' }] },
  })
  expect(apply({ metadata: { finalizers: ['a'] } }, { metadata: { finalizers: ['b'] } })).toEqual({
    metadata: { finalizers: ['a', 'b'] },
  })
})
