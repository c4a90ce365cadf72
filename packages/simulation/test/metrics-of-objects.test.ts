import * as TE from 'fp-ts/lib/TaskEither.js'
import { describe, expect, test } from '@jest/globals'
import { applyDeployment, conditionOf, eventsOf, kinds, scale, type VirtualCluster } from '../src/index.ts'
import { keep, startRunning, type Beginning } from './running-cluster.ts'

const limited = { ...keep, limits: { cpu: '100' } }
const containers = [
  { name: 'main', image: 'pause', resources: { requests: { cpu: '3' }, limits: { cpu: '3500m', memory: '1Gi' } } },
]
const startWith = async (beginning: Beginning = {}) => {
  const started = await startRunning({ pool: limited, pod: { containers }, ...beginning })
  await started.cluster.clock.advance(15_000)
  return started
}
const lines = (text: string, name: string) => text.split('\n').filter((line) => line.startsWith(`${name}{`))
const deleteAll = async (cluster: VirtualCluster) => {
  await cluster.face.delete({ ...kinds.deployments, namespace: 'default', name: 'web' })
  await cluster.face.delete({ ...kinds.nodePools, name: 'default' })
  await cluster.until(
    'all is gone',
    async () => (await cluster.all(kinds.nodes)).length === 0 && (await cluster.all(kinds.pods)).length === 0,
  )
  await cluster.clock.advance(15_000)
}

