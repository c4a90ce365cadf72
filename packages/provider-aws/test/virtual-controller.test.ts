import { afterEach, describe, expect, jest, test } from '@jest/globals'
import { applyDeployment, conditionOf, kinds, runningPods, scale, untilRunning } from '@scantling/simulation'
import { endedAfter } from '@scantling/simulation/testing'
import { foreignInstance } from './fake-aws/index.ts'
import { awsKinds } from './kinds.ts'
import { applyAwsDefaults, startVirtualAws, type VirtualAws } from './virtual-controller.ts'

// Virtual time is fast, a busy machine is not.
jest.setTimeout(120_000)
const stopping = endedAfter(afterEach)
const start = async (options: Parameters<typeof startVirtualAws>[0] = {}) => stopping(await startVirtualAws(options))
const classRef = { ...awsKinds.nodeClasses, name: 'default' }
const patchClass = (cluster: VirtualAws, body: Record<string, unknown>) => cluster.face.patch(classRef, 'merge', body)
const fleets = ({ aws }: VirtualAws) =>
  aws.inputsOf<{ readonly DryRun?: boolean }>('ec2:CreateFleet').filter(({ DryRun }) => DryRun !== true)
const claimOf = async (cluster: VirtualAws) => (await cluster.all(kinds.nodeClaims))[0]
const keep = { disruption: { consolidateAfter: 'Never', budgets: [{ nodes: '0' }] } }

describe('an EC2NodeClass', () => {
  test('A-STA-08: that is Ready for an older spec launches nothing until it is for this one', async () => {
    const cluster = await start()
    await cluster.startController()
    await applyAwsDefaults(cluster)
    await cluster.clock.advance(5000)
    expect(conditionOf((await cluster.all(awsKinds.nodeClasses))[0], 'Ready')?.status).toBe('True')
    // EC2 no longer answers, so nobody knows about the new spec; what was said of the old one still stands.
    const down = Array.from({ length: 1000 }, () => ({ code: 'InternalError', httpStatus: 500 }))
    cluster.aws.failNext('ec2:DescribeSubnets', ...down)
    await patchClass(cluster, { spec: { subnetSelectorTerms: [{ id: 'subnet-1' }] } })
    await applyDeployment(cluster, 'web', 1, '1')
    await cluster.clock.advance(120_000)
    expect(fleets(cluster)).toEqual([])
    cluster.aws.board.failures.clear()
    await untilRunning(cluster, 1)
    expect(cluster.aws.running().map(({ SubnetId }) => SubnetId)).toEqual(['subnet-1'])
  })

  test('A-CLP-08: that is missing has no types, which its NodePool tells', async () => {
    const cluster = await start()
    await cluster.startController()
    await applyAwsDefaults(cluster)
    await patchClass(cluster, { metadata: { finalizers: [] } })
    await cluster.face.delete(classRef)
    await patchClass(cluster, { metadata: { finalizers: [] } }).catch(() => undefined)
    await applyDeployment(cluster, 'web', 1, '1')
    await cluster.clock.advance(30_000)
    expect(conditionOf((await cluster.all(kinds.nodePools))[0], 'NodeClassReady')).toMatchObject({
      reason: 'NodeClassNotFound',
      message: expect.stringContaining('EC2NodeClass default does not exist'),
    })
    expect(await cluster.all(kinds.nodeClaims)).toEqual([])
  })
})

