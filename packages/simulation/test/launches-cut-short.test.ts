import { describe, expect, test } from '@jest/globals'
import type { CloudProvider, LaunchFailure, NodeClassObject } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { applyDefaults, applyDeployment, kinds, scale, type FateOf, type VirtualCluster } from '../src/index.ts'
import { keep, startCluster } from './running-cluster.ts'

type Provider = CloudProvider<NodeClassObject>

// Long before garbage collection would end a machine that nobody claims.
const soonMs = 30_000
const lost: LaunchFailure = {
  error: { _tag: 'Unknown', message: 'The answer was lost', retryAfterMs: 60_000 },
  reason: 'LaunchFailed',
}

/** A cluster with one pod, whose claim is there and whose provider is as the test wants it. */
const launching = async (
  changes: (provider: Provider, cluster: () => VirtualCluster) => Partial<Provider>,
  fateOf?: FateOf,
) => {
  const lists: Array<number> = []
  const cluster: VirtualCluster = await startCluster({
    providerOf: (provider) => {
      const counted: Provider = {
        ...provider,
        list: (call) => {
          lists.push(cluster.clock.nowMs())
          return provider.list(call)
        },
      }
      return { ...counted, ...changes(counted, () => cluster) }
    },
  })
  const run = await cluster.startController(fateOf)
  await applyDefaults(cluster, keep)
  await applyDeployment(cluster, 'web', 1, '1')
  return { cluster, run, lists }
}

const claimNames = async (cluster: VirtualCluster) =>
  (await cluster.all(kinds.nodeClaims)).map(({ metadata }) => metadata.name)

/** Takes pod and claim away, and tells what is left of them. */
const withdraw = async (cluster: VirtualCluster) => {
  const [name = ''] = await claimNames(cluster)
  await scale(cluster, 'web', 0)
  await cluster.face.delete({ ...kinds.nodeClaims, name })
}
const untilGone = (cluster: VirtualCluster) =>
  cluster.until('the claim is gone', async () => (await claimNames(cluster)).length === 0, soonMs)

describe('a machine is ended with its claim', () => {
  test('L-FIN-03 when the answer to its launch was lost', async () => {
    const { cluster, run } = await launching((provider) => ({
      launch: (request, call) => async () => {
        await provider.launch(request, call)()
        return E.left(lost)
      },
    }))
    await cluster.until('a machine is there', () => cluster.machines().length === 1)
    await withdraw(cluster)
    await untilGone(cluster)
    expect(cluster.machines()).toEqual([])
    expect(run.errors.filter((line) => line.includes('unexpectedly'))).toEqual([])
  })

  test('L-FIN-03 when a launch whose answer was lost is refused the next time', async () => {
    let tries = 0
    const { cluster } = await launching((provider) => ({
      launch: (request, call) => async () => {
        tries += 1
        if (tries > 1) return E.left({ error: { _tag: 'InsufficientCapacity', message: 'none' }, reason: 'None' })
        await provider.launch(request, call)()
        return E.left({ ...lost, error: { ...lost.error, retryAfterMs: 5000 } })
      },
    }))
    await cluster.until('a machine was there', () => cluster.cloud.everything().length === 1)
    await scale(cluster, 'web', 0)
    await untilGone(cluster)
    expect(cluster.machines()).toEqual([])
  })

  test('L-FIN-03 when the controller died in the middle of the launch and the claim was deleted before another began', async () => {
    const { cluster, run } = await launching(
      () => ({}),
      ({ name }) => (name === 'launch' ? 'die after' : 'pass'),
    )
    await cluster.until('the controller is dead', () => run.isDead())
    expect(cluster.machines()).toHaveLength(1)
    await withdraw(cluster)
    await cluster.startController()
    await untilGone(cluster)
    expect(cluster.machines()).toEqual([])
  })

  test('L-FIN-03 when somebody took the claim’s finalizer while it was being launched', async () => {
    const { cluster } = await launching((provider, own) => ({
      launch: (request, call) => async () => {
        const launched = await provider.launch(request, call)()
        await own().clock.sleep(10_000)
        return launched
      },
    }))
    await cluster.until('a machine is on its way', () => cluster.machines().length === 1)
    const [name = ''] = await claimNames(cluster)
    await withdraw(cluster)
    await cluster.face.patch({ ...kinds.nodeClaims, name }, 'merge', { metadata: { finalizers: null } })
    expect(await claimNames(cluster)).toEqual([])
    await cluster.until('the machine is gone', () => cluster.machines().length === 0, soonMs)
  })

  test('L-FIN-03 when its making turns out to have failed, and the claim could not be deleted at first', async () => {
    let sinceMs: number | undefined
    const { cluster } = await launching(
      () => ({
        converge: () => TE.right({ _tag: 'Failed', failure: { ...lost, reason: 'CreateFailed' } }),
      }),
      ({ name }) => {
        if (name !== 'delete NodeClaim') return 'pass'
        sinceMs ??= cluster.clock.nowMs()
        // Until a list of instances is forgotten.
        return cluster.clock.nowMs() - sinceMs < 10_000 ? 'fail before' : 'pass'
      },
    )
    await cluster.until('the claim cannot be deleted', () => sinceMs !== undefined)
    await scale(cluster, 'web', 0)
    await untilGone(cluster)
    expect(cluster.machines()).toEqual([])
  })
})

test('L-FIN-04 a claim whose launches were all refused goes without a question to the cloud', async () => {
  const { cluster, lists } = await launching(() => ({
    launch: () =>
      TE.left<LaunchFailure>({
        error: { _tag: 'InvalidRequest', message: 'the image is gone', retryAfterMs: 60_000 },
        reason: 'ImageNotFound',
      }),
  }))
  await cluster.until('a claim is there', async () => (await claimNames(cluster)).length === 1)
  await cluster.clock.advance(5000)
  const before = lists.length
  await withdraw(cluster)
  await untilGone(cluster)
  expect(lists.slice(before)).toEqual([])
})
