import { describe, expect, test } from '@jest/globals'
import type { CreateFleetCommandInput, RunInstancesCommandInput } from '@aws-sdk/client-ec2'
import { leftOf, recordingHost, rightOf } from '@scantling/simulation/testing'
import * as E from 'fp-ts/lib/Either.js'
import { fakeAws, type World } from '../../test/fake-aws/index.ts'
import { callFor, claimFor, rig } from '../../test/rig.ts'
import { nodeClass } from '../../test/subjects.ts'
import { imageFinder } from './image-finder.ts'
import { parameters } from './parameters.ts'

describe('parameters()', () => {
  const setUp = (world: Partial<World> = {}) => {
    const { clock, run } = recordingHost()
    const aws = fakeAws(world, clock.nowMs)
    const made = parameters({ ports: aws.ports, nowMs: clock.nowMs })
    const call = callFor()
    const get = (name: string, isCustom = false, isMutable = true) =>
      run(made.get({ name, isMutable, isCustom }, call.signal))
    return { aws, clock, get, sweep: () => run(made.task.run({ nodeClasses: [], claims: [] }, call)), task: made.task }
  }
  const asked = (aws: ReturnType<typeof fakeAws>) => aws.inputsOf('ssm:GetParameter').length

  test('A-SSM-01: published ones are believed for a day, the user’s for five minutes, and what is absent not at all', async () => {
    const { aws, clock, get } = setUp({
      parameters: new Map([
        ['/p', 'ami-1'],
        ['/c', 'ami-2'],
      ]),
    })
    expect([rightOf(await get('/p')), rightOf(await get('/c', true)), rightOf(await get('/none'))]).toEqual([
      'ami-1',
      'ami-2',
      undefined,
    ])
    expect(aws.inputsOf('ssm:GetParameter')[0]).toEqual({ Name: '/p' })
    await get('/p')
    await get('/c', true)
    expect(asked(aws)).toBe(3)
    await get('/none')
    expect(asked(aws)).toBe(4)
    await clock.advance(300_000)
    await get('/p')
    await get('/c', true)
    expect(asked(aws)).toBe(5)
    await clock.advance(86_400_000)
    await get('/p')
    expect(asked(aws)).toBe(6)
  })

  test('one that cannot be read stays what it was, and is an error where it never was (W-26)', async () => {
    const { aws, clock, get } = setUp({ parameters: new Map([['/c', 'ami-2']]) })
    rightOf(await get('/c', true))
    await clock.advance(300_000)
    aws.failNext('ssm:GetParameter', { code: 'ThrottlingException' })
    expect(rightOf(await get('/c', true))).toBe('ami-2')
    aws.failNext('ssm:GetParameter', { code: 'AccessDeniedException' })
    expect(leftOf(await get('/other', true)).code).toBe('AccessDeniedException')
  })

  test('A-SSM-02: each half hour, what holds a deprecated image is looked up anew', async () => {
    const { aws, get, sweep, task } = setUp({
      parameters: new Map([
        ['/latest', 'ami-amd64'],
        ['/pinned', 'ami-amd64'],
      ]),
    })
    expect(task.everyMs).toBe(1_800_000)
    await get('/latest')
    await get('/pinned', false, false)
    rightOf(await sweep())
    await get('/latest')
    expect(asked(aws)).toBe(2)
    const [image] = aws.world.images
    if (image !== undefined) image.DeprecationTime = '2026-01-02T00:00:00.000Z'
    rightOf(await sweep())
    await get('/latest')
    await get('/pinned', false, false)
    expect(asked(aws)).toBe(3)
  })
})

