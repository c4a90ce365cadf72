import { describe, expect, test } from '@jest/globals'
import type { InstanceStatus } from '@aws-sdk/client-ec2'
import { leftOf, rightOf, startMs } from '@scantling/simulation/testing'
import type { World } from '../../test/fake-aws/index.ts'
import { claimFor, rig } from '../../test/rig.ts'
import { parseMessage } from './message.ts'

const at = '2026-06-01T00:00:00Z'
const event = (source: string, type: string, detail: object, rest: object = {}) =>
  JSON.stringify({ version: '0', source, 'detail-type': type, time: at, detail, ...rest })
const ec2 = (type: string, detail: object = { 'instance-id': 'i-1' }) => event('aws.ec2', type, detail)
const health = (detail: object) => event('aws.health', 'AWS Health Event', detail)
const scheduled = {
  service: 'EC2',
  eventTypeCategory: 'scheduledChange',
  affectedEntities: [{ entityValue: 'i-1' }, { entityValue: 'i-2' }],
}
const bodies = {
  spot: ec2('EC2 Spot Instance Interruption Warning'),
  reservation: ec2('EC2 Capacity Reservation Instance Interruption Warning'),
  rebalance: ec2('EC2 Instance Rebalance Recommendation'),
  stopped: ec2('EC2 Instance State-change Notification', { 'instance-id': 'i-1', state: 'stopping' }),
  terminated: ec2('EC2 Instance State-change Notification', { 'instance-id': 'i-1', state: 'shutting-down' }),
  running: ec2('EC2 Instance State-change Notification', { 'instance-id': 'i-1', state: 'running' }),
  health: health(scheduled),
}

const withQueue = async (
  messages: ReadonlyArray<string>,
  settings: Parameters<typeof rig>[0] = {},
  world: Partial<World> = {},
) => {
  const made = await rig({
    ...settings,
    settings: { interruptionQueue: 'demo', ...settings?.settings },
    world: { messages: messages.map((body, index) => ({ body, id: `r-${index}`, sentAtMs: 1000 })), ...world },
  })
  const { interruptions } = made.provider
  if (interruptions === undefined) throw new Error('There is no source of interruptions')
  return {
    ...made,
    receive: () => made.run(interruptions.receive(made.call)),
    acknowledge: (receipts: ReadonlyArray<string>) => made.run(interruptions.acknowledge(receipts, made.call)),
  }
}

