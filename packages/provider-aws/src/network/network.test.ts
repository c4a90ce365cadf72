import { describe, expect, test } from '@jest/globals'
import { Requirements } from '@scantling/core'
import { leftOf, recordingHost, rightOf } from '@scantling/simulation/testing'
import * as E from 'fp-ts/lib/Either.js'
import { fakeAws, type World } from '../../test/fake-aws/index.ts'
import { callFor, claimFor, rig } from '../../test/rig.ts'
import { nodeClass } from '../../test/subjects.ts'
import { addressLedger } from './address-ledger.ts'
import { instanceProfiles } from './instance-profiles.ts'
import { legacyProfileName } from './legacy-profile-name.ts'
import { placementGroupFinder } from './placement-groups.ts'
import { securityGroupFinder } from './security-groups.ts'
import { subnetFinder } from './subnets.ts'

const setUp = (world: Partial<World> = {}) => {
  const { host, clock, run } = recordingHost()
  const aws = fakeAws(world, clock.nowMs)
  return { aws, clock, run, host, nowMs: clock.nowMs, call: callFor() }
}
const filtersOf = (aws: ReturnType<typeof fakeAws>, action: string) =>
  aws.inputsOf<{ Filters: unknown; MaxResults: number }>(action).map(({ Filters, MaxResults }) => [Filters, MaxResults])

describe('subnets', () => {
  const finder = (world: Partial<World> = {}) => {
    const set = setUp(world)
    const addresses = addressLedger({ ttlMs: 300_000, nowMs: set.nowMs })
    const subnets = subnetFinder({ ec2: set.aws.ports.ec2, addresses, refreshMs: 60_000, nowMs: set.nowMs })
    return {
      ...set,
      addresses,
      find: (one: ReturnType<typeof nodeClass>) => set.run(subnets.find(one, set.call.signal)),
    }
  }

  test('A-SUB-01, A-STA-01: one query for all ids and one for each set of tags; those with most free addresses first', async () => {
    const { aws, find } = finder()
    const terms = [
      { id: 'subnet-1' },
      { tags: { 'karpenter.sh/discovery': '*', Name: 'test-subnet-3' } },
      { id: 'subnet-2' },
      { tags: { Name: 'test-subnet-1' } },
    ]
    const found = rightOf(await find(nodeClass({ subnetSelectorTerms: terms })))
    expect(found.map(({ id, zoneID }) => [id, zoneID])).toEqual([
      ['subnet-3', 'usw2-az3'],
      ['subnet-2', 'usw2-az2'],
      ['subnet-1', 'usw2-az1'],
    ])
    expect(filtersOf(aws, 'ec2:DescribeSubnets')).toEqual([
      [[{ Name: 'subnet-id', Values: ['subnet-1', 'subnet-2'] }], 500],
      [
        [
          { Name: 'tag-key', Values: ['karpenter.sh/discovery'] },
          { Name: 'tag:Name', Values: ['test-subnet-3'] },
        ],
        500,
      ],
      [[{ Name: 'tag:Name', Values: ['test-subnet-1'] }], 500],
    ])
  })

  test('A-SUB-02: found ones are believed for the refresh interval and the generation', async () => {
    const { aws, clock, find } = finder({ pageSize: 2 })
    const calls = () => aws.inputsOf('ec2:DescribeSubnets').length
    rightOf(await find(nodeClass()))
    rightOf(await find(nodeClass()))
    expect(calls()).toBe(2)
    rightOf(await find(nodeClass({}, {}, { generation: 2 })))
    expect(calls()).toBe(4)
    await clock.advance(60_000)
    rightOf(await find(nodeClass()))
    expect(calls()).toBe(6)
  })

  test('A-SUB-03: a count is known for some minutes, and a new one forgets what was in flight', async () => {
    const { clock, addresses } = finder()
    addresses.observe('subnet-1', 100)
    addresses.reserve(new Map([['subnet-1', 30]]))
    expect(addresses.predicted('subnet-1')).toBe(70)
    addresses.observe('subnet-1', 90)
    expect(addresses.predicted('subnet-1')).toBe(90)
    await clock.advance(300_000)
    expect(addresses.predicted('subnet-1')).toBeUndefined()
  })

  test('what a launch took stays taken, the rest comes back; a count made since is left as it is', () => {
    const { addresses } = finder()
    addresses.observe('subnet-1', 100)
    addresses.observe('subnet-2', 100)
    const reservation = addresses.reserve(
      new Map([
        ['subnet-1', 30],
        ['subnet-2', 30],
      ]),
    )
    reservation.settle({ subnetId: 'subnet-1', addresses: 58 })
    expect([addresses.predicted('subnet-1'), addresses.predicted('subnet-2')]).toEqual([42, 100])
    reservation.settle()
    expect(addresses.predicted('subnet-1')).toBe(42)
    const late = addresses.reserve(new Map([['subnet-1', 10]]))
    addresses.observe('subnet-1', 80)
    late.settle()
    expect(addresses.predicted('subnet-1')).toBe(80)
  })

  test('A-SUB-08: none found is a condition with the field to look at, asked again in a minute', async () => {
    const made = await rig({ world: { subnets: [] } })
    const resolution = await made.resolve()
    expect(resolution.conditions['SubnetsReady']).toMatchObject({ status: 'False', reason: 'SubnetsNotFound' })
    expect(resolution.status['subnets']).toEqual([])
    expect(resolution.recheckAfterMs).toBe(60_000)
  })
})