describe('imageFinder()', () => {
  const setUp = (world: Partial<World> = {}) => {
    const { clock, run } = recordingHost()
    const aws = fakeAws(world, clock.nowMs)
    const finder = imageFinder({
      ec2: aws.ports.ec2,
      parameters: parameters({ ports: aws.ports, nowMs: clock.nowMs }),
      refreshMs: 60_000,
      nowMs: clock.nowMs,
    })
    const find = (spec: object, kubernetes = '1.34.2', metadata: object = {}) =>
      run(finder.find(nodeClass({ ...spec }, {}, { ...metadata }), kubernetes, callFor().signal))
    return { aws, clock, find }
  }
  const described = (aws: ReturnType<typeof fakeAws>) =>
    aws.inputsOf<{ Filters: unknown; Owners: unknown }>('ec2:DescribeImages')

  test('A-AMI-01, A-AMI-16: an alias is one query over those of its parameters that exist; none is told', async () => {
    const { aws, find } = setUp()
    expect(rightOf(await find({ amiSelectorTerms: [{ alias: 'al2023@latest' }] })).map(({ id }) => id)).toEqual([
      'ami-amd64',
      'ami-arm64',
    ])
    expect(described(aws)).toHaveLength(1)
    expect(aws.inputsOf('ssm:GetParameter')).toHaveLength(5)
    const none = setUp({ parameters: new Map() })
    expect(leftOf(await none.find({ amiSelectorTerms: [{ alias: 'al2023@latest' }] }))).toMatchObject({
      _tag: 'NotFound',
    })
  })

  test('A-AMI-02: an alias without images for the cluster’s version is told', async () => {
    const { find } = setUp()
    const left = leftOf(await find({ amiSelectorTerms: [{ alias: 'al2@latest' }] }, '1.33'))
    expect(left).toMatchObject({ _tag: 'UnsupportedAlias', message: expect.stringContaining('al2023@latest') })
  })

  test('A-AMI-03, A-AMI-06: ids and parameters share a query; a parameter that is absent or no image is passed over', async () => {
    const { aws, find } = setUp({
      parameters: new Map([
        ['/mine', 'ami-arm64'],
        ['/text', 'hello'],
      ]),
    })
    const terms = [
      { id: 'ami-amd64' },
      { ssmParameter: '/mine' },
      { ssmParameter: '/text' },
      { ssmParameter: '/none' },
      { tags: { team: 'x' } },
    ]
    expect(rightOf(await find({ amiSelectorTerms: terms, amiFamily: 'Custom' })).map(({ id }) => id)).toEqual([
      'ami-amd64',
      'ami-arm64',
    ])
    expect(described(aws)).toHaveLength(2)
    const failing = setUp()
    failing.aws.failNext('ssm:GetParameter', { code: 'AccessDeniedException' })
    expect(
      leftOf(await failing.find({ amiSelectorTerms: [{ ssmParameter: '/mine' }], amiFamily: 'Custom' })),
    ).toMatchObject({ _tag: 'Failed' })
  })

  test('A-AMI-13: found images are believed for the refresh interval, per class and generation', async () => {
    const { aws, clock, find } = setUp()
    const terms = { amiSelectorTerms: [{ alias: 'al2023@latest' }] }
    await find(terms)
    await find(terms)
    expect(described(aws)).toHaveLength(1)
    await find(terms, '1.34.2', { generation: 2 })
    expect(described(aws)).toHaveLength(2)
    await clock.advance(60_000)
    await find(terms)
    expect(described(aws)).toHaveLength(3)
  })
})

