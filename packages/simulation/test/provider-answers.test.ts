import { describe, expect, test } from '@jest/globals'
import type { CloudProvider, LaunchFailure, NodeClassObject, Resolution } from '@scantling/core'
import * as TE from 'fp-ts/lib/TaskEither.js'
import {
  applyDefaults,
  applyDeployment,
  conditionOf,
  kinds,
  runningPods,
  untilRunning,
  type VirtualCluster,
} from '../src/index.ts'
import { startCluster } from './running-cluster.ts'

type Provider = CloudProvider<NodeClassObject>

const start = async (changes: (provider: Provider) => Partial<Provider>) => {
  const cluster = await startCluster({ providerOf: (provider) => ({ ...provider, ...changes(provider) }) })
  return { cluster, run: await cluster.startController() }
}
const registered = async (cluster: VirtualCluster) =>
  conditionOf((await cluster.all(kinds.nodeClaims))[0], 'Registered')

describe('what a provider answers', () => {
  test('P-CPI-03: a named hook holds registration back, is asked again after the wait it gave, and lets go', async () => {
    const askedMs: Array<number> = []
    const { cluster, run } = await start(() => ({
      converge: () => async () => {
        askedMs.push(cluster.clock.nowMs())
        return TE.right(
          cluster.clock.nowMs() < freeFromMs
            ? ({ _tag: 'Pending', reason: 'TagsPending', retryAfterMs: 2000, blocksRegistration: true } as const)
            : ({ _tag: 'Converged' } as const),
        )()
      },
    }))
    const freeFromMs = cluster.clock.nowMs() + 120_000
    await applyDefaults(cluster)
    await applyDeployment(cluster, 'web', 1, '1')
    await cluster.until('the hook is named', async () => (await registered(cluster))?.message === 'TagsPending')
    expect(await registered(cluster)).toMatchObject({ status: 'Unknown', reason: 'RegistrationHookPending' })
    await cluster.clock.advance(20_000)
    const marks = (await cluster.all(kinds.nodes)).flatMap(({ spec }) => spec.taints?.map(({ key }) => key) ?? [])
    expect(marks).toContain('karpenter.sh/unregistered')
    expect(await runningPods(cluster)).toBe(0)
    const waits = askedMs.slice(1).map((ms, index) => ms - askedMs[index]!)
    expect(Math.max(...waits)).toBeLessThanOrEqual(2500)
    await untilRunning(cluster, 1)
    expect(cluster.clock.nowMs()).toBeGreaterThanOrEqual(freeFromMs)
    expect(await registered(cluster)).toMatchObject({ status: 'True' })
    expect(run.errors).toEqual([])
  })

  test.each(['InsufficientCapacity', 'NodeClassNotReady'] as const)(
    'P-CPI-04: a launch that ends in %s ends its claim, and another is made',
    async (tag) => {
      const names = new Set<string>()
      const { cluster } = await start((provider) => ({
        launch: (request, call) => {
          names.add(request.claim.name)
          return names.size > 1
            ? provider.launch(request, call)
            : TE.left<LaunchFailure>({ error: { _tag: tag, message: 'none' }, reason: tag })
        },
      }))
      await applyDefaults(cluster)
      await applyDeployment(cluster, 'web', 1, '1')
      // Long before the claim would be given up for its age.
      await untilRunning(cluster, 1, { withinMs: 120_000 })
      const [claim] = await cluster.all(kinds.nodeClaims)
      expect([...names].indexOf(claim!.metadata.name)).toBe(1)
    },
  )

  test('P-CPI-04: any other failure stays on the claim with its reason and message, and is tried again', async () => {
    let works = false
    const { cluster } = await start((provider) => ({
      launch: (request, call) =>
        works
          ? provider.launch(request, call)
          : TE.left<LaunchFailure>({
              error: { _tag: 'InvalidRequest', message: 'the image is gone' },
              reason: 'ImageNotFound',
            }),
    }))
    await applyDefaults(cluster)
    await applyDeployment(cluster, 'web', 1, '1')
    const launched = async () => conditionOf((await cluster.all(kinds.nodeClaims))[0], 'Launched')
    await cluster.until('the claim says why', async () => (await launched())?.reason === 'ImageNotFound')
    expect(await launched()).toMatchObject({ status: 'Unknown', message: 'the image is gone' })
    const [before] = await cluster.all(kinds.nodeClaims)
    works = true
    await untilRunning(cluster, 1)
    expect((await cluster.all(kinds.nodeClaims)).map(({ metadata }) => metadata.name)).toEqual([before!.metadata.name])
  })

  test('P-CPI-04: an instance that is not found is gone, and its claim and Node go with it', async () => {
    const { cluster } = await start(() => ({
      terminate: () => TE.left({ _tag: 'InstanceNotFound', message: 'no such instance' }),
      get: () => TE.left({ _tag: 'InstanceNotFound', message: 'no such instance' }),
    }))
    await applyDefaults(cluster)
    await applyDeployment(cluster, 'web', 1, '1')
    await untilRunning(cluster, 1)
    const [claim] = await cluster.all(kinds.nodeClaims)
    await cluster.face.delete({ ...kinds.nodeClaims, name: claim!.metadata.name })
    await cluster.until('the claim is gone', async () =>
      (await cluster.all(kinds.nodeClaims)).every(({ metadata }) => metadata.name !== claim!.metadata.name),
    )
  })
})