describe('security groups', () => {
  test('A-SG-01, A-STA-02: one query for ids, one for names, one for each set of tags; believed for a minute', async () => {
    const { aws, clock, run, nowMs, call } = setUp()
    const finder = securityGroupFinder({ ec2: aws.ports.ec2, nowMs })
    const terms = [{ name: 'securityGroup-2' }, { id: 'sg-1' }, { tags: { 'karpenter.sh/discovery': '*' } }]
    const subject = nodeClass({ securityGroupSelectorTerms: terms })
    const found = rightOf(await run(finder.find(subject, call.signal)))
    expect(found).toEqual([
      { id: 'sg-1', name: 'securityGroup-1' },
      { id: 'sg-2', name: 'securityGroup-2' },
    ])
    expect(filtersOf(aws, 'ec2:DescribeSecurityGroups')).toEqual([
      [[{ Name: 'group-id', Values: ['sg-1'] }], 500],
      [[{ Name: 'group-name', Values: ['securityGroup-2'] }], 500],
      [[{ Name: 'tag-key', Values: ['karpenter.sh/discovery'] }], 500],
    ])
    rightOf(await run(finder.find(subject, call.signal)))
    await clock.advance(60_000)
    rightOf(await run(finder.find(subject, call.signal)))
    expect(aws.inputsOf('ec2:DescribeSecurityGroups')).toHaveLength(6)
  })

  test('A-SG-02: all are attached; none is a condition', async () => {
    const made = await rig()
    await made.resolve()
    rightOf(await made.launch(claimFor('one')))
    expect(made.aws.world.templates.at(-1)?.data.NetworkInterfaces?.[0]?.Groups).toEqual(['sg-1', 'sg-2'])
    const none = await rig({ world: { securityGroups: [] } })
    expect((await none.resolve()).conditions['SecurityGroupsReady']).toMatchObject({
      status: 'False',
      reason: 'SecurityGroupsNotFound',
    })
  })
})