describe('resolve', () => {
  test('A-NC-01: all steps are taken, whichever fail, and what they found is written together', async () => {
    const made = await rig()
    made.aws.failNext('ec2:DescribeSubnets', { code: 'InternalError', httpStatus: 500 })
    made.aws.failNext('iam:GetInstanceProfile', { code: 'Throttling' })
    const resolution = await made.resolve()
    expect(
      made.aws.board.calls
        .map(({ action }) => action)
        .filter((action) => /Describe(Images|Subnets|SecurityGroups)|GetInstanceProfile/.test(action)),
    ).toEqual(['ec2:DescribeImages', 'ec2:DescribeSubnets', 'ec2:DescribeSecurityGroups', 'iam:GetInstanceProfile'])
    expect(resolution.failures).toHaveLength(2)
    // What was never known cannot stay as it was.
    expect(resolution.conditions).toMatchObject({
      AMIsReady: { status: 'True' },
      SubnetsReady: { status: 'Unknown' },
      SecurityGroupsReady: { status: 'True' },
      InstanceProfileReady: { status: 'Unknown' },
      ValidationSucceeded: { status: 'Unknown', reason: 'DependenciesNotReady' },
    })
    expect(resolution.status).toMatchObject({ amis: [{ id: 'ami-amd64' }, { id: 'ami-arm64' }], subnets: [] })
    const after = await made.resolve()
    expect(Object.values(after.conditions).every((one) => one !== 'unchanged' && one.status === 'True')).toBe(true)
    await made.clock.advance(60_000)
    made.aws.failNext('ec2:DescribeSubnets', { code: 'InternalError', httpStatus: 500 })
    const kept = await made.resolve()
    expect(kept.conditions['SubnetsReady']).toBe('unchanged')
    expect(kept.status['subnets']).toHaveLength(3)
  })

  test('A-NC-02: looks again after the shortest of its steps’ intervals', async () => {
    const made = await rig()
    expect((await made.resolve()).recheckAfterMs).toBe(60_000)
  })

  test('A-NC-03: with the class go its profiles and templates; what fails keeps the finalizer', async () => {
    const made = await rig()
    await made.resolve()
    rightOf(await made.launch(claimFor('one')))
    const release = () => made.run(made.provider.release?.(made.nodeClass(), made.call) ?? Promise.reject.bind(Promise))
    made.aws.failNext('ec2:DeleteLaunchTemplate', { code: 'UnauthorizedOperation' })
    expect(E.isLeft(await release())).toBe(true)
    rightOf(await release())
    expect([made.aws.world.templates, made.aws.world.profiles]).toEqual([[], []])
    expect(made.recorded).toContainEqual({
      metric: 'karpenter_ec2nodeclasses_userdata_bytes',
      value: undefined,
      labels: { nodeclass: 'default' },
    })
  })

  test('A-AMI-15: selectors that find no image are a condition, and the list is emptied', async () => {
    const made = await rig({ spec: { amiSelectorTerms: [{ tags: { team: 'none' } }], amiFamily: 'AL2023' } })
    const resolution = await made.resolve()
    expect(resolution.conditions['AMIsReady']).toMatchObject({ status: 'False', reason: 'AMINotFound' })
    expect(resolution.status['amis']).toEqual([])
  })

  test('a missing permission is told in the condition, though the last pass was well (W-29)', async () => {
    const made = await rig()
    await made.resolve()
    await made.clock.advance(900_000)
    made.aws.board.denied.add('iam:GetInstanceProfile')
    const { conditions, failures } = await made.resolve()
    expect(conditions['InstanceProfileReady']).toMatchObject({
      status: 'False',
      reason: 'Unauthorized',
      message: expect.stringContaining('iam:GetInstanceProfile'),
    })
    expect(failures).toHaveLength(1)
  })
})

