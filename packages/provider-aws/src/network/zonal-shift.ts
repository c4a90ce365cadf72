import { Requirements, type CancelSignal, type Findings, type MaintenanceTask, type Notice } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { providerErrorOf } from '../error-codes.ts'
import type { Ec2NodeClass } from '../node-class/index.ts'
import type { AwsError, ZonalShiftPort } from '../sdk/index.ts'

const everyMs = 30_000
const zoneIdKey = 'topology.k8s.aws/zone-id'

/** Zones that Application Recovery Controller shifts traffic away from. */
export interface ZonalShifts {
  /** Ids of zones; the same set while nothing changed. Empty until the first look. */
  readonly shifted: () => ReadonlySet<string>
  readonly task: MaintenanceTask<Ec2NodeClass>
}

export const noZonalShifts: Pick<ZonalShifts, 'shifted'> = { shifted: () => none }
const none: ReadonlySet<string> = new Set()

/** Polls the shifts of a cluster, and tells the NodePools concerned when one begins and when it ends. */
export const zonalShifts = (options: {
  readonly port: ZonalShiftPort
  /** The cluster's ARN. */
  readonly resource: string
  readonly nowMs: () => number
}): ZonalShifts => {
  const { port, resource, nowMs } = options
  let shifted: ReadonlySet<string> = none
  let expiryMs = new Map<string, number>()

  const look = async (signal: CancelSignal): Promise<E.Either<AwsError, ReadonlyArray<Notice>>> => {
    const answer = await port.getManagedResource({ resourceIdentifier: resource }, signal)()
    if (E.isLeft(answer)) return answer
    // All of it is new each time: a shift that was cancelled must not live on until its expiry (W-09).
    expiryMs = new Map()
    for (const { awayFrom, appliedStatus, expiryTimeMs } of answer.right.zonalShifts)
      if (appliedStatus === 'APPLIED') expiryMs.set(awayFrom, Math.max(expiryTimeMs, expiryMs.get(awayFrom) ?? 0))
    const before = shifted
    const after = current()
    return E.right([
      ...[...after].filter((zone) => !before.has(zone)).map((zone) => noticeOf(zone, true)),
      ...[...before].filter((zone) => !after.has(zone)).map((zone) => noticeOf(zone, false)),
    ])
  }
  const current = () => {
    const now = new Set([...expiryMs].filter(([, untilMs]) => untilMs > nowMs()).map(([zone]) => zone))
    if (now.size !== shifted.size || [...now].some((zone) => !shifted.has(zone))) shifted = now
    return shifted
  }
  return {
    // Only a look moves the state on, so that its notices miss no change.
    shifted: () => shifted,
    task: {
      name: 'zonal-shift',
      everyMs,
      runsOn: 'every-replica',
      run: (_view, call) => async () => {
        const looked = await look(call.signal)
        return E.isLeft(looked)
          ? E.left(providerErrorOf(looked.left))
          : E.right<never, Findings>({ notices: looked.right })
      },
    },
  }
}

const noticeOf = (zoneId: string, isActive: boolean): Notice => ({
  on: { _tag: 'PoolsOffering', match: Requirements.fromLabels({ [zoneIdKey]: zoneId }) },
  type: isActive ? 'Warning' : 'Normal',
  reason: isActive ? 'ZonalShiftActive' : 'ZonalShiftCleared',
  message: isActive
    ? `A zonal shift moves away from zone ${zoneId}: no machines are launched there`
    : `The zonal shift away from zone ${zoneId} has ended`,
})