describe('instance profiles', () => {
  const profiles = (world: Partial<World> = {}) => {
    const set = setUp(world)
    const made = instanceProfiles({ iam: set.aws.ports.iam, region: 'us-west-2', nowMs: set.nowMs })
    return {
      ...set,
      resolve: (one: ReturnType<typeof nodeClass>) => set.run(made.resolve(one, 'demo', set.call.signal)),
      collect: (view: Parameters<typeof made.collect>[0]) => set.run(made.collect(view, 'demo', set.call.signal)),
      release: (one: ReturnType<typeof nodeClass>) => set.run(made.release(one, 'demo', set.call.signal)),
    }
  }
  const withRole = (role: string, instanceProfile?: string) =>
    nodeClass({ role }, instanceProfile === undefined ? {} : { instanceProfile })
  const count = (aws: ReturnType<typeof fakeAws>) => aws.board.calls.length

  test('A-IP-01: the user’s own is taken as it is, without a call', async () => {
    const { aws, resolve } = profiles()
    expect(rightOf(await resolve(nodeClass({ role: undefined, instanceProfile: 'mine' })))).toBe('mine')
    expect(count(aws)).toBe(0)
  })

  test('A-IP-02: one with the role is kept, looked at every quarter of an hour; another role gets a new one', async () => {
    const { aws, clock, resolve } = profiles({ roles: new Set(['node-role', 'other-role']) })
    const first = rightOf(await resolve(withRole('node-role')))
    expect(rightOf(await resolve(withRole('node-role', first)))).toBe(first)
    const before = count(aws)
    rightOf(await resolve(withRole('node-role', first)))
    expect(count(aws)).toBe(before)
    await clock.advance(900_000)
    rightOf(await resolve(withRole('node-role', first)))
    expect(count(aws)).toBe(before + 1)
    const second = rightOf(await resolve(withRole('other-role', first)))
    expect(second).not.toBe(first)
    expect(aws.world.profiles.map(({ roles }) => roles)).toEqual([['node-role'], ['other-role']])
  })

  test('a role named by its path stays the same role (W-07)', async () => {
    const { aws, clock, resolve } = profiles()
    const name = rightOf(await resolve(withRole('/teams/a/node-role')))
    await clock.advance(3_600_000)
    expect(rightOf(await resolve(withRole('/teams/a/node-role', name)))).toBe(name)
    expect(aws.world.profiles).toHaveLength(1)
  })

  test('A-IP-03: name, path and tags say whose it is', async () => {
    const { aws, resolve } = profiles()
    rightOf(await resolve(nodeClass({ role: 'node-role', tags: { team: 'a' } })))
    const [made] = aws.world.profiles
    expect(made?.name).toMatch(/^demo_[0-9a-f]{16}$/)
    expect(made?.path).toBe('/karpenter/us-west-2/demo/uid-1/')
    expect(Object.fromEntries((made?.tags ?? []).map(({ Key, Value }) => [Key, Value]))).toEqual({
      team: 'a',
      'kubernetes.io/cluster/demo': 'owned',
      'eks:eks-cluster-name': 'demo',
      'karpenter.k8s.aws/ec2nodeclass': 'default',
      'topology.kubernetes.io/region': 'us-west-2',
    })
  })

  test('A-IP-04: the role is added by the last part of its path; where that fails the profile goes again', async () => {
    const { aws, resolve } = profiles()
    rightOf(await resolve(withRole('/teams/node-role')))
    expect(aws.inputsOf('iam:AddRoleToInstanceProfile')).toMatchObject([{ RoleName: 'node-role' }])
    const failing = profiles()
    failing.aws.failNext('iam:AddRoleToInstanceProfile', { code: 'AccessDenied' })
    expect(leftOf(await failing.resolve(withRole('node-role'))).code).toBe('AccessDenied')
    expect(failing.aws.world.profiles).toEqual([])
  })

  test('A-IP-05: a status that was lost makes no second profile, nor does a process that died half way', async () => {
    const { aws, resolve } = profiles()
    const name = rightOf(await resolve(withRole('node-role')))
    expect(rightOf(await resolve(withRole('node-role')))).toBe(name)
    const [half] = aws.world.profiles
    if (half !== undefined) half.roles = []
    const next = profiles({ profiles: aws.world.profiles })
    expect(rightOf(await next.resolve(withRole('node-role')))).toBe(name)
    expect(next.aws.world.profiles).toHaveLength(1)
    expect(half?.roles).toEqual(['node-role'])
  })

  test('one of our name that was given another role is left alone', async () => {
    const { aws, resolve } = profiles()
    const name = rightOf(await resolve(withRole('node-role')))
    const [taken] = aws.world.profiles
    if (taken !== undefined) taken.roles = ['someone-elses']
    const next = profiles({ profiles: aws.world.profiles })
    expect(rightOf(await next.resolve(withRole('node-role')))).not.toBe(name)
    expect(taken?.roles).toEqual(['someone-elses'])
  })

  test('A-IP-07: a role that is not there is not asked for again within a minute', async () => {
    const { aws, clock, resolve } = profiles()
    expect(leftOf(await resolve(withRole('/x/missing'))).code).toBe('NoSuchEntity')
    const before = count(aws)
    expect(leftOf(await resolve(withRole('/x/missing'))).message).toContain('missing')
    expect(count(aws)).toBe(before)
    await clock.advance(60_000)
    aws.world.roles.add('missing')
    expect(E.isRight(await resolve(withRole('/x/missing')))).toBe(true)
  })

  test('A-IP-06, A-IP-08: what no class and no claim uses goes, an hour after it was last in use', async () => {
    const { aws, clock, resolve, collect } = profiles({ roles: new Set(['a', 'b', 'c']), pageSize: 1 })
    const first = rightOf(await resolve(withRole('a')))
    const second = rightOf(await resolve(withRole('b', first)))
    const empty = { nodeClasses: [], claims: [] }
    expect(rightOf(await collect(empty))).toEqual([])
    await clock.advance(3_600_000)
    const third = rightOf(await resolve(withRole('c', second)))
    const annotations = { 'karpenter.k8s.aws/instance-profile-name': first }
    const view = { nodeClasses: [withRole('c', third)], claims: [claimFor('one', { annotations })] }
    // The second was replaced a moment ago.
    expect(rightOf(await collect(view))).toEqual([])
    await clock.advance(3_600_000)
    expect(rightOf(await collect(view))).toEqual([second])
    expect(rightOf(await collect({ ...view, claims: [] }))).toEqual([first])
    expect(aws.world.profiles.map(({ name }) => name)).toEqual([third])
  })

  test('A-IP-08: there is no collection in an isolated VPC', async () => {
    const named = async (isolatedVpc: boolean) =>
      (await rig({ settings: { isolatedVpc } })).provider.tasks?.map(({ name }) => name) ?? []
    expect(await named(false)).toContain('instance-profiles')
    expect(await named(true)).not.toContain('instance-profiles')
    const made = await rig()
    expect(E.isRight(await made.runTask('instance-profiles'))).toBe(true)
  })

  test('A-IP-09: with a class go its profiles and the one of its old name, if it is this cluster’s', async () => {
    const legacy = (cluster: string) => ({
      name: legacyProfileName('demo', 'us-west-2', 'default'),
      path: '/',
      tags: [{ Key: `kubernetes.io/cluster/${cluster}`, Value: 'owned' }],
      roles: ['node-role'],
      createdAtMs: 0,
    })
    const mine = profiles({ profiles: [legacy('demo')] })
    rightOf(await mine.resolve(withRole('node-role')))
    rightOf(await mine.release(withRole('node-role')))
    expect(mine.aws.world.profiles).toEqual([])
    const foreign = profiles({ profiles: [legacy('other')] })
    rightOf(await foreign.release(withRole('node-role')))
    expect(foreign.aws.world.profiles).toHaveLength(1)
    expect(legacyProfileName('demo', 'us-west-2', 'default')).toMatch(/^demo_\d{15,20}$/)
    const made = await rig({ settings: { isolatedVpc: true } })
    await made.resolve()
    rightOf(await made.run(made.provider.release?.(made.nodeClass(), made.call) ?? Promise.reject.bind(Promise)))
    expect(made.aws.inputsOf('iam:DeleteInstanceProfile')).toEqual([])
  })
})

