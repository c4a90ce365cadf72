import { readFileSync } from 'node:fs'
import type { AuditEvent } from './audit.ts'

/** What many requests of one sort took: seconds since the start at which the first, the median and the last came. */
export interface Span {
  readonly what: string
  readonly count: number
  readonly firstS: number
  readonly medianS: number
  readonly lastS: number
}

type Timed = AuditEvent & { readonly stageTimestamp: string }

/** When a load was taken up, step by step and by whom, from the audit log. `startedAtMs`: since the epoch. */
export const timelineOf = (auditLog: string, startedAtMs: number): ReadonlyArray<Span> => {
  const times = new Map<string, Array<number>>()
  for (const line of readFileSync(auditLog, 'utf8').split('\n')) {
    if (!line.endsWith('}')) continue
    const event = JSON.parse(line) as Timed
    const { verb, objectRef, user, responseStatus } = event
    const atS = (Date.parse(event.stageTimestamp) - startedAtMs) / 1000
    if (atS < 0 || objectRef === undefined || !followed.has(objectRef.resource) || verb === 'watch') continue
    const resource =
      objectRef.subresource === undefined ? objectRef.resource : `${objectRef.resource}/${objectRef.subresource}`
    const failed = (responseStatus?.code ?? 0) >= 400 ? ` ${responseStatus?.code}` : ''
    const what = `${user.username.slice(user.username.lastIndexOf(':') + 1)} ${verb} ${resource}${failed}`
    const known = times.get(what)
    if (known === undefined) times.set(what, [atS])
    else known.push(atS)
  }
  return [...times]
    .map(([what, all]) => {
      const sorted = all.toSorted((a, b) => a - b)
      const at = (index: number) => sorted[index] ?? 0
      return {
        what,
        count: all.length,
        firstS: at(0),
        medianS: at(Math.floor(all.length / 2)),
        lastS: at(all.length - 1),
      }
    })
    .toSorted((a, b) => a.firstS - b.firstS)
}

const followed = new Set(['pods', 'nodes', 'nodeclaims', 'nodepools', 'events', 'replicasets', 'csinodes'])

export const renderSpan = ({ what, count, firstS, medianS, lastS }: Span): string =>
  `    ${firstS.toFixed(2).padStart(6)} ${medianS.toFixed(2).padStart(6)} ${lastS.toFixed(2).padStart(6)} ${String(count).padStart(6)}  ${what}`