describe('metrics of', () => {
  test('M-NODE-01 M-NODE-02 nodes: what they have, what is asked of it, their age; nothing once they are gone', async () => {
    const { cluster, run } = await startWith()
    const [node] = await cluster.all(kinds.nodes)
    await cluster.face.create(
      { ...kinds.pods, namespace: 'kube-system' },
      {
        metadata: {
          name: 'daemon',
          ownerReferences: [{ apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'd', uid: 'd', controller: true }],
        },
        spec: {
          nodeName: node?.metadata.name,
          containers: [
            { name: 'main', image: 'pause', resources: { requests: { cpu: '100m' }, limits: { cpu: '200m' } } },
          ],
        },
      },
    )
    await cluster.clock.advance(10)
    const text = await run.metrics()
    const cpu = (name: string) =>
      lines(text, `karpenter_nodes_${name}`).find((line) => line.includes('resource_type="cpu"')) ?? ''
    expect(cpu('allocatable')).toMatch(/ 4$|3\.\d+$/)
    for (const label of [
      `node_name="${node?.metadata.name}"`,
      'nodepool="default"',
      'instance_type="c-4x"',
      'capacity_type="on-demand"',
      'zone="zone-',
      'arch="amd64"',
      'os="linux"',
      'region="',
      'windows_build="',
      'managed="true"',
      'phase="',
      // The provider's own.
      'instance_size="',
    ])
      expect(cpu('allocatable')).toContain(label)
    expect(cpu('total_pod_requests')).toMatch(/ 3\.1$/)
    expect(cpu('total_pod_limits')).toMatch(/ 3\.7$/)
    expect(cpu('total_daemon_requests')).toMatch(/ 0\.1$/)
    expect(cpu('total_daemon_limits')).toMatch(/ 0\.2$/)
    expect(lines(text, 'karpenter_nodes_system_overhead').length).toBeGreaterThan(0)
    expect(lines(text, 'karpenter_nodes_current_lifetime_seconds')).toHaveLength(1)
    await deleteAll(cluster)
    expect(lines(await run.metrics(), 'karpenter_nodes_allocatable')).toEqual([])
  })

  test('M-NP-01 NodePools: usage, limits and cost; nothing once they are gone', async () => {
    const { cluster, run } = await startWith()
    const text = await run.metrics()
    expect(text).toContain('karpenter_nodepools_usage{nodepool="default",resource_type="cpu"} 4')
    expect(text).toContain('karpenter_nodepools_limit{nodepool="default",resource_type="cpu"} 100')
    expect(text).toContain('karpenter_nodepools_cost_total{nodepool="default"} 0.2')
    await deleteAll(cluster)
    const after = await run.metrics()
    for (const name of ['usage', 'limit', 'cost_total']) expect(lines(after, `karpenter_nodepools_${name}`)).toEqual([])
  })

  test('M-POD-01 M-POD-02 pods: where they are and how long they wait, and how long their start took', async () => {
    const { cluster, run } = await startWith()
    const text = await run.metrics()
    const [pod] = await cluster.all(kinds.pods)
    const [state] = lines(text, 'karpenter_pods_state')
    for (const label of [
      `name="${pod?.metadata.name}"`,
      'namespace="default"',
      'owner="/apis/apps/v1/namespaces/default/replicasets/web-',
      `node="${pod?.spec.nodeName}"`,
      'scheduled="true"',
      'nodepool="default"',
      'instance_type="c-4x"',
      'phase="Running"',
      'ready="true"',
      'managed="true"',
    ])
      expect(state).toContain(label)
    expect(text).toContain('karpenter_pods_startup_duration_seconds_count 1')
    expect(text).toContain('karpenter_pods_bound_duration_seconds_count 1')
    expect(lines(text, 'karpenter_pods_unstarted_time_seconds')).toEqual([])
    await applyDeployment(cluster, 'huge', 1, '64')
    await cluster.clock.advance(30_000)
    const waiting = await run.metrics()
    for (const name of ['unstarted', 'unbound'])
      expect(lines(waiting, `karpenter_pods_${name}_time_seconds`)).toEqual([
        expect.stringMatching(/name="huge-[^"]*",namespace="default"\} (29|30|31)/),
      ])
    await scale(cluster, 'huge', 0)
    await cluster.clock.advance(5000)
    expect(lines(await run.metrics(), 'karpenter_pods_unbound_time_seconds')).toEqual([])
  })

  test('M-POD-02 pods that a controller finds running tell nothing of their start', async () => {
    const { cluster, run } = await startWith()
    run.kill()
    const again = await cluster.startController()
    await cluster.clock.advance(30_000)
    const text = await again.metrics()
    expect(text).not.toContain('karpenter_pods_startup_duration_seconds_count 1')
    expect(lines(text, 'karpenter_pods_state')).toHaveLength(1)
  })

  test('M-STATUS-01 conditions: how they are, for how long, each transition as count and event, and the ends', async () => {
    const { cluster, run } = await startWith()
    const claim = (await cluster.all(kinds.nodeClaims))[0]?.metadata.name ?? ''
    const text = await run.metrics()
    const extra = 'karpenter_kwok_sh_kwoknodeclass="default",karpenter_sh_nodepool="default"'
    expect(text).toContain(
      `operator_nodeclaim_status_condition_count{namespace="",name="${claim}",type="Ready",status="True",reason="Ready",${extra}} 1`,
    )
    expect(lines(text, 'operator_nodeclaim_status_condition_current_status_seconds').length).toBeGreaterThan(3)
    expect(text).toMatch(
      /operator_nodeclaim_status_condition_transitions_total\{type="Registered",status="True",reason="Registered",[^}]*\} 1/,
    )
    expect(text).toMatch(
      /operator_nodeclaim_status_condition_transition_seconds_count\{type="Registered",status="Unknown",/,
    )
    expect(text).toMatch(
      /operator_nodepool_status_condition_count\{namespace="",name="default",type="Ready",status="True",reason="Ready"\} 1/,
    )
    expect(lines(text, 'operator_node_status_condition_count')[0]).toContain('karpenter_sh_initialized="')
    const events = async () =>
      (await eventsOf(cluster)).map(({ reason, involvedObject }) => `${involvedObject.kind} ${reason}`)
    expect(await events()).toEqual(
      expect.arrayContaining(['NodeClaim Launched', 'NodeClaim Ready', 'NodePool Ready', 'Node Ready']),
    )
    await deleteAll(cluster)
    const after = await run.metrics()
    expect(lines(after, 'operator_nodeclaim_status_condition_count')).toEqual([])
    expect(after).toMatch(/operator_nodeclaim_termination_duration_seconds_count\{[^}]*\} 1/)
    expect(await events()).toEqual(expect.arrayContaining(['NodeClaim Finalized', 'Node Finalized']))
  })

  test('M-STATUS-02 single objects are left out where the flag says so', async () => {
    const { run } = await startWith({ flags: ['--disable-cluster-state-observability', 'true'] })
    const text = await run.metrics()
    for (const name of [
      'karpenter_nodes_allocatable',
      'karpenter_pods_state',
      'karpenter_nodepools_usage',
      'operator_nodeclaim_status_condition_count',
    ])
      expect(lines(text, name)).toEqual([])
    expect(text).toContain('karpenter_nodeclaims_created_total')
  })

  test('ST-04 planning that claims without a machine hold up: for how long, and an error once that is long', async () => {
    const { cluster, run } = await startWith({
      options: {
        providerOf: (provider) => ({
          ...provider,
          launch: (request, call) =>
            request.claim.name === 'slow' ? () => new Promise(() => undefined) : provider.launch(request, call),
        }),
      },
    })
    expect(await run.metrics()).toContain('karpenter_cluster_state_unsynced_time_seconds 0')
    await cluster.face.create(kinds.nodeClaims, {
      metadata: { name: 'slow', labels: { 'karpenter.sh/nodepool': 'default' } },
      spec: { nodeClassRef: { group: 'karpenter.kwok.sh', kind: 'KWOKNodeClass', name: 'default' }, requirements: [] },
    })
    await cluster.clock.advance(27_000)
    expect(run.errors).toEqual([])
    await cluster.clock.advance(13_000)
    expect(await run.metrics()).toMatch(/karpenter_cluster_state_unsynced_time_seconds (3|4)\d/)
    expect(run.errors).toContainEqual(expect.stringContaining('Planning is held up by NodeClaims without a machine'))
  })
})

