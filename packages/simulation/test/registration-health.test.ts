import { describe, expect, test } from '@jest/globals'
import {
  applyDefaults,
  applyDeployment,
  conditionOf,
  kinds,
  untilRunning,
  type VirtualClusterOptions,
} from '../src/index.ts'
import { startCluster } from './running-cluster.ts'

const start = async (options?: VirtualClusterOptions) => {
  const cluster = await startCluster(options)
  const health = async () => conditionOf((await cluster.all(kinds.nodePools))[0], 'NodeRegistrationHealthy')
  return { cluster, health, run: await cluster.startController() }
}

describe('NodeRegistrationHealthy', () => {
  test('NP-REGH-02 NP-REGH-03 P-AUX-03 L-REG-08: Unknown at first, True once a node joined, Unknown when the pool changes', async () => {
    const { cluster, health } = await start()
    await applyDefaults(cluster)
    await cluster.until('it is Unknown', async () => (await health())?.status === 'Unknown')
    await applyDeployment(cluster, 'web', 1, '1')
    await untilRunning(cluster, 1)
    await cluster.until('it is True', async () => (await health())?.status === 'True')
    await cluster.face.patch({ ...kinds.nodePools, name: 'default' }, 'merge', { spec: { weight: 5 } })
    await cluster.until('it is Unknown again', async () => (await health())?.status === 'Unknown')
  })

  test('NP-REGH-02 NP-REGH-04 L-LIVE-05: False after two nodes that did not join, and planning goes on', async () => {
    const { cluster, health } = await start({ cloud: { registrationMs: [86_400_000, 86_400_000] } })
    await applyDefaults(cluster)
    await applyDeployment(cluster, 'web', 1, '1')
    await cluster.until('the pool is unhealthy', async () => (await health())?.status === 'False', 45 * 60_000)
    expect(await health()).toMatchObject({ reason: 'RegistrationFailed' })
    await cluster.until('another is tried', async () => (await cluster.all(kinds.nodeClaims)).length > 0)
    expect(conditionOf((await cluster.all(kinds.nodePools))[0], 'Ready')).toMatchObject({ status: 'True' })
  })
})