describe('the interruption queue', () => {
  test('A-INT-01, A-OPR-08: is read by long polls of ten, and only where it is named; its address is asked once', async () => {
    expect((await rig()).provider.interruptions).toBeUndefined()
    const made = await withQueue([bodies.spot])
    rightOf(await made.receive())
    rightOf(await made.receive())
    expect(made.aws.inputsOf('sqs:GetQueueUrl')).toEqual([{ QueueName: 'demo' }])
    expect(made.aws.inputsOf('sqs:ReceiveMessage')[0]).toEqual({
      QueueUrl: 'https://sqs.us-west-2.amazonaws.com/123456789012/demo',
      MaxNumberOfMessages: 10,
      VisibilityTimeout: 20,
      WaitTimeSeconds: 20,
      MessageSystemAttributeNames: ['SentTimestamp'],
      MessageAttributeNames: ['All'],
    })
    const missing = await withQueue([], {}, { queue: 'other' })
    expect(leftOf(await missing.receive()).message).toContain('Cannot read queue demo')
    missing.aws.world.queue = 'demo'
    expect(rightOf(await missing.receive())).toEqual([])
  })

  test('A-INT-02, A-INT-11: unknown kinds count as no_op, what is no event is dropped, the rest waits to be acknowledged', async () => {
    const made = await withQueue([
      'not JSON',
      '',
      bodies.running,
      event('aws.s3', 'Object Created', {}),
      bodies.spot,
      '[]',
    ])
    const deliveries = rightOf(await made.receive())
    expect(deliveries.map(({ receipt, kind, interruptions }) => [receipt, kind, interruptions.length])).toEqual([
      ['r-1', 'no_op', 0],
      ['r-2', 'no_op', 0],
      ['r-3', 'no_op', 0],
      ['r-4', 'spot_interrupted', 1],
    ])
    expect(deliveries.map(({ sentAtMs }) => sentAtMs)).toEqual([1000, 1000, 1000, startMs])
    expect(made.aws.world.messages.map(({ id }) => id)).toEqual(['r-1', 'r-2', 'r-3', 'r-4'])
    expect(made.logged).toContainEqual(
      expect.objectContaining({ level: 'error', fields: { queue: 'demo', body: 'not JSON' } }),
    )
    rightOf(await made.acknowledge(['r-1', 'r-4']))
    expect(made.aws.world.messages.map(({ id }) => id)).toEqual(['r-2', 'r-3'])
  })

  test('A-INT-03, A-INT-04, A-INT-05, A-INT-06, A-INT-07, A-INT-09: each kind says what happens to which instances, and what is lost with them', async () => {
    const made = await withQueue(Object.values(bodies))
    const table = rightOf(await made.receive()).map(({ kind, interruptions }) => [
      kind,
      interruptions.map(({ id, kind: reason, action, losesOfferingForMs, deadlineMs }) => [
        id,
        reason,
        action,
        losesOfferingForMs,
        deadlineMs === undefined ? undefined : deadlineMs - startMs,
      ]),
    ])
    expect(table).toEqual([
      ['spot_interrupted', [['i-1', 'SpotInterrupted', 'drain', 180_000, 120_000]]],
      [
        'capacity_reservation_interrupted',
        [['i-1', 'CapacityReservationInstanceInterrupted', 'drain', 180_000, 120_000]],
      ],
      ['rebalance_recommendation', [['i-1', 'SpotRebalanceRecommendation', 'notify', undefined, undefined]]],
      ['instance_stopped', [['i-1', 'InstanceStopping', 'drain', undefined, undefined]]],
      ['instance_terminated', [['i-1', 'InstanceTerminating', 'drain', undefined, undefined]]],
      ['no_op', []],
      [
        'scheduled_change',
        [
          ['i-1', 'InstanceUnhealthy', 'drain', undefined, undefined],
          ['i-2', 'InstanceUnhealthy', 'drain', undefined, undefined],
        ],
      ],
    ])
  })

  test('A-INT-05: a rebalance recommendation drains only where the setting says so (W-01)', async () => {
    const made = await withQueue([bodies.rebalance], { settings: { rebalanceRecommendations: 'drain' } })
    expect(rightOf(await made.receive())[0]?.interruptions).toMatchObject([
      { action: 'drain', kind: 'SpotRebalanceRecommendation', losesOfferingForMs: 180_000 },
    ])
  })

  test('A-INT-06, A-INT-07: other states, services and categories are of no concern', () => {
    const kinds = (['stopping', 'stopped', 'shutting-down', 'terminated', 'pending', 'running'] as const).map(
      (state) => parseMessage(ec2('EC2 Instance State-change Notification', { 'instance-id': 'i-1', state }))?.kind,
    )
    expect(kinds).toEqual([
      'instance_stopped',
      'instance_stopped',
      'instance_terminated',
      'instance_terminated',
      'no_op',
      'no_op',
    ])
    expect(parseMessage(health({ ...scheduled, service: 'RDS' }))?.kind).toBe('no_op')
    expect(parseMessage(health({ ...scheduled, eventTypeCategory: 'issue' }))?.kind).toBe('no_op')
    expect(parseMessage(event('aws.ec2', 'EC2 Spot Instance Interruption Warning', {}, { version: '1' }))?.kind).toBe(
      'no_op',
    )
    for (const broken of [
      '{"version":"0","source":"aws.ec2","detail":null}',
      '{"version":"0"}',
      health({ ...scheduled, affectedEntities: [null, 3] }),
    ])
      expect(parseMessage(broken)?.instanceIds ?? []).toEqual([])
  })

  test('A-INT-08: instances are named by their id, which every machine has as its alias', async () => {
    const made = await withQueue([])
    await made.resolve()
    const { instance } = rightOf(await made.launch(claimFor('one')))
    expect(instance.aliases).toEqual([instance.details?.instanceId])
  })

  test('acknowledges any number, ten at a time, and finds a queue that was made anew', async () => {
    const made = await withQueue(Array.from({ length: 25 }, () => bodies.running))
    rightOf(await made.acknowledge(made.aws.world.messages.map(({ id }) => id)))
    expect(made.aws.world.messages).toEqual([])
    expect(made.aws.inputsOf('sqs:DeleteMessage')).toHaveLength(3)
    made.aws.failNext('sqs:ReceiveMessage', { code: 'QueueDoesNotExist' })
    leftOf(await made.receive())
    rightOf(await made.receive())
    expect(made.aws.inputsOf('sqs:GetQueueUrl')).toHaveLength(2)
  })
})

