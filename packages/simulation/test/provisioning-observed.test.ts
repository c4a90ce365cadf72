import { describe, expect, test } from '@jest/globals'
import { applyDefaults, applyDeployment, applyNodePool, eventsOf, kinds, untilRunning } from '../src/index.ts'
import { startCluster } from './running-cluster.ts'

const start = async (flags: ReadonlyArray<string> = []) => {
  const cluster = await startCluster()
  return { cluster, run: await cluster.startController(undefined, flags) }
}

describe('what a pass tells', () => {
  test('P-PRV-10 P-FIN-07: a claim is counted, and logged with its pods and at most five types', async () => {
    const { cluster, run } = await start()
    await applyDefaults(cluster)
    await applyDeployment(cluster, 'web', 3, '1')
    await untilRunning(cluster, 3)
    expect(await run.metrics()).toMatch(
      /^karpenter_nodeclaims_created_total\{reason="provisioned",nodepool="default",min_values_relaxed="false"\} 1$/m,
    )
    const line = run.news.find((one) => one.startsWith('Created NodeClaim'))
    expect(JSON.parse(line!.slice(line!.indexOf('{')))).toMatchObject({
      NodePool: 'default',
      'instance-types': expect.stringMatching(/^c-\d+x(, c-\d+x){0,4}( and \d+ others)?$/),
      pods: [expect.stringContaining('default/web-'), expect.anything(), expect.anything()],
    })
  })

  test('P-OBS-05: the metrics of planning bear the reference’s names and count pods without a place', async () => {
    const { cluster, run } = await start()
    await applyDefaults(cluster)
    await applyDeployment(cluster, 'huge', 2, '500')
    await cluster.until('both are counted', async () =>
      /^karpenter_scheduler_unschedulable_pods_count\{controller="provisioner"\} 2$/m.test(await run.metrics()),
    )
    const text = await run.metrics()
    expect(text).toMatch(/^karpenter_scheduler_scheduling_duration_seconds_count\{controller="provisioner"\} \d+$/m)
    expect(text).toMatch(/^karpenter_scheduler_ignored_pods_count 0$/m)
  })

  test('P-CST-07: how long pods wait for a decision and for a node is reported once for each', async () => {
    const { cluster, run } = await start()
    await applyDefaults(cluster)
    await applyDeployment(cluster, 'web', 3, '1')
    await applyDeployment(cluster, 'huge', 1, '500')
    await untilRunning(cluster, 3)
    await cluster.clock.advance(30_000)
    const text = await run.metrics()
    expect(text).toMatch(/^karpenter_pods_scheduling_decision_duration_seconds_count 4$/m)
    expect(text).toMatch(/^karpenter_pods_bound_duration_seconds_count 3$/m)
    expect(text).toMatch(/^karpenter_pods_provisioning_bound_duration_seconds_count 3$/m)
  })

  test('P-AUX-01: the price per hour of a NodePool is reported as its machines come and go', async () => {
    const { cluster, run } = await start()
    await applyDefaults(cluster)
    const price = async () =>
      Number(/^karpenter_nodepools_cost_total\{nodepool="default"\} (\S+)$/m.exec(await run.metrics())?.[1])
    await cluster.until('nothing costs nothing', async () => (await price()) === 0)
    await applyDeployment(cluster, 'web', 10, '1')
    await cluster.until('a machine costs', async () => (await price()) === 0.7)
    await cluster.face.delete({ ...kinds.deployments, namespace: 'default', name: 'web' })
    await cluster.until('it is gone', async () => (await price()) === 0)
  })

  test('P-OBS-01: pods are told where they should go, and the same failure once in five minutes', async () => {
    const { cluster } = await start()
    await applyDefaults(cluster)
    await applyDeployment(cluster, 'web', 1, '1')
    await applyDeployment(cluster, 'huge', 1, '500')
    await untilRunning(cluster, 1)
    await cluster.clock.advance(120_000)
    expect(await eventsOf(cluster, { reason: 'Nominated' })).toContainEqual(
      expect.objectContaining({ message: expect.stringMatching(/^Pod should schedule on: nodeclaim\/default-/) }),
    )
    const failed = (await eventsOf(cluster, { reason: 'FailedScheduling' })).filter(({ message }) =>
      /NodePool|instance type/i.test(message),
    )
    expect(failed.reduce((sum, { count = 1 }) => sum + count, 0)).toBe(1)
  })

  test('P-SCH-04, P-OBS-01: a NodePool for which there is no instance type is told so, and the others are used', async () => {
    const { cluster } = await start()
    await applyDefaults(cluster)
    await applyNodePool(
      cluster,
      { group: 'karpenter.kwok.sh', kind: 'KWOKNodeClass' },
      {
        name: 'barren',
        template: { requirements: [{ key: 'kubernetes.io/arch', operator: 'In', values: ['sparc'] }] },
      },
    )
    await applyDeployment(cluster, 'web', 1, '1')
    await untilRunning(cluster, 1)
    const told = await eventsOf(cluster, { reason: 'NoCompatibleInstanceTypes' })
    expect(told.map(({ involvedObject }) => involvedObject.name)).toEqual(['barren'])
  })

  test('P-BAT-03: a pod that found no NodePool is tried again until one exists', async () => {
    const { cluster } = await start()
    await applyDeployment(cluster, 'web', 1, '1')
    await cluster.clock.advance(60_000)
    expect(await cluster.all(kinds.nodeClaims)).toEqual([])
    await applyDefaults(cluster)
    await untilRunning(cluster, 1, { withinMs: 60_000 })
  })
})