describe('placement groups', () => {
  const group = {
    GroupId: 'pg-1',
    GroupName: 'mine',
    State: 'available' as const,
    Strategy: 'partition' as const,
    PartitionCount: 3,
  }
  const byName = nodeClass({ placementGroupSelector: { name: 'mine' } })

  test('A-PG-01: found by id or name among those available, believed for a minute, and for a day when EC2 fails', async () => {
    const { aws, clock, run, nowMs, call } = setUp({ placementGroups: [group] })
    const finder = placementGroupFinder({ ec2: aws.ports.ec2, nowMs })
    const find = (one: ReturnType<typeof nodeClass>) => run(finder.find(one, call.signal))
    expect(finder.isKnown(byName)).toBe(false)
    const found = rightOf(await find(byName))
    expect(found).toEqual({ id: 'pg-1', name: 'mine', strategy: 'partition', partitionCount: 3 })
    rightOf(await find(byName))
    rightOf(await find(nodeClass({ placementGroupSelector: { id: 'pg-1' } })))
    expect(aws.inputsOf('ec2:DescribePlacementGroups')).toEqual([
      { GroupNames: ['mine'], Filters: [{ Name: 'state', Values: ['available'] }] },
      { GroupIds: ['pg-1'], Filters: [{ Name: 'state', Values: ['available'] }] },
    ])
    await clock.advance(60_000)
    aws.failNext('ec2:DescribePlacementGroups', { code: 'InternalError', httpStatus: 500 })
    expect(E.isLeft(await find(byName))).toBe(true)
    expect(finder.known(byName)).toBe(found)
    await clock.advance(86_400_000)
    expect(finder.known(byName)).toBeUndefined()
    expect(rightOf(await find(nodeClass()))).toBeUndefined()
  })

  test('A-PG-02: a look-up that fails, and a group that is not there, are conditions; without a selector all is well', async () => {
    const conditionOf = async (options: Parameters<typeof rig>[0], ...errors: ReadonlyArray<{ code: string }>) => {
      const made = await rig(options)
      made.aws.failNext('ec2:DescribePlacementGroups', ...errors)
      return (await made.resolve()).conditions['PlacementGroupReady']
    }
    const spec = { placementGroupSelector: { name: 'mine' } }
    expect(await conditionOf({ spec, world: { placementGroups: [group] } })).toMatchObject({ status: 'True' })
    // The reference takes an unknown group for a failure (W-18).
    expect(await conditionOf({ spec })).toMatchObject({ status: 'False', reason: 'PlacementGroupNotFound' })
    expect(await conditionOf({ spec }, { code: 'InternalError' })).toMatchObject({
      status: 'False',
      reason: 'PlacementGroupResolutionFailed',
    })
    expect(await conditionOf({})).toMatchObject({ status: 'True' })
  })

  test('A-PG-03, A-PG-04: the template names group and chosen partition, and the claim’s labels say the same', async () => {
    const made = await rig({ spec: { placementGroupSelector: { name: 'mine' } }, world: { placementGroups: [group] } })
    await made.resolve()
    const partition = 'karpenter.k8s.aws/placement-group-partition'
    const wishing = Requirements.and(
      claimFor('x').requirements,
      Requirements.fromSpecs([{ key: partition, operator: 'In', values: ['3', '2'] }]),
    )
    const chosen = rightOf(await made.launch(claimFor('one', { requirements: wishing })))
    expect(made.aws.world.templates.at(-1)?.data.Placement).toEqual({ GroupId: 'pg-1', PartitionNumber: 2 })
    expect(chosen.instance.labels).toMatchObject({ [partition]: '2', 'karpenter.k8s.aws/placement-group-id': 'pg-1' })
    const any = rightOf(await made.launch(claimFor('two')))
    expect(made.aws.world.templates.at(-1)?.data.Placement).toEqual({ GroupId: 'pg-1' })
    expect(any.instance.labels).toMatchObject({ [partition]: '' })
  })

  test('A-PG-07: a cluster group is pinned to no zone; what EC2 refuses decides', async () => {
    const cluster = { ...group, Strategy: 'cluster' as const }
    const made = await rig({
      spec: { placementGroupSelector: { name: 'mine' } },
      world: { placementGroups: [cluster] },
    })
    await made.resolve()
    made.aws.world.soldOut.add('on-demand:*:us-west-2a')
    const launched = rightOf(await made.launch(claimFor('one')))
    expect(launched.instance.zone).not.toBe('us-west-2a')
    const [mark] = launched.unavailable ?? []
    expect(mark && Requirements.render(mark.match)).toContain('karpenter.k8s.aws/placement-group-id In [pg-1]')
  })
})

