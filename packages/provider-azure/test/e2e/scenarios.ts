import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { launchErrors, type LaunchFault } from '../emulator/index.ts'
import { kinds, startAzureCluster, type AzureCluster } from './cluster.ts'

const nodePool = (pool: string, capacityTypes: ReadonlyArray<string>) => ({
  metadata: { name: pool },
  spec: {
    disruption: {
      consolidationPolicy: 'WhenEmptyOrUnderutilized',
      consolidateAfter: '0s',
      budgets: [{ nodes: '100%' }],
    },
    template: {
      metadata: { labels: { pool } },
      spec: {
        nodeClassRef: { group: 'karpenter.azure.com', kind: 'AKSNodeClass', name: 'default' },
        requirements: [
          { key: 'karpenter.sh/capacity-type', operator: 'In', values: capacityTypes },
          { key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] },
          { key: 'karpenter.azure.com/sku-family', operator: 'In', values: ['D', 'E', 'F'] },
        ],
      },
    },
  },
})
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
    const condition = async (type: string) =>
      (await cluster.all('nodeClasses'))[0]?.status?.conditions?.find((each) => each.type === type)
    const nothingLeft = async () => {
      await cluster.until('Azure has nothing of nodes', async () => cluster.billed().length === 0, 90_000)
      await cluster.until('no claim is left', async () => (await cluster.all('nodeClaims')).length === 0)
    }
    /** As an operator would who is done: no pods, no claims. */
    const clear = async (app: string) => {
      await cluster.scale(app, 0)
      for (const { metadata } of await cluster.all('nodeClaims'))
        await cluster.face.delete({ ...kinds.nodeClaims, name: metadata.name }).catch(() => undefined)
      await nothingLeft()
    }
    const faults = (...list: ReadonlyArray<LaunchFault>) =>
      cluster.azure.world.launchFaults.splice(0, cluster.azure.world.launchFaults.length, ...list)

    beforeAll(async () => {
      cluster = await startAzureCluster(mode)
      await cluster.face.create(kinds.nodeClasses, { metadata: { name: 'default' }, spec: {} })
      await cluster.face.create(kinds.nodePools, nodePool('on-demand', ['on-demand']))
      await cluster.face.create(kinds.nodePools, nodePool('spot', ['spot', 'on-demand']))
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
          await cluster.until('5 pods run', async () => (await cluster.runningPods('web')) === 5)
        })
        const nodes = await cluster.all('nodes')
        const claims = await cluster.all('nodeClaims')
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
          await cluster.until('4 more pods run', async () => (await cluster.runningPods('big')) === 4)
          const before = cluster.billed(kind).length
          await cluster.scale('big', 1)
          await cluster.until('nodes are given back', async () => cluster.billed(kind).length < before)
        })
        await cluster.counted('emptiness', async () => {
          await cluster.scale('big', 0)
          await cluster.scale('web', 0)
          await nothingLeft()
          await cluster.until('no Node is left', async () => (await cluster.all('nodes')).length === 0)
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
          await cluster.until('2 pods run', async () => (await cluster.runningPods('short')) === 2, 90_000)
          for (const { metadata } of await cluster.all('nodes')) {
            expect(metadata.labels?.['topology.kubernetes.io/zone']).not.toMatch(/-[12]$/)
            expect(metadata.labels?.['node.kubernetes.io/instance-type']).not.toBe('Standard_F2s_v2')
          }
          faults()
          await clear('short')
        })
      }, 360_000)

      test('buys on demand while there is no spot, and takes a refusal after the acceptance like one before', async () => {
        await cluster.counted('no spot', async () => {
          faults(
            { priority: 'Spot', phase: 'request', error: launchErrors.skuNotAvailable },
            { priority: 'Regular', phase: 'operation', error: launchErrors.overconstrainedZonal, times: 1 },
          )
          await cluster.deploy('spot', 2, '900m', onPool('spot'))
          await cluster.until('2 pods run', async () => (await cluster.runningPods('spot')) === 2, 120_000)
          for (const { metadata } of await cluster.all('nodes'))
            expect(metadata.labels?.['karpenter.sh/capacity-type']).toBe('on-demand')
          faults()
          await clear('spot')
        })
      }, 420_000)

      test('goes on to another family when a quota is used up', async () => {
        await cluster.counted('quota', async () => {
          cluster.azure.world.setQuota('standardFSv2Family', 0)
          cluster.azure.world.setQuota('standardDSv5Family', 0)
          await cluster.deploy('quota', 1, '900m', onPool('on-demand'))
          await cluster.until('1 pod runs', async () => (await cluster.runningPods('quota')) === 1, 90_000)
          for (const { metadata } of await cluster.all('nodes'))
            expect(metadata.labels?.['node.kubernetes.io/instance-type']).toMatch(/^Standard_E/)
          await clear('quota')
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
          await cluster.until('2 pods run', async () => (await cluster.runningPods('crash')) === 2, 120_000)
          await cluster.until(
            'every machine has a claim of its own',
            async () => {
              const claimed = (await cluster.all('nodeClaims')).map(({ status }) => status?.providerID)
              return (
                cluster.billed(kind).length === claimed.length &&
                new Set(claimed).size === claimed.length &&
                !claimed.includes(undefined)
              )
            },
            120_000,
          )
          await clear('crash')
        })
      }, 540_000)
    }
  })
