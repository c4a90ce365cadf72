import type { Instance } from '@scantling/core'
import type { Ec2Details } from './details.ts'

/** EC2 may take this long until a description shows a new instance. */
export const visibilityLagMs = 60_000

/** Instances of the last minute, which descriptions may miss. */
export interface RecentLaunches {
  readonly add: (instance: Instance<Ec2Details>) => void
  readonly get: (instanceId: string) => Instance<Ec2Details> | undefined
  /** Ended: no description will ever show it. */
  readonly drop: (instanceId: string) => void
  readonly all: () => ReadonlyArray<Instance<Ec2Details>>
}

export const recentLaunches = (nowMs: () => number): RecentLaunches => {
  const byId = new Map<string, { readonly instance: Instance<Ec2Details>; readonly untilMs: number }>()
  const forget = () => {
    // In order of their launch, so the first that stays ends it.
    for (const [id, { untilMs }] of byId) {
      if (untilMs > nowMs()) break
      byId.delete(id)
    }
  }
  return {
    add: (instance) => {
      const id = instance.details?.instanceId
      if (id !== undefined) byId.set(id, { instance, untilMs: nowMs() + visibilityLagMs })
    },
    get: (id) => {
      forget()
      return byId.get(id)?.instance
    },
    drop: (id) => void byId.delete(id),
    all: () => {
      forget()
      return [...byId.values()].map(({ instance }) => instance)
    },
  }
}