describe('zonal shifts', () => {
  const shift = (awayFrom: string, changes = {}) => ({
    awayFrom,
    appliedStatus: 'APPLIED',
    expiryTimeMs: Date.parse('2026-06-02T00:00:00Z'),
    ...changes,
  })
  const shiftedTypes = async (made: Awaited<ReturnType<typeof rig>>) =>
    new Set(
      (await made.typesOf()).flatMap(({ offerings }) =>
        offerings.flatMap(({ unavailable, requirements }) =>
          unavailable?.reason === 'ZoneShifted'
            ? [...(requirements.byKey.get('topology.k8s.aws/zone-id')?.values ?? [])]
            : [],
        ),
      ),
    )
  const on = (shifts: World['shifts']) => rig({ settings: { enableZonalShift: true }, world: { shifts } })

  test('A-ZS-01, A-ZS-02, A-ZS-03: a zone that is shifted away from sells nothing; off, nothing is asked', async () => {
    const off = await rig({ world: { shifts: [shift('usw2-az1')] } })
    await off.resolve()
    expect(await shiftedTypes(off)).toEqual(new Set())
    expect(off.provider.tasks?.map(({ name }) => name)).not.toContain('zonal-shift')
    const made = await on([
      shift('usw2-az1'),
      shift('usw2-az2', { appliedStatus: 'NOT_APPLIED' }),
      shift('usw2-az3', { expiryTimeMs: 0 }),
    ])
    await made.resolve()
    expect(made.provider.tasks?.find(({ name }) => name === 'zonal-shift')?.everyMs).toBe(30_000)
    rightOf(await made.runTask('zonal-shift'))
    expect(await shiftedTypes(made)).toEqual(new Set(['usw2-az1']))
  })

  test('A-ZS-03: machines in the zone are ended at a slow pace instead of not at all (W-28)', async () => {
    const made = await on([shift('usw2-az1')])
    await made.resolve()
    await made.resolve()
    rightOf(await made.runTask('zonal-shift'))
    const ended = []
    for (let index = 0; index < 8; index += 1)
      ended.push(await made.run(made.provider.terminate({ providerId: `aws:///us-west-2a/i-${index}` }, made.call)))
    expect(ended.filter(E.isRight).length).toBeGreaterThanOrEqual(5)
    expect(ended.at(-1)).toMatchObject({ left: { _tag: 'Throttled', retryAfterMs: expect.any(Number) } })
    expect(E.isRight(await made.run(made.provider.terminate({ providerId: 'aws:///us-west-2b/i-9' }, made.call)))).toBe(
      true,
    )
  })

  test('A-ZS-04: pools with offerings in the zone are told when a shift begins and when it ends', async () => {
    const made = await on([shift('usw2-az1'), shift('usw2-az2')])
    const notices = async () =>
      (rightOf(await made.runTask('zonal-shift')).notices ?? []).map(({ on: target, type, reason }) => [
        target._tag === 'PoolsOffering' ? Requirements.render(target.match) : target._tag,
        type,
        reason,
      ])
    const zone = (id: string) => `topology.k8s.aws/zone-id In [${id}]`
    expect(await notices()).toEqual([
      [zone('usw2-az1'), 'Warning', 'ZonalShiftActive'],
      [zone('usw2-az2'), 'Warning', 'ZonalShiftActive'],
    ])
    expect(await notices()).toEqual([])
    // One of two that is cancelled ends with the next look (W-09).
    made.aws.world.shifts = [shift('usw2-az2')]
    expect(await notices()).toEqual([[zone('usw2-az1'), 'Normal', 'ZonalShiftCleared']])
  })

  test('A-ZS-05: until the first look, and when it fails, no zone counts as shifted', async () => {
    const made = await on([shift('usw2-az1')])
    await made.resolve()
    expect(await shiftedTypes(made)).toEqual(new Set())
    made.aws.failNext('arc-zonal-shift:GetManagedResource', { code: 'InternalServerException', httpStatus: 500 })
    leftOf(await made.runTask('zonal-shift'))
    expect(await shiftedTypes(made)).toEqual(new Set())
  })
})
