import type { DescribeInstancesCommandInput, Instance as Ec2Instance } from '@aws-sdk/client-ec2'
import type { CancelSignal, Instance, InstanceList, ProviderError, ProviderHost } from '@scantling/core'
import { tokenBucket, traverseBounded } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { batched, windows } from '../batched.ts'
import { isInstanceNotFound, providerErrorOf } from '../error-codes.ts'
import { terminationFailures } from '../metrics.ts'
import { instanceIdOf, zoneOfProviderId } from '../provider-id.ts'
import { everyPage, type AwsError, type Ec2Port } from '../sdk/index.ts'
import { tagKeys, tagList } from '../tags.ts'
import type { Ec2Details } from './details.ts'
import { instanceOf } from './instance-of.ts'
import { recentLaunches, type RecentLaunches } from './recent.ts'

const pageSize = 1000
const singlesAtOnce = 20
// EC2 shows the terminated for an hour; a list of those that are not would leave open whether it shows a new one yet.
const notYetVisibleRetryMs = 5_000
/** EC2 lets an account tag this fast for good, and this much at once. */
const tagging = { burst: 100, perSecond: 10 } as const
/** During a zonal shift the API may be as ill as the zone: calls about machines there are few. */
const shiftedPace = { burst: 5, perSecond: 0.5 } as const

const isTerminated = ({ State }: Ec2Instance): boolean => State?.Name === 'terminated'

/** Instances of EC2: found, ended and tagged, one by one for the caller and many at a time for EC2. */
export interface Instances {
  readonly get: (providerId: string, signal: CancelSignal) => TE.TaskEither<ProviderError, Instance<Ec2Details>>
  readonly list: (cluster: string, signal: CancelSignal) => TE.TaskEither<ProviderError, InstanceList<Ec2Details>>
  /** `Gone`: nothing is left to bill. A machine that bears another cluster's name is left alone. */
  readonly terminate: (
    providerId: string,
    cluster: string,
    signal: CancelSignal,
  ) => TE.TaskEither<ProviderError, 'Started' | 'Gone'>
  readonly tag: (
    instance: Instance<Ec2Details>,
    tags: Readonly<Record<string, string>>,
    signal: CancelSignal,
  ) => TE.TaskEither<ProviderError, void>
  readonly recent: RecentLaunches
}

