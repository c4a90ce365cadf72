import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { conditionOf, nodeClass, ofFourCpus } from '../manifests.ts'
import { startTestCluster, type Scenario, type TestCluster } from '../test-cluster.ts'

describe('Moving from the reference and back on a real control plane', () => {
  let cluster: TestCluster
  beforeAll(async () => {
    cluster = await startTestCluster()
  })
  afterAll(() => cluster.stop())

  const uidsOf = async (here: Scenario) => ({
    nodes: new Set((await here.nodes()).map(({ metadata }) => metadata.uid)),
    claims: new Set((await here.claims()).map(({ metadata }) => metadata.uid)),
    pods: new Set((await here.pods('web')).map(({ metadata }) => metadata.uid)),
  })

  test('nodes that the reference left are kept, joined by some of ours, and given back without replacing one', async () => {
    const here = await cluster.scenario('moved')
    const reference = await cluster.startReference(cluster.plane.kubeconfig)
    await here.apply(
      nodeClass,
      // Empty nodes go; nothing else moves but what a change of controller would move by itself.
      here.pool({
        spec: {
          disruption: { consolidationPolicy: 'WhenEmpty', consolidateAfter: '1s', budgets: [{ nodes: '100%' }] },
        },
        template: ofFourCpus,
      }),
      here.deployment('web', 6, { requests: { cpu: '1' } }),
    )
    await here.settled('web', 6)
    const before = await uidsOf(here)
    await reference.stop()

    const ours = await cluster.startController('ours', {
      flags: ['--leader-elect=false', '--instance-types-file-path=kwok'],
    })
    // Longer than a pass of disruption: what was to be replaced would have been marked by now.
    await new Promise((wake) => setTimeout(wake, 20_000))
    expect(await uidsOf(here)).toEqual(before)
    expect((await here.claims()).filter((claim) => conditionOf(claim, 'Drifted') !== undefined)).toEqual([])
    await here.scale('web', 9)
    await here.settled('web', 9)
    const grown = await uidsOf(here)
    expect(grown.nodes.size).toBe(3)
    for (const uid of before.nodes) expect(grown.nodes.has(uid)).toBe(true)
    await ours.stop()

    await cluster.startReference(cluster.plane.kubeconfig)
    await new Promise((wake) => setTimeout(wake, 20_000))
    expect(await uidsOf(here)).toEqual(grown)
    await here.scale('web', 0)
    await cluster.until('the reference has ended all machines', async () => (await here.claims()).length === 0, 150_000)
    expect(await here.nodes()).toEqual([])
  })
})
