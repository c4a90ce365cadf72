import * as E from 'fp-ts/lib/Either.js'
import type { Call, ClusterView, Findings, MaintenanceTask, NodeClassObject } from '@scantling/core'
import type { ReconcilerContext } from './context.ts'
import { interrupt } from './interruptions.ts'
import { claimFacts } from './provider-facts.ts'
import { publishNotice } from './publish-notice.ts'

const failedRetryMs = 5000

/** Runs one task of the provider by the clock, for ever, and takes in what it finds. */
export const runMaintenance = async (
  context: ReconcilerContext,
  task: MaintenanceTask<NodeClassObject>,
): Promise<void> => {
  const { clock, shutdown, log } = context
  while (!shutdown.aborted) {
    const call: Call = { signal: shutdown, cluster: context.clusterFacts() }
    const ran = await task.run(viewFor(context, task), call)()
    if (E.isLeft(ran)) log.warn('Maintenance task failed', { task: task.name, error: ran.left.message })
    else await takeIn(context, ran.right)
    const waitMs = E.isLeft(ran) ? (ran.left.retryAfterMs ?? failedRetryMs) : task.everyMs
    await clock.sleep(waitMs, shutdown).catch(() => undefined)
  }
}

const viewFor = (context: ReconcilerContext, task: MaintenanceTask<NodeClassObject>): ClusterView<NodeClassObject> => {
  if (task.runsOn === 'every-replica') return { nodeClasses: [], claims: [] }
  const { caches, views } = context
  return {
    nodeClasses: [...caches.nodeClasses.values()].flatMap((cache) => [...cache.values()]),
    claims: [...caches.nodeClaims.values()].map((object) => claimFacts(context, views.claim(object))),
  }
}

const takeIn = async (context: ReconcilerContext, findings: Findings): Promise<void> => {
  context.types.learn(findings)
  for (const notice of findings.notices ?? []) await publishNotice(context, notice)
  for (const one of findings.interruptions ?? []) {
    const done = await interrupt(context, one)
    if (E.isLeft(done))
      context.log.warn('Cannot act on interruption', { 'provider-id': one.id, error: done.left.message })
  }
}
