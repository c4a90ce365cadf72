import type { Clock } from '@scantling/provider-kit'

/** What the cloud has announced of its machines and was acted on, so that the same news is not acted on twice. */
export interface AnnouncedCell {
  readonly has: (instance: string, kind: string) => boolean
  readonly note: (instance: string, kind: string) => void
}

// Queues deliver again within minutes or hours; a machine that is announced again a day later is told again.
const rememberedMs = 24 * 60 * 60_000
const mostRemembered = 20_000

export const makeAnnouncedCell = (clock: Clock): AnnouncedCell => {
  const untilMs = new Map<string, number>()
  const keyOf = (instance: string, kind: string) => JSON.stringify([instance, kind])
  return {
    has: (instance, kind) => (untilMs.get(keyOf(instance, kind)) ?? -Infinity) > clock.nowMs(),
    note: (instance, kind) => {
      const nowMs = clock.nowMs()
      const key = keyOf(instance, kind)
      // Deleted first, so that the map stays in the order of news.
      untilMs.delete(key)
      untilMs.set(key, nowMs + rememberedMs)
      for (const [oldest, expiresMs] of untilMs) {
        if (expiresMs > nowMs && untilMs.size <= mostRemembered) break
        untilMs.delete(oldest)
      }
    },
  }
}
