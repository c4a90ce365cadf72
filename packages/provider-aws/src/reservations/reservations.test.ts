import { describe, expect, test } from '@jest/globals'
import type { CapacityReservation } from '@aws-sdk/client-ec2'
import { recordingHost, rightOf, startMs } from '@scantling/simulation/testing'
import { awsLabelPolicy } from '../labels/index.ts'
import { fakeAws, openReservation, tag } from '../../test/fake-aws/index.ts'
import { callFor, claimFor, rig } from '../../test/rig.ts'
import { nodeClass } from '../../test/subjects.ts'
import { reservations } from './reservations.ts'

const minute = 60_000
const one = (id: string, changes: Partial<CapacityReservation> = {}): CapacityReservation =>
  openReservation(id, {
    InstanceMatchCriteria: 'targeted',
    AvailableInstanceCount: 3,
    Tags: [tag('team', 'a')],
    ...changes,
  })
const setUp = (list: ReadonlyArray<CapacityReservation>) => {
  const { host, clock, run, logged } = recordingHost()
  const aws = fakeAws({ reservations: [...list], pageSize: 1 }, clock.nowMs)
  const made = reservations({ ec2: aws.ports.ec2, host })
  const find = (...terms: ReadonlyArray<object>) =>
    run(made.find(nodeClass({ capacityReservationSelectorTerms: terms }), callFor().signal))
  const expire = (view: Parameters<typeof made.task.run>[0]) => run(made.task.run(view, callFor()))
  return { aws, made, clock, run, logged, find, expire }
}
const block = (endsInMs: number, changes: Partial<CapacityReservation> = {}) =>
  one('cr-1', { ReservationType: 'capacity-block', EndDate: new Date(startMs + endsInMs), ...changes })