describe('validation', () => {
  const ready = async (options: Parameters<typeof rig>[0] = {}) => {
    const made = await rig(options)
    const verdict = async () => (await made.resolve()).conditions['ValidationSucceeded']
    const probes = () =>
      made.aws.board.calls
        .filter(({ action }) => /CreateFleet|RunInstances|CreateLaunchTemplate/.test(action))
        .map(({ action }) => action.slice(4))
    return { ...made, verdict, probes }
  }

  test('A-VAL-04: a verdict stands for half an hour, until something changes, an annotation too', async () => {
    const made = await ready()
    expect(await made.verdict()).toMatchObject({ status: 'True' })
    const count = made.probes().length
    await made.verdict()
    expect(made.probes()).toHaveLength(count)
    made.setNodeClass({
      ...made.nodeClass(),
      metadata: { ...made.nodeClass().metadata, annotations: { please: 'again' } },
    })
    await made.verdict()
    expect(made.probes().length).toBeGreaterThan(count)
    const later = made.probes().length
    await made.clock.advance(1_800_000)
    await made.verdict()
    expect(made.probes().length).toBeGreaterThan(later)
  })

  test('A-VAL-05, A-VAL-07, A-VAL-08: one template for real, then dry runs of a fleet over all subnets and of a machine', async () => {
    const made = await ready()
    await made.verdict()
    expect(made.probes()).toEqual(['CreateLaunchTemplate', 'CreateFleet', 'RunInstances'])
    const [fleet] = made.aws.inputsOf<CreateFleetCommandInput>('ec2:CreateFleet')
    expect(fleet?.DryRun).toBe(true)
    const overrides = fleet?.LaunchTemplateConfigs?.[0]?.Overrides ?? []
    expect(overrides.map(({ SubnetId }) => String(SubnetId)).toSorted()).toEqual(['subnet-1', 'subnet-2', 'subnet-3'])
    expect(new Set(overrides.map(({ InstanceType }) => InstanceType)).size).toBe(1)
    const [machine] = made.aws.inputsOf<RunInstancesCommandInput>('ec2:RunInstances')
    expect(machine).toMatchObject({
      DryRun: true,
      MinCount: 1,
      MaxCount: 1,
      NetworkInterfaces: [{ SubnetId: 'subnet-3' }],
    })
    expect(made.aws.world.instances).toEqual([])
    // What is left behind is swept like any other.
    await made.clock.advance(60_000)
    rightOf(await made.runTask('launch-templates'))
    await made.clock.advance(60_000)
    rightOf(await made.runTask('launch-templates'))
    expect(made.aws.world.templates).toEqual([])
  })

  test('A-VAL-06: dedicated tenancy is tried where a NodePool allows it', async () => {
    const made = await ready()
    const { Requirements } = await import('@scantling/core')
    const requirements = Requirements.fromSpecs([
      { key: 'karpenter.k8s.aws/instance-tenancy', operator: 'In', values: ['default', 'dedicated'] },
    ])
    await made.resolve([{ name: 'p', labels: {}, requirements }])
    expect(made.aws.world.templates[0]?.data.Placement).toEqual({ Tenancy: 'dedicated' })
  })

  test('A-VAL-07, A-VAL-10: each denial has its reason, and says what stands in the way', async () => {
    for (const [action, reason] of [
      ['ec2:CreateLaunchTemplate', 'CreateLaunchTemplateAuthCheckFailed'],
      ['ec2:CreateFleet', 'CreateFleetAuthCheckFailed'],
      ['ec2:RunInstances', 'RunInstancesAuthCheckFailed'],
    ] as const) {
      const made = await ready()
      made.aws.board.denied.add(action)
      expect(await made.verdict()).toMatchObject({
        status: 'False',
        reason,
        message: expect.stringContaining('no policy'),
      })
    }
    const boundary = await ready()
    boundary.aws.failNext('ec2:CreateFleet', {
      code: 'UnauthorizedOperation',
      message: 'because no permissions boundary allows it',
    })
    expect(await boundary.verdict()).toMatchObject({ message: expect.stringContaining('permissions boundary') })
  })

  test('A-VAL-07: user data that EC2 finds too large is told; a server that fails is asked again', async () => {
    const large = await ready({
      spec: {
        amiFamily: 'Custom',
        amiSelectorTerms: [{ tags: { 'karpenter.sh/discovery': 'demo' } }],
        userData: 'x'.repeat(17_000),
      },
    })
    expect(await large.verdict()).toMatchObject({ status: 'False', reason: 'UserDataSizeLimitExceeded' })
    const failing = await ready()
    failing.aws.failNext('ec2:CreateFleet', { code: 'InternalError', httpStatus: 500 })
    expect(await failing.verdict()).toMatchObject({ status: 'Unknown' })
    expect(await failing.verdict()).toMatchObject({ status: 'True' })
  })

  test('A-VAL-08: one subnet that passes is enough; else the first one’s error tells', async () => {
    const made = await ready()
    made.aws.failNext('ec2:RunInstances', { code: 'UnauthorizedOperation' })
    expect(await made.verdict()).toMatchObject({ status: 'True' })
    expect(made.aws.inputsOf('ec2:RunInstances')).toHaveLength(2)
    const none = await ready()
    none.aws.failNext(
      'ec2:RunInstances',
      { code: 'UnauthorizedOperation', message: 'no identity-based policy' },
      { code: 'InternalError' },
      { code: 'InternalError' },
    )
    expect(await none.verdict()).toMatchObject({ reason: 'RunInstancesAuthCheckFailed' })
  })

  test('A-VAL-09: a profile of the user’s that is not there is told and asked for again', async () => {
    const made = await ready({ spec: { role: undefined, instanceProfile: 'mine' } })
    expect(await made.verdict()).toMatchObject({ status: 'False', reason: 'InstanceProfileNotFound' })
    made.aws.world.profiles.push({ name: 'mine', path: '/', tags: [], roles: ['node-role'], createdAtMs: 0 })
    expect(await made.verdict()).toMatchObject({ status: 'True' })
  })

  test('A-VAL-11: without dry runs nothing is tried', async () => {
    const made = await ready({ settings: { disableDryRun: true } })
    expect(await made.verdict()).toMatchObject({ status: 'True' })
    expect(made.probes()).toEqual([])
  })

  test('A-VAL-01, A-VAL-02, A-VAL-03: static checks come before any call, and see what the other steps came to', async () => {
    const noCluster = await ready({
      world: { cluster: { name: 'other', endpoint: '', version: '1.34', cidr: '', arn: '' } },
    })
    expect(await noCluster.verdict()).toMatchObject({ status: 'False', reason: 'ClusterCIDRResolutionFailed' })
    const unready = await ready({ world: { subnets: [] } })
    expect(await unready.verdict()).toMatchObject({ status: 'False', reason: 'DependenciesNotReady' })
    expect([...noCluster.probes(), ...unready.probes()]).toEqual([])
  })
})
