import { Time } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'

/** How much of its full load there is, by the time since the beginning. */
export interface LoadCurve {
  readonly name: string
  /** 0: nothing runs; 1: every Deployment has the replicas that its manifest states. */
  readonly at: (sinceStartMs: number) => number
}

interface Point {
  readonly atMs: number
  readonly load: number
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** An office day: quiet at night, a climb from six, full before noon and in the afternoon, a dip at lunch. */
const officeDay: ReadonlyArray<Point> = [
  [0, 0.55],
  [5, 0.5],
  [7, 0.65],
  [9, 0.9],
  [11, 1],
  [13, 0.92],
  [15, 1],
  [18, 0.8],
  [21, 0.65],
].map(([hour = 0, load = 0]) => ({ atMs: hour * hourMs, load }))

const throughPoints = (points: ReadonlyArray<Point>, periodMs: number): LoadCurve['at'] => {
  const [first] = points
  if (first === undefined) return () => 1
  const round = [...points, { atMs: first.atMs + periodMs, load: first.load }]
  return (sinceStartMs) => {
    const at = ((sinceStartMs - first.atMs) % periodMs) + first.atMs
    const inPeriod = at < first.atMs ? at + periodMs : at
    const after = round.findIndex(({ atMs }) => atMs > inPeriod)
    const [from, to] = [round[after - 1] ?? first, round[after] ?? first]
    const share = to.atMs === from.atMs ? 0 : (inPeriod - from.atMs) / (to.atMs - from.atMs)
    return from.load + (to.load - from.load) * share
  }
}

/** The load curve of `--curve daily`. */
export const dailyCurve: LoadCurve = { name: 'daily', at: throughPoints(officeDay, dayMs) }

/**
 * Reads a load curve: on each line a time and a share of the full load, straight lines between them, over and over.
 *
 * Times are those of a day (`06:30`) or since the beginning (`36h`, as Go writes durations); it begins again after as
 * many full days as it takes. What follows `#` is a remark.
 *
 * Errors: a sentence for each line that cannot be read.
 *
 * @example
 * parseLoadCurve('night', '00:00 0.2\n08:00 1\n20:00 0.4')
 */
export const parseLoadCurve = (name: string, text: string): E.Either<ReadonlyArray<string>, LoadCurve> => {
  const problems: Array<string> = []
  const points: Array<Point> = []
  for (const [index, line] of text.split('\n').entries()) {
    const [when, share, ...more] = line.replace(/#.*/, '').trim().split(/\s+/)
    if (when === undefined || when === '') continue
    const atMs = timeOf(when)
    const load = Number(share)
    if (atMs === undefined || share === undefined || !(load >= 0) || more.length > 0)
      problems.push(
        `${name}, line ${index + 1}: Cannot read ${JSON.stringify(line.trim())}: expected a time and a load, such as "06:30 0.8" or "36h 1"`,
      )
    else if (atMs <= (points.at(-1)?.atMs ?? -1))
      problems.push(`${name}, line ${index + 1}: Cannot use ${when}: times must rise from line to line`)
    else points.push({ atMs, load })
  }
  if (points.length === 0 && problems.length === 0)
    problems.push(`${name}: Expected at least one line such as "06:30 0.8", found none`)
  if (problems.length > 0) return E.left(problems)
  const periodMs = (Math.floor((points.at(-1)?.atMs ?? 0) / dayMs) + 1) * dayMs
  return E.right({ name, at: throughPoints(points, periodMs) })
}

const timeOf = (text: string): number | undefined => {
  const clock = /^(\d{1,2}):(\d{2})$/.exec(text)
  if (clock !== null) {
    const [hours, minutes] = [Number(clock[1]), Number(clock[2])]
    return hours < 24 && minutes < 60 ? hours * hourMs + minutes * 60_000 : undefined
  }
  const duration = Time.parseDuration(text)
  return E.isRight(duration) && duration.right >= 0 ? duration.right : undefined
}
