import { podKey, type Pod } from '@scantling/core'
import type { ReconcilerContext } from '../context.ts'

const rememberedMs = 24 * 3_600_000
const named = 5

export type ConsolidationHint = 'preferred anti-affinity' | 'ScheduleAnyway spread'

/** What of a pod's preferences makes nodes that are hard to consolidate: honoured when it is placed, in the way later. */
export const consolidationHint = ({ constraints }: Pod): ConsolidationHint | undefined => {
  if (constraints.podAntiAffinity.preferred.length > 0) return 'preferred anti-affinity'
  return constraints.topologySpread.some(({ whenUnsatisfiable }) => whenUnsatisfiable === 'ScheduleAnyway')
    ? 'ScheduleAnyway spread'
    : undefined
}

/**
 * Logs the pods of a pass whose preferences keep nodes from being consolidated, each once a day. P-PRV-12.
 *
 * Not under the policy `Ignore`, where preferences bind nobody.
 */
export const makeConsolidationHints = ({
  clock,
  log,
  settings,
}: Pick<ReconcilerContext, 'clock' | 'log' | 'settings'>) => {
  const toldAtMs = new Map<string, number>()
  return (pods: ReadonlyArray<Pod>): void => {
    if (settings.preferencePolicy === 'Ignore') return
    const nowMs = clock.nowMs()
    for (const [uid, atMs] of toldAtMs) {
      // In the order of telling: the first that is young enough ends the search.
      if (nowMs - atMs < rememberedMs) break
      toldAtMs.delete(uid)
    }
    const byHint = new Map<ConsolidationHint, Array<string>>()
    for (const pod of pods) {
      const hint = consolidationHint(pod)
      if (hint === undefined || toldAtMs.has(pod.uid)) continue
      toldAtMs.set(pod.uid, nowMs)
      const names = byHint.get(hint)
      if (names === undefined) byHint.set(hint, [podKey(pod)])
      else names.push(podKey(pod))
    }
    for (const [hint, names] of byHint)
      log.info('Pods have preferences that can keep nodes from being consolidated', {
        preference: hint,
        pods: names.slice(0, named),
        count: names.length,
      })
  }
}
