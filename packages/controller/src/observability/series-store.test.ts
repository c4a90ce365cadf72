import { expect, test } from '@jest/globals'
import { makeMetrics, makeSeriesStore, type Series } from './index.ts'

const family = { name: 'test_room', type: 'gauge', help: 'Room', labels: ['node', 'resource'] } as const
const series = (node: string, resource: string, value: number): Series => ({
  family,
  labels: { node, resource },
  value,
})

test('M-STORE-01 an update replaces the series of its key, and replacing all drops the keys that are gone', async () => {
  const metrics = makeMetrics()
  const store = makeSeriesStore(metrics)
  const seen = async () =>
    (await metrics.render())
      .split('\n')
      .filter((line) => line.startsWith('test_room{'))
      .sort()
  store.update('a', [series('a', 'cpu', 1), series('a', 'memory', 2)])
  store.update('b', [series('b', 'cpu', 3)])
  store.update('a', [series('a', 'cpu', 4)])
  expect(await seen()).toEqual(['test_room{node="a",resource="cpu"} 4', 'test_room{node="b",resource="cpu"} 3'])
  store.replaceAll(new Map([['b', [series('b', 'memory', 5)]]]))
  expect(await seen()).toEqual(['test_room{node="b",resource="memory"} 5'])
  store.update('b', [])
  expect(await seen()).toEqual([])
})