describe('static drift', () => {
  const hash = 'karpenter.k8s.aws/ec2nodeclass-hash'
  const running = async () => {
    const cluster = await start()
    const run = await cluster.startController()
    await applyAwsDefaults(cluster, { default: [] }, keep)
    await applyDeployment(cluster, 'web', 1, '1')
    await untilRunning(cluster, 1)
    return { cluster, run }
  }
  const drifted = async (cluster: VirtualAws) => conditionOf(await claimOf(cluster), 'Drifted')?.reason

  test('A-DRF-02, A-DRF-08: hashes of the same version that differ, and nothing where one is missing or the class is gone', async () => {
    const { cluster } = await running()
    const claim = { ...kinds.nodeClaims, name: (await claimOf(cluster))?.metadata.name ?? '' }
    const marks = (await claimOf(cluster))?.metadata.annotations ?? {}
    expect((await cluster.all(awsKinds.nodeClasses))[0]?.metadata.annotations).toMatchObject({
      [hash]: marks[hash],
      [`${hash}-version`]: marks[`${hash}-version`],
    })
    await patchClass(cluster, { spec: { userData: 'echo hello' } })
    await cluster.clock.advance(5000)
    expect(await drifted(cluster)).toBe('NodeClassDrifted')
    await cluster.face.patch(claim, 'merge', { metadata: { annotations: { [hash]: null } } })
    await cluster.clock.advance(5000)
    expect(await drifted(cluster)).toBeUndefined()
    await cluster.face.patch(claim, 'merge', { metadata: { annotations: { [hash]: 'other' } } })
    await cluster.clock.advance(5000)
    expect(await drifted(cluster)).toBe('NodeClassDrifted')
    await cluster.face.delete(classRef)
    await patchClass(cluster, { metadata: { finalizers: [] } })
    await cluster.clock.advance(310_000)
    expect(await drifted(cluster)).toBeUndefined()
  })

  test('A-DRF-03: claims hashed by another version are stamped anew, and keep their hash where they have drifted', async () => {
    const { cluster, run } = await running()
    const marks = (await claimOf(cluster))?.metadata.annotations ?? {}
    const ref = { ...kinds.nodeClaims, name: (await claimOf(cluster))?.metadata.name ?? '' }
    run.kill()
    const old = { metadata: { annotations: { [hash]: 'old', [`${hash}-version`]: 'v0' } } }
    await cluster.face.patch(ref, 'merge', old)
    await patchClass(cluster, old)
    const second = await cluster.startController()
    await cluster.clock.advance(10_000)
    expect((await claimOf(cluster))?.metadata.annotations).toMatchObject(marks)
    expect(await drifted(cluster)).toBeUndefined()
    await patchClass(cluster, { spec: { userData: 'echo hello' } })
    await cluster.clock.advance(5000)
    expect(await drifted(cluster)).toBe('NodeClassDrifted')
    second.kill()
    await cluster.face.patch(ref, 'merge', old)
    await patchClass(cluster, old)
    await cluster.startController()
    await cluster.clock.advance(10_000)
    const after = (await claimOf(cluster))?.metadata.annotations ?? {}
    expect([after[hash], after[`${hash}-version`]]).toEqual(['old', marks[`${hash}-version`]])
  })
})

describe('a controller that dies', () => {
  const idsOf = (cluster: VirtualAws) => cluster.aws.running().map(({ InstanceId = '' }) => InstanceId)

  /** Kills the controller at the end of a call of AWS or of an effect, lets another take over, then takes the pods away. */
  const survive = async (
    at: { readonly effect: string; readonly when: 'before' | 'after' } | { readonly action: string },
  ) => {
    const cluster = await start({ world: { instances: [foreignInstance()] } })
    const first = await cluster.startController(({ name }) =>
      'effect' in at && name === at.effect ? `die ${at.when}` : 'pass',
    )
    cluster.aws.board.hook = async (moment, action) => {
      const { input } = cluster.aws.board.calls.at(-1) ?? {}
      const isDry = (input as { readonly DryRun?: boolean } | undefined)?.DryRun === true
      if (!('action' in at) || moment !== 'after' || action !== at.action || isDry || first.isDead()) return
      first.kill()
      await new Promise(() => undefined)
    }
    await applyAwsDefaults(cluster)
    await applyDeployment(cluster, 'web', 2, '1500m')
    await cluster.until(
      'the pods run or the controller is dead',
      async () => first.isDead() || (await runningPods(cluster)) === 2,
    )
    if (first.isDead()) await cluster.startController()
    await untilRunning(cluster, 2)
    // One collection period, and the time after which a machine counts as an orphan.
    await cluster.clock.advance(155_000)
    const claimed = (await cluster.all(kinds.nodeClaims)).map(({ status }) => status.providerID?.split('/').at(-1))
    expect(new Set(idsOf(cluster))).toEqual(new Set(['i-foreign', ...claimed]))
    expect(idsOf(cluster)).toHaveLength(claimed.length + 1)
    await scale(cluster, 'web', 0)
    const isOver = async () => first.isDead() || (await cluster.all(kinds.nodeClaims)).length === 0
    await cluster.until('the machines go or the controller is dead', isOver)
    if (first.isDead() && (await cluster.all(kinds.nodeClaims)).length > 0) await cluster.startController()
    await cluster.until('the claims are gone', async () => (await cluster.all(kinds.nodeClaims)).length === 0)
    await cluster.clock.advance(155_000)
    expect(first.isDead()).toBe(true)
    expect(idsOf(cluster)).toEqual(['i-foreign'])
  }

  test('around a launch leaves no orphan after one collection, no claim two machines, and strangers alone', async () => {
    for (const at of [
      { effect: 'launch', when: 'before' },
      { effect: 'launch', when: 'after' },
      { action: 'ec2:CreateFleet' },
      { action: 'ec2:CreateLaunchTemplate' },
    ] as const)
      await survive(at)
  })

  test('around a termination leaves nothing that costs, and strangers alone', async () => {
    for (const at of [
      { effect: 'terminate', when: 'before' },
      { effect: 'terminate', when: 'after' },
      { action: 'ec2:TerminateInstances' },
    ] as const)
      await survive(at)
  })
})
