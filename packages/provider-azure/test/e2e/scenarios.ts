import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { applyNodePool, conditionOf, scale, untilRunning } from '@scantling/simulation'
import { eager } from '@scantling/simulation/testing'
import { launchErrors, type LaunchFault } from '../emulator/index.ts'
import { azureKinds as kinds } from '../kinds.ts'
import { startAzureCluster, type AzureCluster } from './cluster.ts'

/** A NodePool of small amd64 machines that gives them back as soon as it can. */
const applyPool = (cluster: AzureCluster, pool: string, capacityTypes: ReadonlyArray<string>) =>
  applyNodePool(
    cluster,
    { group: 'karpenter.azure.com', kind: 'AKSNodeClass' },
    {
      name: pool,
      labels: { pool },
      spec: { disruption: eager },
      template: {
        requirements: [
          { key: 'karpenter.sh/capacity-type', operator: 'In', values: capacityTypes },
          { key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] },
          { key: 'karpenter.azure.com/sku-family', operator: 'In', values: ['D', 'E', 'F'] },
        ],
      },
    },
  )
const onPool = (pool: string) => ({ nodeSelector: { pool } })

const ways = {
  aksscriptless: { kind: 'virtualMachines', put: 'PUT Compute/virtualMachines/write' },
  aksmachineapiheaderbatch: {
    kind: 'machines',
    put: 'PUT ContainerService/managedClusters/agentPools/machines/write',
  },
} as const

/** What a file tests; each has a cluster of its own, so that they can run side by side. */
type Part = 'life' | 'trouble'