export const instances = (options: {
  readonly ec2: Pick<Ec2Port, 'describeInstances' | 'terminateInstances' | 'createTags'>
  readonly host: Pick<ProviderHost, 'clock' | 'record'>
  readonly knowsReservations: boolean
  /** The id of a zone that a zonal shift moves away from, if the zone is one. */
  readonly shiftedZoneOf: (zone: string) => string | undefined
  readonly zoneIdOf: (zone: string) => string | undefined
}): Instances => {
  const { ec2, host, knowsReservations, shiftedZoneOf, zoneIdOf } = options
  const { nowMs } = host.clock
  const recent = recentLaunches(nowMs)
  const tagBucket = tokenBucket({ ...tagging, nowMs })
  const shiftedBucket = tokenBucket({ ...shiftedPace, nowMs })

  const describe = (input: DescribeInstancesCommandInput, signal: CancelSignal) =>
    everyPage(ec2.describeInstances, input, signal, ({ Reservations }) =>
      Reservations?.flatMap(({ Instances: found }) => found ?? []),
    )
  const describeOne = (id: string, signal: CancelSignal): TE.TaskEither<AwsError, Ec2Instance | undefined> =>
    pipe(
      describe({ InstanceIds: [id] }, signal),
      TE.map(([found]) => found),
      TE.orElse((error) => (isInstanceNotFound(error) ? TE.right(undefined) : TE.left(error))),
    )
  const getBatched = batched<string, Ec2Instance | undefined>({
    name: 'describe_instances',
    action: 'ec2:DescribeInstances',
    window: windows.describeInstances,
    host,
    keyOf: () => 'live',
    run: (ids, signal) => async () => {
      const distinct = [...new Set(ids)]
      const together = await describe({ InstanceIds: distinct }, signal)()
      // One unknown id fails the request for all; any other failure is everyone's.
      if (E.isLeft(together) && !isInstanceNotFound(together.left)) return together
      const byId = new Map((E.isRight(together) ? together.right : []).map((one) => [one.InstanceId ?? '', one]))
      if (distinct.length === 1) return E.right(ids.map((id) => E.right(byId.get(id))))
      const missing = distinct.filter((id) => !byId.has(id))
      const singly = await pipe(
        missing,
        traverseBounded<string, AwsError, E.Either<AwsError, Ec2Instance | undefined>>(
          singlesAtOnce,
          (id) => async () => E.right(await describeOne(id, signal)()),
        ),
      )()
      const answers = new Map(
        E.isRight(singly) ? singly.right.map((answer, index) => [missing[index] ?? '', answer]) : [],
      )
      return E.right(ids.map((id) => answers.get(id) ?? E.right(byId.get(id))))
    },
  })

  const terminateSingly = (id: string, signal: CancelSignal): TE.TaskEither<AwsError, string> =>
    pipe(
      ec2.terminateInstances({ InstanceIds: [id] }, signal),
      TE.map(({ TerminatingInstances = [] }) => TerminatingInstances[0]?.CurrentState?.Name ?? 'shutting-down'),
    )
  const terminateBatched = batched<string, string>({
    name: 'terminate_instances',
    action: 'ec2:TerminateInstances',
    window: windows.terminateInstances,
    host,
    keyOf: () => 'all',
    run: (ids, signal) => async () => {
      const distinct = [...new Set(ids)]
      const together = await ec2.terminateInstances({ InstanceIds: distinct }, signal)()
      const ending = new Map<string, E.Either<AwsError, string>>()
      if (E.isRight(together))
        for (const { InstanceId = '', CurrentState } of together.right.TerminatingInstances ?? [])
          if (CurrentState?.Name === 'shutting-down' || CurrentState?.Name === 'terminated')
            ending.set(InstanceId, E.right(CurrentState.Name))
      if (E.isLeft(together) && distinct.length === 1) return together
      const left = distinct.filter((id) => !ending.has(id))
      const singly = await pipe(
        left,
        traverseBounded<string, AwsError, E.Either<AwsError, string>>(
          singlesAtOnce,
          (id) => async () => E.right(await terminateSingly(id, signal)()),
        ),
      )()
      if (E.isRight(singly)) singly.right.forEach((answer, index) => ending.set(left[index] ?? '', answer))
      return E.right(ids.map((id) => ending.get(id) ?? E.right('shutting-down')))
    },
  })

  const named = (providerId: string): E.Either<ProviderError, string> => {
    const id = instanceIdOf(providerId)
    return id === undefined
      ? E.left({
          _tag: 'InvalidRequest',
          message: `Cannot use provider id ${JSON.stringify(providerId)}: expected aws:///ZONE/INSTANCE`,
        })
      : E.right(id)
  }
  const notFound = (id: string): ProviderError => ({
    _tag: 'InstanceNotFound',
    message: `Instance ${id} is not there`,
  })
  const notYetVisible = (id: string): ProviderError => ({
    _tag: 'Unknown',
    code: 'NotYetVisible',
    message: `Instance ${id} was launched a moment ago and EC2 does not show it yet`,
    retryAfterMs: notYetVisibleRetryMs,
  })
  /** In a zone that is shifted away from, calls are paced rather than refused (W-28). */
  const paced = (zone: string | undefined): E.Either<ProviderError, void> => {
    const shifted = zone === undefined ? undefined : shiftedZoneOf(zone)
    if (shifted === undefined) return E.right(undefined)
    const admission = shiftedBucket.take()
    return admission._tag === 'Admitted'
      ? E.right(undefined)
      : E.left({
          _tag: 'Throttled',
          message: `Calls about machines in zone ${shifted} are few during its zonal shift`,
          retryAfterMs: admission.retryAfterMs,
        })
  }

  return {
    recent,
    get: (providerId, signal) => async () => {
      const id = named(providerId)
      if (E.isLeft(id)) return id
      const answer = await getBatched(id.right, signal)()
      if (E.isLeft(answer)) return E.left(providerErrorOf(answer.left))
      if (answer.right === undefined) {
        // Launched a moment ago: it is as EC2 said when it started it.
        const launched = recent.get(id.right)
        return launched === undefined ? E.left(notFound(id.right)) : E.right(launched)
      }
      if (isTerminated(answer.right)) {
        recent.drop(id.right)
        return E.left(notFound(id.right))
      }
      const found = instanceOf(answer.right, knowsReservations)
      return found === undefined
        ? E.left({ _tag: 'Unknown', message: `Instance ${id.right} has no type or no zone` })
        : E.right(found)
    },
    list: (cluster, signal) =>
      pipe(
        describe(
          {
            Filters: [
              { Name: 'tag-key', Values: [tagKeys.nodePool] },
              { Name: 'tag-key', Values: [tagKeys.nodeClass] },
              { Name: `tag:${tagKeys.cluster}`, Values: [cluster] },
            ],
            MaxResults: pageSize,
          },
          signal,
        ),
        TE.bimap(providerErrorOf, (described) => {
          const found: Array<Instance<Ec2Details>> = []
          const unreadable: Array<InstanceList<Ec2Details>['unreadable'][number]> = []
          const seen = new Set<string>()
          for (const one of described) {
            if (isTerminated(one)) {
              recent.drop(one.InstanceId ?? '')
              continue
            }
            const instance = instanceOf(one, knowsReservations)
            if (instance === undefined)
              unreadable.push({ message: `Instance ${one.InstanceId ?? 'without an id'} has no type or no zone` })
            else {
              seen.add(instance.details?.instanceId ?? '')
              found.push(instance)
            }
          }
          // What was launched a moment ago is there, whether EC2 shows it yet or not.
          for (const instance of recent.all())
            if (!seen.has(instance.details?.instanceId ?? '') && instance.details?.tags[tagKeys.cluster] === cluster)
              found.push(instance)
          return { instances: found, unreadable }
        }),
      ),
    terminate: (providerId, cluster, signal) => async () => {
      const named_ = named(providerId)
      if (E.isLeft(named_)) return named_
      const id = named_.right
      const pace = paced(zoneOfProviderId(providerId))
      if (E.isLeft(pace)) return pace
      const described = await getBatched(id, signal)()
      if (E.isLeft(described)) return E.left(providerErrorOf(described.left))
      const isRecent = recent.get(id) !== undefined
      if (described.right === undefined ? !isRecent : isTerminated(described.right)) {
        recent.drop(id)
        return E.right('Gone')
      }
      const owner = described.right?.Tags?.find(({ Key }) => Key === tagKeys.cluster)?.Value
      if (owner !== undefined && owner !== cluster)
        return E.left({
          _tag: 'InvalidRequest',
          message: `Instance ${id} belongs to cluster ${owner}, not to ${cluster}`,
        })
      if (described.right?.State?.Name === 'shutting-down') {
        recent.drop(id)
        return E.right('Started')
      }
      const ended = await terminateBatched(id, signal)()
      if (E.isRight(ended)) {
        recent.drop(id)
        return E.right(ended.right === 'terminated' ? 'Gone' : 'Started')
      }
      if (isInstanceNotFound(ended.left)) return isRecent ? E.left(notYetVisible(id)) : E.right('Gone')
      const zone = zoneOfProviderId(providerId) ?? ''
      host.record(terminationFailures, 1, { zone, zone_id: zoneIdOf(zone) ?? '' })
      return E.left(providerErrorOf(ended.left))
    },
    tag: (instance, tags, signal) => async () => {
      const id = instance.details?.instanceId
      if (id === undefined || Object.keys(tags).length === 0) return E.right(undefined)
      const pace = paced(instance.zone)
      if (E.isLeft(pace)) return pace
      const admission = tagBucket.take()
      if (admission._tag === 'Refused')
        return E.left({
          _tag: 'Throttled',
          message: 'Tags are written no faster than EC2 lets an account write them',
          retryAfterMs: admission.retryAfterMs,
        })
      const tagged = await ec2.createTags({ Resources: [id], Tags: tagList(tags) }, signal)()
      if (E.isRight(tagged)) return E.right(undefined)
      return E.left(
        isInstanceNotFound(tagged.left) && recent.get(id) !== undefined
          ? notYetVisible(id)
          : providerErrorOf(tagged.left),
      )
    },
  }
}