describe('the instance-status task', () => {
  const ago = (seconds: number) => new Date(startMs - seconds * 1000)
  const failing = (since: Date | undefined) => ({
    Status: 'impaired' as const,
    Details: [{ Name: 'reachability' as const, Status: 'failed' as const, ...(since && { ImpairedSince: since }) }],
  })
  const look = async (statuses: ReadonlyArray<InstanceStatus>, claims = ['i-1']) => {
    const made = await rig({ world: { statuses: [...statuses], pageSize: 1 } })
    const view = { claims: claims.map((id) => claimFor(id, { providerId: `aws:///us-west-2a/${id}` })) }
    return { made, view, findings: rightOf(await made.runTask('instance-status', view)) }
  }

  test('A-IST-01: asks each minute for failed checks and events, and for no machine that is not ours', async () => {
    const { made, findings } = await look([
      { InstanceId: 'i-9', InstanceStatus: failing(ago(600)) },
      { InstanceId: 'i-1', SystemStatus: failing(ago(600)) },
    ])
    expect(made.provider.tasks?.find(({ name }) => name === 'instance-status')?.everyMs).toBe(60_000)
    const filters = made.aws
      .inputsOf<{ Filters: ReadonlyArray<{ Name: string; Values: ReadonlyArray<string> }> }>(
        'ec2:DescribeInstanceStatus',
      )
      .flatMap(({ Filters }) => Filters)
    expect(new Set(filters.map(({ Name, Values }) => `${Name}=${Values.join()}`))).toEqual(
      new Set([
        'instance-status.status=impaired',
        'system-status.status=impaired',
        'event.code=instance-reboot,system-reboot,system-maintenance,instance-retirement,instance-stop',
      ]),
    )
    expect(findings.interruptions?.map(({ id }) => id)).toEqual(['aws:///us-west-2a/i-1'])
  })

  test('A-IST-02: a check counts once it has failed for two minutes; one without a time began now (W-14)', async () => {
    const found = async (status: InstanceStatus) => (await look([status])).findings.interruptions?.length
    expect(await found({ InstanceId: 'i-1', InstanceStatus: failing(ago(119)) })).toBe(0)
    expect(await found({ InstanceId: 'i-1', InstanceStatus: failing(ago(121)) })).toBe(1)
    expect(await found({ InstanceId: 'i-1', InstanceStatus: failing(undefined) })).toBe(0)
    expect(await found({ InstanceId: 'i-1', AttachedEbsStatus: failing(ago(600)) })).toBe(0)
  })

  test('A-IST-03: failed checks end the grace, maintenance drains in time and not days ahead', async () => {
    const action = async (status: InstanceStatus) =>
      (await look([status])).findings.interruptions?.map(({ kind, action: what, deadlineMs }) => [
        kind,
        what,
        deadlineMs,
      ])
    expect(await action({ InstanceId: 'i-1', SystemStatus: failing(ago(600)) })).toEqual([
      ['InstanceUnhealthy', 'force', undefined],
    ])
    const retirement = (hours: number, Description = 'retires') => ({
      InstanceId: 'i-1',
      Events: [{ Code: 'instance-retirement' as const, Description, NotBefore: new Date(startMs + hours * 3_600_000) }],
    })
    expect(await action(retirement(12))).toEqual([['InstanceUnhealthy', 'drain', startMs + 12 * 3_600_000]])
    expect(await action(retirement(240))).toEqual([])
    expect(await action(retirement(12, '[Completed] retires'))).toEqual([])
    expect(await action({ InstanceId: 'i-1', Events: [{ Code: 'instance-stop' }] })).toEqual([
      ['InstanceUnhealthy', 'drain', undefined],
    ])
  })

  test('A-IST-04: what ails a machine is counted once until it has recovered', async () => {
    const { made, view } = await look([{ InstanceId: 'i-1', InstanceStatus: failing(ago(600)) }])
    const counted = () =>
      made.recorded.filter(({ metric }) => metric === 'karpenter_interruption_instance_status_unhealthy_total')
    rightOf(await made.runTask('instance-status', view))
    expect(counted()).toEqual([expect.objectContaining({ value: 1, labels: { category: 'instance_status' } })])
    const { statuses } = made.aws.world
    made.aws.world.statuses = []
    rightOf(await made.runTask('instance-status', view))
    made.aws.world.statuses = statuses
    rightOf(await made.runTask('instance-status', view))
    expect(counted()).toHaveLength(2)
  })

  test('A-IST-05: without the permission it is tried again in a while, not given up (S-19)', async () => {
    const { made, view } = await look([])
    made.aws.board.denied.add('ec2:DescribeInstanceStatus')
    expect(leftOf(await made.runTask('instance-status', view))).toMatchObject({
      _tag: 'Unauthorized',
      retryAfterMs: 600_000,
    })
    made.aws.board.denied.clear()
    rightOf(await made.runTask('instance-status', view))
  })
})
