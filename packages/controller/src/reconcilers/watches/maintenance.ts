import * as E from 'fp-ts/lib/Either.js'
import type { ClusterView, Findings, MaintenanceTask, NodeClassObject } from '@scantling/core'
import { runTasks, type RunningTasks } from '../../provider-host/index.ts'
import type { ReconcilerContext } from '../context.ts'
import { interrupt } from '../nodes/index.ts'
import { claimFacts } from '../provider-facts.ts'
import { publishNotice } from '../publish-notice.ts'

/** Runs the leader's tasks of the provider, and takes in what they and those of every replica find. */
export const runMaintenance = (context: ReconcilerContext): RunningTasks => {
  const { provider, clock, log, shutdown, clusterFacts, everyReplica } = context
  const onFindings = (findings: Findings) => takeIn(context, findings)
  everyReplica?.listen(onFindings)
  const isRunning = everyReplica === undefined ? [] : ['every-replica']
  return runTasks({
    tasks: (provider.tasks ?? []).filter(({ runsOn }) => !isRunning.includes(runsOn)),
    clock,
    log,
    shutdown,
    clusterFacts,
    viewFor: (task) => viewFor(context, task),
    onFindings,
  })
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
