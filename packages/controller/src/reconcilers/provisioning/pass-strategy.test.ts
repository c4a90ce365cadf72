import { expect, test } from '@jest/globals'
import { nodePoolObject } from '@scantling/core/testing'
import type { ReconcilerContext } from '../context.ts'
import { passStrategy } from './pass-strategy.ts'

const strategyFor = (...asked: ReadonlyArray<string | undefined>) => {
  const told: Array<string> = []
  const pools = asked.map((strategy, index) =>
    nodePoolObject(
      `pool-${index}`,
      strategy === undefined ? {} : { metadata: { annotations: { 'scantling.sh/strategy': strategy } } },
    ),
  )
  const context = {
    caches: { nodePools: { values: () => pools } },
    nodeClasses: { isManaged: () => true },
    events: {
      record: ({ on, reason }: { on: { name: string }; reason: string }) => void told.push(`${on.name} ${reason}`),
    },
  } as unknown as ReconcilerContext
  return { strategy: passStrategy(context), told }
}

test.each([
  ['none asks', [undefined, undefined], 'first-fit', []],
  ['one asks', [undefined, 'reference'], 'reference', []],
  ['all agree', ['reference', 'reference'], 'reference', []],
  ['a wrong value is none', ['fastest', 'reference'], 'reference', []],
  [
    'they differ',
    ['reference', 'first-fit', undefined],
    'first-fit',
    ['pool-0 StrategyNotFollowed', 'pool-1 StrategyNotFollowed'],
  ],
  ['it is not to be had', ['cost'], 'first-fit', ['pool-0 StrategyNotFollowed']],
])('a pass follows the strategy that its NodePools ask for: %s', (_, asked, strategy, told) => {
  expect(strategyFor(...asked)).toEqual({ strategy, told })
})