describe('capacity reservations', () => {
  test('A-CR-01, A-STA-04: one query for each term, active ones alone, believed for a minute', async () => {
    const { aws, clock, find } = setUp([one('cr-2'), one('cr-1'), one('cr-3', { State: 'expired' })])
    const terms = [{ id: 'cr-2' }, { ownerID: '123456789012', tags: { team: '*' }, instanceMatchCriteria: 'targeted' }]
    const found = rightOf(await find(...terms))
    expect(found.map(({ id }) => id)).toEqual(['cr-1', 'cr-2'])
    expect(found[0]).toEqual({
      id: 'cr-1',
      availabilityZone: 'us-west-2a',
      instanceType: 'm5.large',
      instanceMatchCriteria: 'targeted',
      ownerID: '123456789012',
      reservationType: 'default',
      state: 'active',
    })
    const active = { Name: 'state', Values: ['active'] }
    const [byId, byTerm] = aws.inputsOf('ec2:DescribeCapacityReservations')
    expect(byId).toEqual({ CapacityReservationIds: ['cr-2'], Filters: [active] })
    expect(byTerm).toEqual({
      Filters: [
        active,
        { Name: 'owner-id', Values: ['123456789012'] },
        { Name: 'instance-match-criteria', Values: ['targeted'] },
        { Name: 'tag-key', Values: ['team'] },
      ],
      MaxResults: 1000,
    })
    const calls = aws.board.calls.length
    rightOf(await find(...terms))
    expect(aws.board.calls).toHaveLength(calls)
    await clock.advance(minute)
    rightOf(await find(...terms))
    expect(aws.board.calls.length).toBeGreaterThan(calls)
  })

  test('A-CR-02: an id that is gone is nothing; doubles and those that are over go', async () => {
    const { find } = setUp([one('cr-1'), one('cr-2', { EndDate: new Date(startMs - 1) })])
    expect(rightOf(await find({ id: 'cr-9' }))).toEqual([])
    expect(rightOf(await find({ id: 'cr-1' }, { tags: { team: 'a' } })).map(({ id }) => id)).toEqual(['cr-1'])
  })

  test('A-CR-03, A-OFF-06: counts come with each look, zero once EC2 refused, and are kept for a day', async () => {
    const { aws, made, clock, find } = setUp([one('cr-1')])
    rightOf(await find({ id: 'cr-1' }))
    const first = made.counts()
    expect(first.get('cr-1')).toEqual({ remaining: 3, observedAtMs: startMs })
    expect(made.counts()).toBe(first)
    made.exhaust('cr-1')
    expect(made.counts().get('cr-1')?.remaining).toBe(0)
    expect(made.counts().get('cr-9')).toBeUndefined()
    await clock.advance(86_400_000)
    aws.world.reservations = [one('cr-2')]
    rightOf(await find({ id: 'cr-2' }))
    expect([...made.counts().keys()]).toEqual(['cr-2'])
  })

  test('A-CR-04: one of a kind that nobody knows is left out, the others are kept', async () => {
    const odd = one('cr-2', { InstanceMatchCriteria: 'else' as never })
    const { find, logged } = setUp([one('cr-1', { ReservationType: undefined as never }), odd])
    const found = rightOf(await find({ tags: { team: 'a' } }))
    expect(found.map(({ id, reservationType }) => [id, reservationType])).toEqual([['cr-1', 'default']])
    expect(logged).toContainEqual(
      expect.objectContaining({ level: 'warn', fields: expect.objectContaining({ id: 'cr-2' }) }),
    )
  })

  test('A-CR-05: a block is about to end 40 minutes before, one of UltraServers 70; others never', async () => {
    const stateOf = async (reservation: CapacityReservation) =>
      rightOf(await setUp([reservation]).find({ id: 'cr-1' }))[0]?.state
    expect(await stateOf(block(41 * minute))).toBe('active')
    expect(await stateOf(block(40 * minute))).toBe('expiring')
    // EC2 takes those back from an hour before (W-12).
    expect(await stateOf(block(69 * minute, { InstanceType: 'trn2u.48xlarge' }))).toBe('expiring')
    expect(await stateOf(one('cr-1', { EndDate: new Date(startMs + minute) }))).toBe('active')
  })

  test('A-CR-06: looked at each minute, or when one ends; that none matches is no fault', async () => {
    const spec = { capacityReservationSelectorTerms: [{ tags: { team: 'a' } }] }
    const none = await rig({ spec })
    const resolution = await none.resolve()
    expect(resolution.conditions['CapacityReservationsReady']).toMatchObject({ status: 'True' })
    expect(resolution.recheckAfterMs).toBe(minute)
    const soon = await rig({ spec, world: { reservations: [one('cr-1', { EndDate: new Date(startMs + 20_000) })] } })
    expect((await soon.resolve()).recheckAfterMs).toBeLessThan(20_000)
    const off = await rig({ spec, gates: { reservedCapacity: false } })
    expect((await off.resolve()).conditions).not.toHaveProperty('CapacityReservationsReady')
  })

  test('A-CR-07: claims of a block that is about to end are drained, after a restart too', async () => {
    const label = { 'karpenter.k8s.aws/capacity-reservation-id': 'cr-1' }
    const claims = [
      claimFor('one', { labels: label, providerId: 'aws:///us-west-2a/i-1' }),
      claimFor('two', { labels: label, providerId: 'aws:///us-west-2a/i-2', deleting: true }),
      claimFor('three', { providerId: 'aws:///us-west-2a/i-3' }),
    ]
    const drained = [
      expect.objectContaining({ id: 'aws:///us-west-2a/i-1', action: 'drain', deadlineMs: startMs + 30 * minute }),
    ]
    const { find, expire } = setUp([block(30 * minute)])
    expect(rightOf(await expire({ nodeClasses: [], claims })).interruptions).toEqual([])
    const status = { capacityReservations: rightOf(await find({ id: 'cr-1' })) }
    expect(rightOf(await expire({ nodeClasses: [], claims })).interruptions).toEqual(drained)
    const next = setUp([])
    const view = { nodeClasses: [nodeClass({}, status)], claims }
    expect(rightOf(await next.expire(view)).interruptions).toEqual(drained)
    expect(rightOf(await setUp([]).expire({ ...view, nodeClasses: [] })).interruptions).toEqual([])
  })

  test('A-CR-08: a machine that runs on demand by now shows as such, and one list names the labels that it loses (W-10)', async () => {
    const made = await rig({
      world: { reservations: [one('cr-1')] },
      spec: { capacityReservationSelectorTerms: [{ tags: { team: 'a' } }] },
    })
    await made.resolve()
    const reserved = { key: 'karpenter.sh/capacity-type', operator: 'In', values: ['reserved'] } as const
    const { Requirements } = await import('@scantling/core')
    rightOf(await made.launch(claimFor('one', { requirements: Requirements.fromSpecs([reserved]) })))
    const capacityType = async () => {
      await made.clock.advance(120_000)
      return rightOf(await made.run(made.provider.list(made.call))).instances[0]?.capacityType
    }
    expect(await capacityType()).toBe('reserved')
    const [machine] = made.aws.world.instances
    if (machine !== undefined) delete machine.CapacityReservationId
    expect(await capacityType()).toBe('on-demand')
    expect(awsLabelPolicy.reservation?.all).toHaveLength(3)
  })
})
