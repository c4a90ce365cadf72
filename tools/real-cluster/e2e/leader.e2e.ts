import { connect, createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { isWrite, readAudit } from '../audit.ts'
import { namespaceOf, nodeClass, type Seen } from '../manifests.ts'
import { startTestCluster, type RunningController, type Scenario, type TestCluster } from '../test-cluster.ts'

const namespace = 'karpenter'
// What the reference has, too: a standby waits for the lease, a leader stops by the deadline.
const leaseMs = 15_000
const renewDeadlineMs = 10_000

describe('Two controllers on a real control plane', () => {
  let cluster: TestCluster
  let here: Scenario
  let cloud: Awaited<ReturnType<TestCluster['startCloud']>>
  beforeAll(async () => {
    cluster = await startTestCluster()
    cloud = await cluster.startCloud()
    await cluster.api.apply(namespaceOf(namespace), nodeClass)
    here = await cluster.scenario('web')
    await here.apply(here.pool())
  })
  afterAll(() => cluster.stop())

  const userOf = (name: string) => `system:serviceaccount:${namespace}:${name}`

  /** A replica with an identity of its own, so that the audit log tells who did what. */
  const start = async (name: string, server?: string): Promise<RunningController> => {
    await cluster.api.apply(
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata: { name },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
        subjects: [{ kind: 'ServiceAccount', name, namespace }],
      },
    )
    return cluster.startController(name, {
      kubeconfig: await cluster.kubeconfigOf(namespace, name, server),
      flags: [`--leader-election-namespace=${namespace}`, `--kwok-cloud-url=${cloud.url}`],
    })
  }

  const lease = async (): Promise<Seen | undefined> => (await cluster.api.list<Seen>('leases', { namespace }))[0]
  const leads = ({ lines }: RunningController) => lines().some(({ message }) => message === 'This replica leads')

  /** Watches the Lease until another holds it; how long after its last renewal it was taken, by its own times. */
  const takeoverMs = async (next: RunningController): Promise<number> => {
    const before = (await lease())?.spec
    let renewedAt = before?.renewTime
    let acquiredAt: string | undefined
    await cluster.until(
      'the other leads',
      async () => {
        const now = (await lease())?.spec
        if (now?.holderIdentity === before?.holderIdentity) renewedAt = now?.renewTime
        else acquiredAt = now?.acquireTime
        return leads(next) && acquiredAt !== undefined
      },
      60_000,
    )
    return Date.parse(acquiredAt ?? '') - Date.parse(renewedAt ?? '')
  }

  /** One machine for every claim, and none that was started twice or for nothing. */
  const expectNothingTwice = async () => {
    const machines = await cloud.machines()
    const claims = await here.claims()
    expect(new Set(machines.map(({ token }) => token)).size).toBe(machines.length)
    const alive = machines.filter(({ state }) => state === 'pending' || state === 'running')
    expect(alive).toHaveLength(claims.length)
    expect(new Set(claims.map(({ status }) => status?.providerID)).size).toBe(claims.length)
  }

  let leader: RunningController

  test('one leads; when it is killed the other takes over after a whole lease, and nothing is bought twice', async () => {
    const first = await start('first')
    await cluster.until('the first leads', () => Promise.resolve(leads(first)))
    leader = await start('second')
    await here.apply(here.deployment('web', 4, { requests: { cpu: '500m' } }))
    await here.settled('web', 4)
    expect(leads(leader)).toBe(false)
    expect(readAudit(cluster.plane.auditLog, userOf('second')).filter(isWrite)).toEqual([])
    await first.stop('SIGKILL')
    await here.scale('web', 40)
    expect(await takeoverMs(leader)).toBeGreaterThanOrEqual(leaseMs)
    await here.settled('web', 40)
    await expectNothingTwice()
  })

  test('a leader that cannot reach the API server stops before another may lead', async () => {
    const cut = await startCuttableProxy(6443)
    const third = await start('third', `https://127.0.0.1:${cut.port}`)
    // It becomes leader by the second's end, which gives the lease up.
    await leader.stop()
    await cluster.until('the third leads', () => Promise.resolve(leads(third)))
    const fourth = await start('fourth')
    let endedAtMs = 0
    third.running.catch(() => (endedAtMs = performance.now()))
    const cutAtMs = performance.now()
    cut.cut()
    await cluster.until('the fourth leads', () => Promise.resolve(leads(fourth)), 60_000)
    const tookOverAtMs = performance.now()
    expect(tookOverAtMs - cutAtMs).toBeGreaterThan(leaseMs - 3000)
    const lost = third.lines().find(({ message }) => String(message).startsWith('Leadership was lost'))
    const led = fourth.lines().find(({ message }) => message === 'This replica leads')
    expect(Date.parse(String(lost?.['time']))).toBeLessThan(Date.parse(String(led?.['time'])))
    await cluster.until('the third has ended', () => Promise.resolve(endedAtMs > 0))
    expect(third.output()).toContain('leadership was lost')
    leader = fourth
  })

  test('a leader that was paused in the midst of work and wakes changes nothing any more', async () => {
    const next = await start('fifth')
    await here.scale('web', 120)
    await cluster.until(
      'it has begun to buy',
      async () => (await cloud.machines()).length > (await here.nodes()).length,
    )
    leader.send('SIGSTOP')
    expect(await takeoverMs(next)).toBeGreaterThan(renewDeadlineMs)
    await here.settled('web', 120)
    await expectNothingTwice()
    const before = {
      machines: (await cloud.machines()).length,
      claims: new Set((await here.claims()).map(({ metadata }) => metadata.uid)),
    }
    const wokenAt = Date.now()
    let hasEnded = false
    leader.running.catch(() => (hasEnded = true))
    leader.send('SIGCONT')
    await cluster.until('the woken one has ended', () => Promise.resolve(hasEnded))
    await new Promise((wake) => setTimeout(wake, 5000))
    await here.settled('web', 120)
    await expectNothingTwice()
    const after = {
      machines: (await cloud.machines()).length,
      claims: new Set((await here.claims()).map(({ metadata }) => metadata.uid)),
    }
    expect(after).toEqual(before)
    const late = readAudit(cluster.plane.auditLog, userOf('fourth')).filter(
      (event) =>
        isWrite(event) &&
        Date.parse(event.requestReceivedTimestamp) > wokenAt &&
        (event.responseStatus?.code ?? 0) < 300,
    )
    expect(late).toEqual([])
  })
})

/** Passes connections on to a port, until it is cut: then nothing is answered any more. */
const startCuttableProxy = async (to: number) => {
  const sockets = new Set<Socket>()
  let isCut = false
  const server = createServer((from) => {
    sockets.add(from)
    from.on('error', () => undefined)
    if (isCut) return
    const there = connect(to, '127.0.0.1')
    sockets.add(there)
    there.on('error', () => undefined)
    from.pipe(there)
    there.pipe(from)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    cut: () => {
      isCut = true
      for (const socket of sockets) socket.unpipe().pause()
    },
  }
}
