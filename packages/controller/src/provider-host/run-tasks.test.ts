import { describe, expect, test } from '@jest/globals'
import type { MaintenanceTask, NodeClassObject } from '@scantling/core'
import { virtualClock } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { silentLog } from '../../test/silent-log.ts'
import { runTasks } from './run-tasks.ts'

interface GivenTask extends Omit<MaintenanceTask<NodeClassObject>, 'everyMs' | 'runsOn'> {
  readonly everyMs?: number
  readonly runsOn?: 'leader' | 'every-replica'
}

const setUp = (tasks: (ran: Array<string>) => ReadonlyArray<GivenTask>) => {
  const clock = virtualClock(0)
  const shutdown = new AbortController()
  const ran: Array<string> = []
  const found: Array<unknown> = []
  const warned: Array<unknown> = []
  const running = runTasks({
    tasks: tasks(ran).map((task) => ({ everyMs: 60_000, runsOn: 'leader', ...task })),
    clock,
    log: {
      ...silentLog,
      warn: (_, fields) => void warned.push(fields),
      error: (_, fields) => void warned.push(fields),
    },
    clusterFacts: () => ({ name: 'c', kubernetesVersion: '1.34.0', objects: {} }),
    viewFor: () => ({ nodeClasses: [], claims: [] }),
    onFindings: async (findings) => void found.push(findings),
    shutdown: shutdown.signal,
  })
  return { clock, shutdown, ran, found, warned, running }
}

describe('runTasks()', () => {
  test('gatesReadiness: nothing else runs before the first success, and then everything does', async () => {
    let failures = 2
    const { clock, ran, running, warned } = setUp((names) => [
      { name: 'sweep', run: () => async () => (names.push('sweep'), E.right({})) },
      {
        name: 'rebuild',
        gatesReadiness: true,
        run: () => async () => {
          names.push('rebuild')
          return failures-- > 0
            ? E.left({ _tag: 'Unknown' as const, message: 'not yet', retryAfterMs: 500 })
            : E.right({})
        },
      },
    ])
    let isReady = false
    void running.ready.then(() => (isReady = true))
    await clock.advance(0)
    expect({ ran, isReady, waiting: running.waiting() }).toEqual({
      ran: ['rebuild'],
      isReady: false,
      waiting: ['rebuild'],
    })
    await clock.advance(1000)
    expect({ ran, isReady, waiting: running.waiting() }).toEqual({
      ran: ['rebuild', 'rebuild', 'rebuild', 'sweep'],
      isReady: true,
      waiting: [],
    })
    expect(warned).toHaveLength(2)
  })

  test('repeats each task by its own period, and takes in what it finds', async () => {
    const { clock, ran, found, running, shutdown } = setUp((names) => [
      { name: 'a', everyMs: 10_000, run: () => async () => (names.push('a'), E.right({ notices: [] })) },
    ])
    await clock.advance(35_000)
    expect(ran).toHaveLength(4)
    expect(found).toEqual([{ notices: [] }, { notices: [] }, { notices: [] }, { notices: [] }])
    shutdown.abort()
    await running.stopped()
    await clock.advance(100_000)
    expect(ran).toHaveLength(4)
  })

  test('a task that throws is reported and tried again, and the others go on', async () => {
    const { clock, ran, warned } = setUp((names) => [
      {
        name: 'broken',
        run: () => async () => {
          throw new Error('a bug')
        },
      },
      { name: 'fine', everyMs: 5000, run: () => async () => (names.push('fine'), E.right({})) },
    ])
    await clock.advance(10_000)
    expect(ran).toHaveLength(3)
    expect(warned).toHaveLength(3)
    expect(JSON.stringify(warned[0])).toMatch(/broken.*a bug/)
  })

  test('says nothing of a run that the end of the process cuts off', async () => {
    const { clock, shutdown, warned, running } = setUp(() => [
      {
        name: 'slow',
        run:
          (_, { signal }) =>
          () =>
            new Promise((resolve) =>
              signal.addEventListener('abort', () => resolve(E.left({ _tag: 'Unknown', message: 'cancelled' }))),
            ),
      },
    ])
    await clock.advance(0)
    shutdown.abort()
    await running.stopped()
    expect(warned).toEqual([])
  })
})
