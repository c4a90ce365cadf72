import type { DescribeInstanceStatusCommandInput, InstanceStatus } from '@aws-sdk/client-ec2'
import type { CancelSignal, Interruption, MaintenanceTask, ProviderHost } from '@scantling/core'
import { traverseBounded } from '@scantling/provider-kit'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { isDenied, providerErrorOf } from '../error-codes.ts'
import { unhealthyInstances } from '../metrics.ts'
import type { Ec2NodeClass } from '../node-class/index.ts'
import { instanceIdOf } from '../provider-id.ts'
import { everyPage, type AwsError, type Ec2Port } from '../sdk/index.ts'

const everyMs = 60_000
const failingForMs = 120_000
const deniedRetryMs = 600_000
/** Maintenance is announced weeks ahead; machines go when it is this near. */
const drainAheadMs = 86_400_000

const eventCodes = ['instance-reboot', 'system-reboot', 'system-maintenance', 'instance-retirement', 'instance-stop']

type Category = 'instance_status' | 'system_status' | 'event_status'

/** What ails an instance. */
interface Ailment {
  readonly instanceId: string
  readonly category: Category
  readonly message: string
  readonly deadlineMs?: number
}

/**
 * Asks EC2 for instances that fail their status checks or have maintenance ahead.
 *
 * A failed check has the instance replaced at once, since nothing on it answers; maintenance has it drained in time.
 */
export const instanceStatusTask = (options: {
  readonly ec2: Pick<Ec2Port, 'describeInstanceStatus'>
  readonly host: Pick<ProviderHost, 'clock' | 'log' | 'record'>
}): MaintenanceTask<Ec2NodeClass> => {
  const { ec2, host } = options
  /** What was counted and has not recovered since. */
  let counted: ReadonlySet<string> = new Set()

  return {
    name: 'instance-status',
    everyMs,
    runsOn: 'leader',
    run: (view, call) =>
      pipe(
        ailing(ec2, call.signal),
        TE.bimap(
          (error) => ({
            ...providerErrorOf(error),
            // Other than the reference, which stops for good: the permission may yet be granted (S-19).
            ...(isDenied(error) && { retryAfterMs: deniedRetryMs }),
          }),
          (statuses) => {
            const nowMs = host.clock.nowMs()
            const ours = new Map(
              view.claims.flatMap(({ providerId }) => {
                const id = providerId === undefined ? undefined : instanceIdOf(providerId)
                return id === undefined || providerId === undefined ? [] : [[id, providerId] as const]
              }),
            )
            const ailments = statuses
              .filter(({ InstanceId }) => ours.has(InstanceId ?? ''))
              .flatMap((status) => ailmentsOf(status, nowMs))
            const keyOf = ({ instanceId, category }: Ailment) => `${instanceId} ${category}`
            for (const ailment of ailments)
              if (!counted.has(keyOf(ailment))) host.record(unhealthyInstances, 1, { category: ailment.category })
            counted = new Set(ailments.map(keyOf))
            return { interruptions: ailments.map((ailment) => interruptionOf(ailment, ours)) }
          },
        ),
      ),
  }
}

const ailing = (
  ec2: Pick<Ec2Port, 'describeInstanceStatus'>,
  signal: CancelSignal,
): TE.TaskEither<AwsError, ReadonlyArray<InstanceStatus>> =>
  pipe(
    [
      { Name: 'instance-status.status', Values: ['impaired'] },
      { Name: 'system-status.status', Values: ['impaired'] },
      { Name: 'event.code', Values: eventCodes },
    ],
    traverseBounded(3, (filter) => {
      const input: DescribeInstanceStatusCommandInput = { Filters: [filter] }
      return everyPage(ec2.describeInstanceStatus, input, signal, ({ InstanceStatuses }) => InstanceStatuses)
    }),
    TE.map((lists) => [...new Map(lists.flat().map((status) => [status.InstanceId, status])).values()]),
  )

const ailmentsOf = (status: InstanceStatus, nowMs: number): ReadonlyArray<Ailment> => {
  const { InstanceId: instanceId = '' } = status
  const failing = (
    summary: InstanceStatus['SystemStatus'],
    category: Category,
    what: string,
  ): ReadonlyArray<Ailment> => {
    const failed = (summary?.Details ?? []).filter(
      // A check that does not say since when is failing since now (W-14).
      ({ Status, ImpairedSince }) => Status === 'failed' && nowMs - (ImpairedSince?.getTime() ?? nowMs) >= failingForMs,
    )
    return failed.length === 0 ? [] : [{ instanceId, category, message: `The instance fails its ${what} status check` }]
  }
  const ahead = (status.Events ?? []).flatMap(({ Code, Description = '', NotBefore }) => {
    // What is over stays on the list for a week, marked in its text alone.
    if (Code === undefined || !eventCodes.includes(Code) || /^\[(Completed|Canceled)\]/i.test(Description)) return []
    const atMs = NotBefore?.getTime()
    return atMs !== undefined && atMs - nowMs > drainAheadMs ? [] : [{ Code, ...(atMs !== undefined && { atMs }) }]
  })
  const first = ahead[0]
  return [
    ...failing(status.InstanceStatus, 'instance_status', 'instance'),
    ...failing(status.SystemStatus, 'system_status', 'system'),
    ...(first === undefined
      ? []
      : [
          {
            instanceId,
            category: 'event_status' as const,
            message: `EC2 has scheduled ${first.Code} for the instance`,
            ...(first.atMs !== undefined && { deadlineMs: first.atMs }),
          },
        ]),
  ]
}

const interruptionOf = (ailment: Ailment, ours: ReadonlyMap<string, string>): Interruption => ({
  id: ours.get(ailment.instanceId) ?? ailment.instanceId,
  kind: 'InstanceUnhealthy',
  action: ailment.category === 'event_status' ? 'drain' : 'force',
  message: ailment.message,
  ...(ailment.deadlineMs !== undefined && { deadlineMs: ailment.deadlineMs }),
})
