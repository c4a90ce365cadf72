import type { HostPort } from '../cluster/index.ts'

const isUnspecified = (ip: string): boolean => ip === '0.0.0.0' || ip === '::' || ip === ''

/** Whether two pods cannot both have their port on one node (P-HPT-02). */
export const portsClash = (a: HostPort, b: HostPort): boolean =>
  a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || isUnspecified(a.ip) || isUnspecified(b.ip))

/** Whether any wanted port clashes with a taken one. Cost: O(wanted × taken). */
export const anyPortClashes = (wanted: ReadonlyArray<HostPort>, taken: ReadonlyArray<HostPort>): boolean =>
  wanted.some((port) => taken.some((other) => portsClash(port, other)))