/** The controller in one of its modes, from its start to an empty resource group. */
export const describeController = (mode: keyof typeof ways, part: Part): void =>
  describe(`the controller with --provider azure and --provision-mode ${mode} over HTTPS: ${part}`, () => {
    const { kind, put } = ways[mode]
    let cluster: AzureCluster
    const condition = async (type: string) => conditionOf((await cluster.all(kinds.nodeClasses))[0], type)
    const faults = (...list: ReadonlyArray<LaunchFault>) =>
      cluster.azure.world.launchFaults.splice(0, cluster.azure.world.launchFaults.length, ...list)

    beforeAll(async () => {
      cluster = await startAzureCluster(mode)
      await cluster.face.create(kinds.nodeClasses, { metadata: { name: 'default' }, spec: {} })
      await applyPool(cluster, 'on-demand', ['on-demand'])
      await applyPool(cluster, 'spot', ['spot', 'on-demand'])
      cluster.startController()
    }, 240_000)
    afterAll(() => cluster?.stop(), 30_000)

    test('resolves the AKSNodeClass', async () => {
      await cluster.counted('start and resolve', () =>
        cluster.until('the AKSNodeClass is Ready', async () => (await condition('Ready'))?.status === 'True', 150_000),
      )
    }, 270_000)

    if (part === 'life') {
      test('makes nodes for pods, which their kubelets register by provider id', async () => {
        const calls = await cluster.counted('pods become nodes', async () => {
          await cluster.deploy('web', 5, '900m', onPool('on-demand'))
          await untilRunning(cluster, 5, { app: 'web' })
        })
        const nodes = await cluster.all(kinds.nodes)
        const claims = await cluster.all(kinds.nodeClaims)
        expect(nodes).toHaveLength(cluster.billed(kind).length)
        expect(new Set(nodes.map(({ spec }) => spec.providerID))).toEqual(
          new Set(claims.map(({ status }) => status?.providerID)),
        )
        expect(calls.get(put)).toBeLessThanOrEqual(nodes.length)
        if (kind === 'virtualMachines') expect(cluster.billed('networkInterfaces')).toHaveLength(nodes.length)
      }, 270_000)

      test('consolidates to fewer nodes when pods go, and nothing is left in the resource group when all are gone', async () => {
        await cluster.counted('consolidation', async () => {
          await cluster.deploy('big', 4, '14', onPool('on-demand'))
          await untilRunning(cluster, 4, { app: 'big' })
          const before = cluster.billed(kind).length
          await scale(cluster, 'big', 1)
          await cluster.until('nodes are given back', async () => cluster.billed(kind).length < before)
        })
        await cluster.counted('emptiness', async () => {
          await scale(cluster, 'big', 0)
          await scale(cluster, 'web', 0)
          await cluster.untilEmpty()
          await cluster.until('no Node is left', async () => (await cluster.all(kinds.nodes)).length === 0)
        })
      }, 360_000)
    }

    if (part === 'trouble') {
      test('goes on to other zones and sizes while there is no room, and through throttling', async () => {
        await cluster.counted('shortage', async () => {
          faults(
            { phase: 'request', error: launchErrors.throttled, times: 1 },
            ...['1', '2'].map((zone) => ({
              zone,
              phase: 'request' as const,
              error: launchErrors.zonalAllocationFailed,
            })),
            { size: 'Standard_F2s_v2', phase: 'request', error: launchErrors.allocationFailed },
          )
          await cluster.deploy('short', 2, '1500m', onPool('on-demand'))
          await untilRunning(cluster, 2, { app: 'short', withinMs: 90_000 })
          for (const { metadata } of await cluster.all(kinds.nodes)) {
            expect(metadata.labels?.['topology.kubernetes.io/zone']).not.toMatch(/-[12]$/)
            expect(metadata.labels?.['node.kubernetes.io/instance-type']).not.toBe('Standard_F2s_v2')
          }
          faults()
          await cluster.clear('short')
        })
      }, 360_000)

      test('buys on demand while there is no spot, and takes a refusal after the acceptance like one before', async () => {
        await cluster.counted('no spot', async () => {
          faults(
            { priority: 'Spot', phase: 'request', error: launchErrors.skuNotAvailable },
            { priority: 'Regular', phase: 'operation', error: launchErrors.overconstrainedZonal, times: 1 },
          )
          await cluster.deploy('spot', 2, '900m', onPool('spot'))
          await untilRunning(cluster, 2, { app: 'spot', withinMs: 120_000 })
          for (const { metadata } of await cluster.all(kinds.nodes))
            expect(metadata.labels?.['karpenter.sh/capacity-type']).toBe('on-demand')
          faults()
          await cluster.clear('spot')
        })
      }, 420_000)

      test('goes on to another family when a quota is used up', async () => {
        await cluster.counted('quota', async () => {
          cluster.azure.world.setQuota('standardFSv2Family', 0)
          cluster.azure.world.setQuota('standardDSv5Family', 0)
          await cluster.deploy('quota', 1, '900m', onPool('on-demand'))
          await untilRunning(cluster, 1, { app: 'quota', withinMs: 90_000 })
          for (const { metadata } of await cluster.all(kinds.nodes))
            expect(metadata.labels?.['node.kubernetes.io/instance-type']).toMatch(/^Standard_E/)
          await cluster.clear('quota')
          cluster.azure.world.setQuota('standardFSv2Family', 5000)
          cluster.azure.world.setQuota('standardDSv5Family', 5000)
        })
      }, 360_000)

      test('has one machine for each claim after it was killed in the middle of a launch', async () => {
        await cluster.counted('killed while launching', async () => {
          let killed: Promise<void> | undefined
          // Accepted, and nobody lives to hear of it.
          cluster.azure.onCall((action, method) => {
            if (method === 'PUT' && /(virtualMachines|machines)\/write$/.test(action))
              killed ??= cluster.killController()
          })
          await cluster.deploy('crash', 2, '1500m', onPool('on-demand'))
          await cluster.until('the controller died', async () => killed !== undefined)
          await killed
          cluster.azure.onCall(() => undefined)
          cluster.startController()
          await untilRunning(cluster, 2, { app: 'crash', withinMs: 120_000 })
          await cluster.until(
            'every machine has a claim of its own',
            async () => {
              const claimed = (await cluster.all(kinds.nodeClaims)).map(({ status }) => status?.providerID)
              return (
                cluster.billed(kind).length === claimed.length &&
                new Set(claimed).size === claimed.length &&
                !claimed.includes(undefined)
              )
            },
            120_000,
          )
          await cluster.clear('crash')
        })
      }, 540_000)
    }
  })
