import type { CapacityReservation, DescribeCapacityReservationsCommandInput } from '@aws-sdk/client-ec2'
import type { CancelSignal, Interruption, MaintenanceTask, ProviderHost } from '@scantling/core'
import { fingerprint, memoize, traverseBounded } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { isNotFound } from '../error-codes.ts'
import { awsLabelKeys } from '../labels/index.ts'
import type { CapacityReservationSelectorTerm, Ec2NodeClass, ResolvedCapacityReservation } from '../node-class/index.ts'
import type { ReservationCount } from '../offerings/index.ts'
import { everyPage, type AwsError, type Ec2Port } from '../sdk/index.ts'
import { tagFilters } from '../network/index.ts'

const pageSize = 1000
const refreshMs = 60_000
const countsForMs = 86_400_000
const queriesAtOnce = 5
const expirationEveryMs = 60_000

/** EC2 takes machines of a capacity block back from half an hour before its end, those of UltraServers from an hour. */
const blockMarginMs = 2_400_000
const ultraServerMarginMs = 4_200_000

/** Capacity reservations that NodeClasses select. */
export interface Reservations {
  readonly find: (
    nodeClass: Ec2NodeClass,
    signal: CancelSignal,
  ) => TE.TaskEither<AwsError, ReadonlyArray<ResolvedCapacityReservation>>
  /** What is left of each reservation that was counted within a day. The same map until one is counted anew. */
  readonly counts: () => ReadonlyMap<string, ReservationCount>
  /** EC2 has just refused the reservation. */
  readonly exhaust: (id: string) => void
  /** When the next reservation of the class ends or begins to. */
  readonly nextChangeMs: (reservations: ReadonlyArray<ResolvedCapacityReservation>) => number | undefined
  /** Drains claims of reservations that are about to end. */
  readonly task: MaintenanceTask<Ec2NodeClass>
}