describe('what a NodePool says', () => {
  const pool = async (cluster: VirtualCluster) => (await cluster.all(kinds.nodePools))[0]
  const says = async (cluster: VirtualCluster, type: string) => {
    const found = conditionOf(await pool(cluster), type)
    return found === undefined ? undefined : `${found.status} ${found.reason}`
  }

  test('P-NPR-04: Ready is ValidationSucceeded and NodeClassReady, whose reason names what is wrong with the class', async () => {
    let answer: 'ready' | 'unknown' | 'bad' = 'unknown'
    const verdicts = {
      ready: { status: 'True' },
      unknown: { status: 'Unknown', reason: 'Waiting', message: 'Waits for the cloud' },
      bad: { status: 'False', reason: 'SubnetsNotFound', message: 'No subnet' },
    } as const
    const { cluster } = await start(() => ({
      resolve: () => async () =>
        TE.right<never, Resolution>({
          status: {},
          conditions: { SubnetsReady: verdicts[answer] },
          recheckAfterMs: 1000,
        })(),
    }))
    const until = (expected: string) =>
      cluster.until(expected, async () => (await says(cluster, 'NodeClassReady')) === expected)
    await applyDefaults(cluster)
    await until('False NodeClassReadinessUnknown')
    expect(await says(cluster, 'Ready')).toMatch(/^False /)
    answer = 'bad'
    await until('False UnhealthyDependents')
    answer = 'ready'
    await until('True NodeClassReady')
    await cluster.until('it is Ready', async () => (await says(cluster, 'Ready')) === 'True Ready')
    // Whether nodes register is no part of it.
    expect(await says(cluster, 'NodeRegistrationHealthy')).toMatch(/^Unknown /)
    const nodeClass = { ...kinds.nodeClasses, name: 'default' }
    await cluster.face.patch(nodeClass, 'merge', { metadata: { finalizers: ['example.com/held'] } })
    await cluster.face.delete(nodeClass)
    await until('False NodeClassTerminating')
    await cluster.face.patch(nodeClass, 'merge', { metadata: { finalizers: [] } })
    await until('False NodeClassNotFound')
    expect(await says(cluster, 'ValidationSucceeded')).toMatch(/^True /)
    expect(await says(cluster, 'Ready')).toMatch(/^False /)
  })

  test('NP-COUNT-01 P-NPR-10: status.resources starts at zeros, sums the nodes that stay, and follows within five seconds', async () => {
    const { cluster } = await start(() => ({}))
    await applyDefaults(cluster)
    const zeros = { cpu: '0', memory: '0', pods: '0', 'ephemeral-storage': '0', nodes: '0' }
    await cluster.until('zeros are told', async () => (await pool(cluster))?.status?.resources !== undefined)
    expect((await pool(cluster))?.status).toMatchObject({ resources: zeros, nodes: 0 })
    await applyDeployment(cluster, 'web', 10, '1')
    await untilRunning(cluster, 10)
    await cluster.clock.advance(5500)
    expect((await pool(cluster))?.status).toMatchObject({
      resources: { cpu: '16', memory: '64Gi', pods: '110', 'ephemeral-storage': '0', nodes: '1' },
      nodes: 1,
    })
    // A node that is going does not count any more, though its machine still runs.
    const [claim] = await cluster.all(kinds.nodeClaims)
    const held = { ...kinds.nodeClaims, name: claim!.metadata.name }
    await cluster.face.patch(held, 'merge', {
      metadata: { finalizers: [...(claim!.metadata.finalizers ?? []), 'example.com/held'] },
    })
    await cluster.face.delete({ ...kinds.deployments, namespace: 'default', name: 'web' })
    await cluster.face.delete(held)
    await cluster.clock.advance(5500)
    expect((await pool(cluster))?.status).toMatchObject({ resources: zeros, nodes: 0 })
    expect((await cluster.all(kinds.nodeClaims)).map(({ metadata }) => metadata.name)).toEqual([claim!.metadata.name])
  })
})
