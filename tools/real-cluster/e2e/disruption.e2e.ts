import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { conditionOf, nodeClass, ofFourCpus, onDemand } from '../manifests.ts'
import { startTestCluster, type Scenario, type TestCluster } from '../test-cluster.ts'

const quick = {
  consolidationPolicy: 'WhenEmptyOrUnderutilized',
  consolidateAfter: '1s',
  budgets: [{ nodes: '100%' }],
}
const never = { ...quick, consolidateAfter: 'Never' }
/** Limits of a machine that is busy with much else; on two cores of its own a scenario takes a third. */
const minutes = (count: number) => count * 120_000

/** Scenarios share a controller, which carries out one replacement after the other: each may wait for several. */
describe('Disruption on a real control plane', () => {
  let cluster: TestCluster
  beforeAll(async () => {
    cluster = await startTestCluster()
    await cluster.startController('controller', { flags: ['--leader-elect=false', '--feature-gates=NodeRepair=true'] })
    await cluster.api.apply(nodeClass)
  })
  afterAll(() => cluster.stop())

  const uidsOf = async (here: Scenario) => (await here.nodes()).map(({ metadata }) => metadata.uid)

  test.concurrent('nodes whose pods are gone go too, and their machines', async () => {
    const here = await cluster.scenario('empty')
    await here.apply(here.pool(), here.deployment('web', 10, { requests: { cpu: '1' } }))
    await here.settled('web', 10)
    await here.scale('web', 0)
    await cluster.until('no node is left', async () => (await here.claims()).length === 0, minutes(3))
    expect(await here.nodes()).toEqual([])
    expect(await here.pods('web')).toEqual([])
  })

  test.concurrent('nodes that are half empty become fewer, and a budget of pods is kept all the while', async () => {
    const here = await cluster.scenario('fewer')
    await here.apply(
      here.pool({ spec: { disruption: never }, template: ofFourCpus }),
      {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name: 'web', namespace: '' },
        spec: { maxUnavailable: 1, selector: { matchLabels: { app: 'web' } } },
      },
      here.deployment('web', 9, { requests: { cpu: '1' } }),
    )
    await here.settled('web', 9)
    expect(await here.nodes()).toHaveLength(3)
    await here.scale('web', 3)
    await cluster.until('three pods are left', async () => (await here.pods('web')).length === 3)
    // All nodes come into question together: pods moved to one that empties a moment later would stay there for a while.
    await cluster.api.merge('nodepools', 'fewer', { spec: { disruption: quick } })
    let fewest = 3
    await cluster.until(
      'one node is left',
      async () => {
        if ((await here.pods('web')).length <= 4) fewest = Math.min(fewest, await here.running('web'))
        return (await here.nodes()).length === 1
      },
      minutes(5),
    )
    expect(fewest).toBeGreaterThanOrEqual(2)
    await here.settled('web', 3)
  })

  test.concurrent('a pod that must not be moved holds its node, and its event says so', async () => {
    const here = await cluster.scenario('held')
    await here.apply(
      here.pool({ spec: { disruption: quick }, template: ofFourCpus }),
      here.deployment('held', 1, { annotations: { 'karpenter.sh/do-not-disrupt': 'true' } }),
      here.deployment('web', 5, { requests: { cpu: '1' } }),
    )
    await here.settled('held', 1)
    await here.settled('web', 5)
    const [held] = await here.pods('held')
    await here.scale('web', 0)
    await cluster.until('one node is left', async () => (await here.nodes()).length === 1, minutes(5))
    expect((await here.nodes())[0]?.metadata.name).toBe(held?.spec.nodeName)
    await cluster.until('an event tells why', async () =>
      (await cluster.events('DisruptionBlocked')).some(
        ({ message = '', involvedObject }) =>
          message.includes('do-not-disrupt') && involvedObject?.name === held?.spec.nodeName,
      ),
    )
  })

  test.concurrent('nodes of an older template are replaced first, one at a time where the budget says so', async () => {
    const here = await cluster.scenario('drifted')
    const disruption = { ...never, budgets: [{ nodes: '1' }] }
    await here.apply(
      here.pool({ spec: { disruption }, template: ofFourCpus }),
      here.deployment('web', 6, { requests: { cpu: '1' } }),
    )
    await here.settled('web', 6)
    const before = await uidsOf(here)
    expect(before).toHaveLength(2)
    const taints = [{ key: 'example.com/new', effect: 'PreferNoSchedule' }]
    await here.apply(here.pool({ spec: { disruption }, template: { ...ofFourCpus, taints } }))
    let most = 0
    await cluster.until(
      'every node is new',
      async () => {
        const nodes = await here.nodes()
        const marked = nodes.filter(({ spec }) => spec.taints?.some(({ key }) => key === 'karpenter.sh/disrupted'))
        // A machine that is drained and ending counts no more: nothing runs there that could be disrupted.
        const ending = (await here.claims())
          .filter((claim) => conditionOf(claim, 'InstanceTerminating')?.status === 'True')
          .map(({ status }) => status?.nodeName)
        most = Math.max(most, marked.filter(({ metadata }) => !ending.includes(metadata.name)).length)
        return nodes.length === 2 && !nodes.some(({ metadata }) => before.includes(metadata.uid))
      },
      minutes(5),
    )
    expect(most).toBe(1)
    await here.settled('web', 6)
    expect((await here.claims()).every((claim) => conditionOf(claim, 'Drifted') === undefined)).toBe(true)
  })

  test.concurrent('a budget of zero keeps every node, and an event says so', async () => {
    const here = await cluster.scenario('frozen')
    const disruption = { ...quick, budgets: [{ nodes: '0' }] }
    await here.apply(
      here.pool({ spec: { disruption }, template: ofFourCpus }),
      here.deployment('web', 3, { requests: { cpu: '1' } }),
    )
    await here.settled('web', 3)
    await here.scale('web', 0)
    await cluster.until(
      'an event tells why',
      async () =>
        (await cluster.events('DisruptionBlocked')).some(({ involvedObject }) => involvedObject?.name === 'frozen'),
      minutes(2),
    )
    expect(await here.nodes()).toHaveLength(1)
    await cluster.api.merge('nodepools', 'frozen', { spec: { disruption: quick } })
    await cluster.until('the node is gone', async () => (await here.nodes()).length === 0, minutes(3))
  })

  test.concurrent('a node that has reached its age goes, and its pods run elsewhere', async () => {
    const here = await cluster.scenario('aged')
    await here.apply(
      here.pool({ template: { ...ofFourCpus, expireAfter: '30s' } }),
      here.deployment('web', 2, { requests: { cpu: '1' } }),
    )
    await here.settled('web', 2)
    const before = await uidsOf(here)
    await cluster.until(
      'the node is another',
      async () =>
        (await here.nodes()).every(({ metadata }) => !before.includes(metadata.uid)) &&
        (await here.running('web')) === 2,
      minutes(4),
    )
  })

  test.concurrent(
    'pods that refuse to go are deleted when the termination grace period of their node is over',
    async () => {
      const here = await cluster.scenario('graceful')
      await here.apply(
        here.pool({ spec: { disruption: never }, template: { ...ofFourCpus, terminationGracePeriod: '20s' } }),
        {
          apiVersion: 'policy/v1',
          kind: 'PodDisruptionBudget',
          metadata: { name: 'web', namespace: '' },
          spec: { minAvailable: '100%', selector: { matchLabels: { app: 'web' } } },
        },
        here.deployment('web', 2, { requests: { cpu: '1' }, annotations: { 'karpenter.sh/do-not-disrupt': 'true' } }),
      )
      await here.settled('web', 2)
      const [claim] = await here.claims()
      const [node] = await here.nodes()
      const started = performance.now()
      await cluster.api.remove('nodeclaims', claim?.metadata.name ?? '')
      let heldMs = 0
      await cluster.until(
        'the node is gone',
        async () => {
          const nodes = await here.nodes()
          if (!nodes.some(({ metadata }) => metadata.uid === node?.metadata.uid)) return true
          heldMs = performance.now() - started
          return false
        },
        minutes(3),
      )
      expect(heldMs).toBeGreaterThan(15_000)
      await here.settled('web', 2)
    },
  )

  test.concurrent('a node that has been unwell for too long is replaced', async () => {
    const here = await cluster.scenario('unwell')
    await here.apply(
      here.pool({ spec: { disruption: never }, template: ofFourCpus }),
      // More than a fifth of a pool that is unwell would not be the fault of single machines.
      here.deployment('web', 9, { requests: { cpu: '1' } }),
    )
    await here.settled('web', 9)
    const [sick] = await here.nodes()
    const name = sick?.metadata.name ?? ''
    // Nobody keeps it alive from here on, as if its kubelet had hung.
    await cluster.api.merge('nodes', name, {
      metadata: { labels: { 'kwok.x-k8s.io/node': null }, annotations: { 'kwok.x-k8s.io/node': null } },
    })
    const at = new Date(Date.now() - 3_600_000).toISOString().replace(/\.\d+/, '')
    const condition = {
      type: 'Ready',
      status: 'False',
      reason: 'Hung',
      message: '',
      lastTransitionTime: at,
      lastHeartbeatTime: at,
    }
    await cluster.api.request(`/api/v1/nodes/${name}/status`, {
      method: 'PATCH',
      body: { status: { conditions: [condition] } },
      contentType: 'application/strategic-merge-patch+json',
    })
    await cluster.until(
      'the node is gone',
      async () => !(await here.nodes()).some(({ metadata }) => metadata.uid === sick?.metadata.uid),
      minutes(3),
    )
    await here.settled('web', 9)
  })

  test.concurrent('a node that a person deletes is drained and ended, and its pods get another', async () => {
    const here = await cluster.scenario('deleted')
    await here.apply(
      here.pool({ spec: { disruption: never }, template: { requirements: [onDemand] } }),
      here.deployment('web', 2, { requests: { cpu: '1' } }),
    )
    await here.settled('web', 2)
    const before = await here.claims()
    const [node] = await here.nodes()
    await cluster.api.remove('nodes', node?.metadata.name ?? '')
    await cluster.until(
      'another claim has taken over',
      async () => {
        const uids = (await here.claims()).map(({ metadata }) => metadata.uid)
        return !uids.includes(before[0]?.metadata.uid ?? '') && (await here.running('web')) === 2
      },
      minutes(3),
    )
  })
})
