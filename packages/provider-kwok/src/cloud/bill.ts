import type { StoredInstance } from './cloud-state.ts'

export interface BillLine {
  readonly id: string
  readonly name: string
  readonly instanceType: string
  readonly zone: string
  readonly capacityType: string
  readonly fromMs: number
  /** Absent: still running. */
  readonly untilMs?: number
  readonly cost: number
}

/** What the machines have cost so far, those that ended included. */
export interface Bill {
  readonly atMs: number
  readonly total: number
  /** What the machines that run now cost per hour. */
  readonly perHour: number
  readonly lines: ReadonlyArray<BillLine>
}

const hourMs = 3_600_000

/** Sums up by the millisecond, each stretch at its price. A machine is billed from its launch until it stops or its termination. */
export const billOf = (instances: ReadonlyArray<StoredInstance>, nowMs: number): Bill => {
  const lines = instances.map((instance): BillLine => {
    const untilMs = billedUntilMs(instance, nowMs)
    const { id, name, instanceType, zone, capacityType, launchedAtMs } = instance
    const hasEnded = untilMs < nowMs
    return {
      id,
      name,
      instanceType,
      zone,
      capacityType,
      fromMs: launchedAtMs,
      ...(hasEnded && { untilMs }),
      cost: costUntil(instance, untilMs),
    }
  })
  return {
    atMs: nowMs,
    total: lines.reduce((sum, { cost }) => sum + cost, 0),
    perHour: instances.reduce(
      (sum, instance) =>
        sum + (billedUntilMs(instance, nowMs) < nowMs ? 0 : (instance.charges.at(-1)?.pricePerHour ?? 0)),
      0,
    ),
    lines,
  }
}

const billedUntilMs = (
  { terminatingAtMs = Infinity, stopsAtMs = Infinity, endsAtMs = Infinity }: StoredInstance,
  nowMs: number,
) => Math.min(terminatingAtMs, stopsAtMs, endsAtMs, nowMs)

const costUntil = ({ charges }: StoredInstance, untilMs: number): number =>
  charges.reduce((sum, { fromMs, pricePerHour }, index) => {
    const toMs = Math.min(charges[index + 1]?.fromMs ?? Infinity, untilMs)
    return sum + (Math.max(0, toMs - fromMs) / hourMs) * pricePerHour
  }, 0)