export const reservations = (options: {
  readonly ec2: Pick<Ec2Port, 'describeCapacityReservations'>
  readonly host: Pick<ProviderHost, 'clock' | 'log'>
}): Reservations => {
  const { ec2, host } = options
  const { nowMs } = host.clock
  let counts: ReadonlyMap<string, ReservationCount> = new Map()
  const count = (found: Iterable<readonly [id: string, remaining: number]>) => {
    const observedAtMs = nowMs()
    const recent = [...counts].filter(([, one]) => observedAtMs - one.observedAtMs < countsForMs)
    counts = new Map([...recent, ...[...found].map(([id, remaining]) => [id, { remaining, observedAtMs }] as const)])
  }

  const load = ({
    input,
    signal,
  }: {
    readonly input: DescribeCapacityReservationsCommandInput
    readonly signal: CancelSignal
  }): TE.TaskEither<AwsError, ReadonlyArray<CapacityReservation>> =>
    pipe(
      everyPage(ec2.describeCapacityReservations, input, signal, (page) => page.CapacityReservations),
      // A reservation that is long over is not found at all.
      TE.orElse((error) => (isNotFound(error) ? TE.right([]) : TE.left(error))),
      TE.map((found) => {
        if (found.length > 0)
          count(
            found.map(({ CapacityReservationId = '', AvailableInstanceCount = 0 }) => [
              CapacityReservationId,
              AvailableInstanceCount,
            ]),
          )
        return found
      }),
    )
  const cache = memoize<Parameters<typeof load>[0], AwsError, ReadonlyArray<CapacityReservation>>({
    idOf: ({ input }) => fingerprint(JSON.parse(JSON.stringify(input))),
    ttlMs: refreshMs,
    nowMs,
    load,
  })

  const resolved = (one: CapacityReservation): ReadonlyArray<ResolvedCapacityReservation> => {
    const { CapacityReservationId: id = '', InstanceMatchCriteria: criteria, EndDate } = one
    const type: string = one.ReservationType ?? 'default'
    if (EndDate !== undefined && EndDate.getTime() <= nowMs()) return []
    if ((criteria !== 'open' && criteria !== 'targeted') || (type !== 'default' && type !== 'capacity-block')) {
      host.log('warn', 'Capacity reservation left out: its kind is not known', { id, type, criteria: criteria ?? '' })
      return []
    }
    return [
      {
        id,
        availabilityZone: one.AvailabilityZone ?? '',
        instanceType: one.InstanceType ?? '',
        instanceMatchCriteria: criteria,
        ownerID: one.OwnerId ?? '',
        reservationType: type,
        ...(one.Interruptible === true && { interruptible: true }),
        state: isExpiring(type, one.InstanceType ?? '', EndDate?.getTime(), nowMs()) ? 'expiring' : 'active',
        ...(EndDate !== undefined && { endTime: EndDate.toISOString().replace(/\.\d+Z$/, 'Z') }),
      },
    ]
  }
  const expiringIds = new Map<string, number>()

  return {
    find: (nodeClass, signal) =>
      pipe(
        queriesOf(nodeClass.spec.capacityReservationSelectorTerms ?? []),
        traverseBounded(queriesAtOnce, (input) => cache.get({ input, signal })),
        TE.map((answers) => {
          const byId = new Map<string, ResolvedCapacityReservation>()
          for (const one of answers.flat().flatMap(resolved)) {
            byId.set(one.id, one)
            if (one.state === 'expiring') expiringIds.set(one.id, Date.parse(one.endTime ?? ''))
          }
          return [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
        }),
      ),
    counts: () => counts,
    exhaust: (id) => count([[id, 0]]),
    nextChangeMs: (list) =>
      list
        .flatMap(({ endTime, reservationType, instanceType, state }) => {
          const endMs = endTime === undefined ? Number.NaN : Date.parse(endTime)
          if (Number.isNaN(endMs)) return []
          return [
            endMs,
            ...(reservationType === 'capacity-block' && state === 'active' ? [endMs - marginOf(instanceType)] : []),
          ]
        })
        .filter((ms) => ms > nowMs())
        .sort((a, b) => a - b)[0],
    task: {
      name: 'capacity-reservation-expiration',
      everyMs: expirationEveryMs,
      runsOn: 'leader',
      run: (view) => () => {
        // What a NodeClass states counts after a restart too; what was found since is fresher.
        const ending = new Map(expiringIds)
        for (const { status } of view.nodeClasses)
          for (const { id, reservationType, instanceType, endTime } of status.capacityReservations) {
            const endMs = endTime === undefined ? undefined : Date.parse(endTime)
            if (isExpiring(reservationType, instanceType, endMs, nowMs())) ending.set(id, endMs ?? nowMs())
          }
        const interruptions = view.claims.flatMap(({ providerId, labels, deleting }): ReadonlyArray<Interruption> => {
          const id = Object.hasOwn(labels, awsLabelKeys.reservationId) ? labels[awsLabelKeys.reservationId] : undefined
          const deadlineMs = id === undefined ? undefined : ending.get(id)
          if (providerId === undefined || deadlineMs === undefined || deleting) return []
          return [
            {
              id: providerId,
              kind: 'CapacityReservationExpiring',
              action: 'drain',
              message: `Capacity reservation ${id} is about to end`,
              ...(Number.isFinite(deadlineMs) && { deadlineMs }),
            },
          ]
        })
        return Promise.resolve(E.right({ interruptions }))
      },
    },
  }
}

const isUltraServer = (instanceType: string) => /^(p6e|trn2u)/.test(instanceType)
const marginOf = (instanceType: string) => (isUltraServer(instanceType) ? ultraServerMarginMs : blockMarginMs)

/** Blocks alone end by force; other reservations end and leave their machines running (A-CR-05). */
const isExpiring = (type: string, instanceType: string, endMs: number | undefined, nowMs: number): boolean =>
  type === 'capacity-block' && endMs !== undefined && nowMs >= endMs - marginOf(instanceType)

const queriesOf = (
  terms: ReadonlyArray<CapacityReservationSelectorTerm>,
): ReadonlyArray<DescribeCapacityReservationsCommandInput> => {
  const active = { Name: 'state', Values: ['active'] }
  return terms.map(({ id, tags, ownerID, instanceMatchCriteria }) =>
    id !== undefined
      ? { CapacityReservationIds: [id], Filters: [active] }
      : {
          Filters: [
            active,
            ...(ownerID === undefined ? [] : [{ Name: 'owner-id', Values: [ownerID] }]),
            ...(instanceMatchCriteria === undefined
              ? []
              : [{ Name: 'instance-match-criteria', Values: [instanceMatchCriteria] }]),
            ...tagFilters(tags),
          ],
          MaxResults: pageSize,
        },
  )
}
