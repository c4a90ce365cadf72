import type { Delivery, Interruption } from '@scantling/core'

/** What a message on the queue is about; the reference's names, which its metric carries. */
export type MessageKind =
  | 'spot_interrupted'
  | 'capacity_reservation_interrupted'
  | 'rebalance_recommendation'
  | 'instance_stopped'
  | 'instance_terminated'
  | 'scheduled_change'
  | 'no_op'

/** A message on the queue, read. */
export interface InterruptionMessage {
  readonly kind: MessageKind
  readonly instanceIds: ReadonlyArray<string>
  /** When it happened, by the event's own account. */
  readonly atMs?: number
}

const nothing: InterruptionMessage = { kind: 'no_op', instanceIds: [] }

interface Event {
  readonly version?: unknown
  readonly source?: unknown
  readonly 'detail-type'?: unknown
  readonly time?: unknown
  readonly detail?: Readonly<Record<string, unknown>> | null
}

/**
 * Reads a message of EventBridge's.
 *
 * What is of no concern is `no_op`; `undefined`: it is no event at all (A-INT-02).
 *
 * Source: the event reference of Amazon EC2 and AWS Health.
 */
export const parseMessage = (body: string): InterruptionMessage | undefined => {
  if (body.trim() === '') return nothing
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch {
    return undefined
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined
  const event = parsed as Event
  if (event.version !== '0') return nothing
  const detail = typeof event.detail === 'object' && event.detail !== null ? event.detail : {}
  const atMs = typeof event.time === 'string' ? Date.parse(event.time) : Number.NaN
  const about = (kind: MessageKind, ids: ReadonlyArray<unknown>): InterruptionMessage => ({
    kind,
    instanceIds: ids.filter((id): id is string => typeof id === 'string' && id !== ''),
    ...(Number.isFinite(atMs) && { atMs }),
  })
  const instance = [detail['instance-id']]
  switch (`${String(event.source)}/${String(event['detail-type'])}`) {
    case 'aws.ec2/EC2 Spot Instance Interruption Warning':
      return about('spot_interrupted', instance)
    case 'aws.ec2/EC2 Capacity Reservation Instance Interruption Warning':
      return about('capacity_reservation_interrupted', instance)
    case 'aws.ec2/EC2 Instance Rebalance Recommendation':
      return about('rebalance_recommendation', instance)
    case 'aws.ec2/EC2 Instance State-change Notification':
      switch (detail['state']) {
        case 'stopping':
        case 'stopped':
          return about('instance_stopped', instance)
        case 'shutting-down':
        case 'terminated':
          return about('instance_terminated', instance)
        default:
          return nothing
      }
    case 'aws.health/AWS Health Event': {
      if (detail['service'] !== 'EC2' || detail['eventTypeCategory'] !== 'scheduledChange') return nothing
      const entities = Array.isArray(detail['affectedEntities'])
        ? (detail['affectedEntities'] as ReadonlyArray<unknown>)
        : []
      return about(
        'scheduled_change',
        entities.map((entity) => (entity as { readonly entityValue?: unknown } | null)?.entityValue),
      )
    }
    default:
      return nothing
  }
}

/** EC2 gives spot machines two minutes, and those of interruptible reservations as many. */
const warningMs = 120_000
/** As long as an offering without capacity is left alone. */
const losesOfferingForMs = 180_000

const events: Readonly<Record<Exclude<MessageKind, 'no_op'>, { readonly kind: string; readonly message: string }>> = {
  spot_interrupted: { kind: 'SpotInterrupted', message: 'EC2 takes the spot instance back' },
  capacity_reservation_interrupted: {
    kind: 'CapacityReservationInstanceInterrupted',
    message: 'The owner of the capacity reservation takes its capacity back',
  },
  rebalance_recommendation: {
    kind: 'SpotRebalanceRecommendation',
    message: 'The spot instance is at an elevated risk of being taken back',
  },
  instance_stopped: { kind: 'InstanceStopping', message: 'The instance is stopping or stopped' },
  instance_terminated: { kind: 'InstanceTerminating', message: 'The instance is terminating or terminated' },
  scheduled_change: { kind: 'InstanceUnhealthy', message: 'AWS has scheduled a change for the instance' },
}

/** The interruptions that a message brings. */
export const interruptionsOf = (
  { kind, instanceIds, atMs }: InterruptionMessage,
  rebalance: 'notify' | 'drain',
): ReadonlyArray<Interruption> => {
  if (kind === 'no_op') return []
  const event = events[kind]
  const hasWarning = kind === 'spot_interrupted' || kind === 'capacity_reservation_interrupted'
  return instanceIds.map((id) => ({
    id,
    ...event,
    action: kind === 'rebalance_recommendation' ? rebalance : 'drain',
    ...(hasWarning && atMs !== undefined && { deadlineMs: atMs + warningMs }),
    // A machine that was taken back says that there are no more of its kind; one at risk that there may not be.
    ...((hasWarning || (kind === 'rebalance_recommendation' && rebalance === 'drain')) && { losesOfferingForMs }),
  }))
}

/** One message of the queue as the port has it. */
export const deliveryOf = (
  message: InterruptionMessage,
  facts: { readonly receipt: string; readonly sentAtMs?: number; readonly rebalance: 'notify' | 'drain' },
): Delivery => ({
  receipt: facts.receipt,
  kind: message.kind,
  ...((message.atMs ?? facts.sentAtMs) !== undefined && { sentAtMs: message.atMs ?? facts.sentAtMs ?? 0 }),
  interruptions: interruptionsOf(message, facts.rebalance),
})