describe('Consolidatable', () => {
  const claimOf = async (cluster: VirtualCluster) => (await cluster.all(kinds.nodeClaims))[0]
  const is = async (cluster: VirtualCluster) => conditionOf(await claimOf(cluster), 'Consolidatable')?.status
  const setAfter = (cluster: VirtualCluster, consolidateAfter: string) =>
    cluster.face.patch({ ...kinds.nodePools, name: 'default' }, 'merge', { spec: { disruption: { consolidateAfter } } })
  const pool = { disruption: { consolidateAfter: '60s', budgets: [{ nodes: '0' }] } }

  test('C-CONS-01 C-CONS-03 counts from the last pod event, else from Initialized, and goes under Never', async () => {
    const { cluster } = await startWith({ pool })
    const claim = await claimOf(cluster)
    const initialized = (claim?.status.conditions ?? []).find(({ type }) => type === 'Initialized') as unknown as {
      lastTransitionTime: string
    }
    const baseMs = Math.max(
      Date.parse(initialized.lastTransitionTime),
      Date.parse(claim?.status.lastPodEventTime ?? initialized.lastTransitionTime),
    )
    await cluster.clock.advance(baseMs + 59_000 - cluster.clock.nowMs())
    expect(await is(cluster)).toBeUndefined()
    await cluster.clock.advance(2000)
    expect(await is(cluster)).toBe('True')
    await setAfter(cluster, 'Never')
    await cluster.clock.advance(1000)
    expect(await is(cluster)).toBeUndefined()
    await setAfter(cluster, '0s')
    await cluster.clock.advance(1000)
    expect(await is(cluster)).toBe('True')
    await cluster.face.patch(
      { ...kinds.nodeClaims, name: claim?.metadata.name ?? '', subresource: 'status' },
      'merge',
      {
        status: {
          conditions: (claim?.status.conditions ?? []).map((one) =>
            one.type === 'Initialized' ? { ...one, status: 'False' } : one,
          ),
        },
      },
    )
    await cluster.clock.advance(1000)
    expect(await is(cluster)).toBeUndefined()
  })

  test('L-CTRL-06 C-DRIFT-02 is written though drift cannot be told, which is tried again', async () => {
    let asked = 0
    const { cluster, run } = await startWith({
      pool,
      options: {
        providerOf: (provider) => ({
          ...provider,
          drift: () => ({ _tag: 'Drifted', reason: 'Test' }),
          get: () => {
            asked += 1
            return TE.left({ _tag: 'Unknown', message: 'no answer' })
          },
        }),
      },
    })
    await cluster.clock.advance(120_000)
    expect(await is(cluster)).toBe('True')
    expect(conditionOf(await claimOf(cluster), 'Drifted')).toBeUndefined()
    expect(asked).toBeGreaterThan(2)
    expect(run.errors.some((line) => line.includes('no answer'))).toBe(true)
  })

  test('L-CTRL-06 the soonest of what is awaited counts: the window, not the next look at drift', async () => {
    const { cluster } = await startWith({
      pool: { disruption: { consolidateAfter: '400s', budgets: [{ nodes: '0' }] } },
    })
    await cluster.clock.advance(400_000)
    expect(await is(cluster)).toBe('True')
  })
})
