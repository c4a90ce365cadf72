import { podKey } from '../cluster/index.ts'
import type { Rejection } from '../scheduling/index.ts'
import { renderPoolReason, renderReason } from './reason.ts'
import { renderTable } from './table.ts'

/**
 * The reasons alone, for where the pod is named already, as in an event on it.
 *
 * @example
 * import { pendingPod, snapshotFor } from '@scantling/core/testing'
 * const snapshot = snapshotFor({ nodePools: [], pods: [pendingPod('web-0')] })
 * const plan = planProvisioning(snapshot, { strategy: 'first-fit', reservedOfferings: 'strict' })
 * plan.rejections.map(renderReasons) // => ['there is no NodePool that is ready and not being deleted']
 */
export const renderReasons = ({ reasons }: Rejection): string => reasons.map(renderReason).join('; ')

/**
 * One sentence on why a pod has no place and whether waiting helps.
 *
 * @example
 * import { pendingPod, snapshotFor } from '@scantling/core/testing'
 * const snapshot = snapshotFor({ nodePools: [], pods: [pendingPod('web-0')] })
 * const plan = planProvisioning(snapshot, { strategy: 'first-fit', reservedOfferings: 'strict' })
 * plan.rejections.map(renderRejection)
 * // => ['Pod default/web-0 has no place: there is no NodePool that is ready and not being deleted']
 */
export const renderRejection = (rejection: Rejection): string => {
  const subject = `Pod ${podKey(rejection.pod)}`
  const reasons = renderReasons(rejection)
  switch (rejection.verdict) {
    case 'ignored':
      return `${subject} is not planned for: ${reasons}`
    case 'deferred':
      return `${subject} waits for a later pass: ${reasons}`
    case 'unplaced':
      return `${subject} has no place: ${reasons}`
  }
}

/**
 * Rejections with the same reasons together, largest group first: a thousand replicas fail in one sentence.
 *
 * @example
 * import { pendingPod, snapshotFor } from '@scantling/core/testing'
 * const snapshot = snapshotFor({ pods: ['a', 'b'].map((name) => pendingPod(name, { cpu: '99' })) })
 * const plan = planProvisioning(snapshot, { strategy: 'first-fit', reservedOfferings: 'strict' })
 * groupRejections(plan.rejections).map(({ rejections }) => rejections.length) // => [2]
 */
export const groupRejections = (
  rejections: ReadonlyArray<Rejection>,
): ReadonlyArray<{ readonly reasons: string; readonly rejections: ReadonlyArray<Rejection> }> => {
  const groups = new Map<string, Array<Rejection>>()
  // Pods of one class share their reasons.
  const rendered = new Map<Rejection['reasons'], string>()
  for (const rejection of rejections) {
    const reasons = rendered.get(rejection.reasons) ?? renderReasons(rejection)
    rendered.set(rejection.reasons, reasons)
    const group = groups.get(reasons)
    if (group === undefined) groups.set(reasons, [rejection])
    else group.push(rejection)
  }
  return [...groups]
    .map(([reasons, members]) => ({ reasons, rejections: members }))
    .sort((left, right) => right.rejections.length - left.rejections.length)
}

/**
 * How far each NodePool came, one a row: how many of its types were considered, meet the requirements, have room and
 * can be bought, each test by itself, and what stood in the way.
 *
 * @example
 * import { pendingPod, snapshotFor } from '@scantling/core/testing'
 * const snapshot = snapshotFor({ pods: [pendingPod('web-0', { cpu: '99' })] })
 * const [rejection] = planProvisioning(snapshot, { strategy: 'first-fit', reservedOfferings: 'strict' }).rejections
 * rejection && renderRejectionTable(rejection).split('\n').length // => 2
 */
export const renderRejectionTable = ({ reasons }: Rejection): string =>
  renderTable(
    [
      ['NODEPOOL', 'TYPES', 'MATCH', 'ROOM', 'ON SALE', 'WHY NOT'],
      ...reasons.map((reason) => {
        if (!('nodePool' in reason)) return ['-', '', '', '', '', renderReason(reason)]
        const counts =
          reason._tag === 'NoInstanceTypeFits'
            ? [reason.considered, reason.meetRequirements, reason.haveRoom, reason.haveOffering].map(String)
            : ['', '', '', '']
        return [reason.nodePool, ...counts, renderPoolReason(reason)]
      }),
    ],
    new Set([1, 2, 3, 4]),
  )
