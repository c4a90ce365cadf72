import type { KubeObject } from '../face.ts'
import { objectAt, objectsAt, stringAt } from '../server/json.ts'
import type { Column } from '../server/registry.ts'
import { ageColumn, column, nameColumn, pathColumn, specOf, statusOf } from './columns.ts'

const statusesOf = (pod: KubeObject) => objectsAt(statusOf(pod), 'containerStatuses')

const readyText = (pod: KubeObject): string => {
  const ready = statusesOf(pod).filter((status) => status['ready'] === true).length
  return `${ready}/${objectsAt(specOf(pod), 'containers').length}`
}

/** The word in the STATUS column: the phase, or the more telling reason. */
const statusText = (pod: KubeObject): string => {
  const status = statusOf(pod)
  let text = stringAt(status, 'reason') ?? stringAt(status, 'phase') ?? 'Unknown'
  const gated = objectsAt(status, 'conditions').some(
    (condition) => condition['type'] === 'PodScheduled' && condition['reason'] === 'SchedulingGated',
  )
  if (gated) text = 'SchedulingGated'
  for (const container of statusesOf(pod)) {
    const state = objectAt(container, 'state')
    const reason = stringAt(objectAt(state, 'waiting'), 'reason') ?? stringAt(objectAt(state, 'terminated'), 'reason')
    if (reason) text = reason
  }
  if (pod.metadata.deletionTimestamp === undefined) return text
  return stringAt(status, 'reason') === 'NodeLost' ? 'Unknown' : 'Terminating'
}

const restarts = (pod: KubeObject): string =>
  String(statusesOf(pod).reduce((sum, status) => sum + Number(status['restartCount'] ?? 0), 0))

/** The columns of `kubectl get pods`. */
export const podColumns: ReadonlyArray<Column> = [
  nameColumn,
  column('Ready', 'string', readyText),
  column('Status', 'string', statusText),
  column('Restarts', 'string', restarts),
  ageColumn,
  pathColumn('IP', 'string', 'status.podIP', { priority: 1 }),
  pathColumn('Node', 'string', 'spec.nodeName', { priority: 1 }),
  pathColumn('Nominated Node', 'string', 'status.nominatedNodeName', { priority: 1 }),
  column('Readiness Gates', 'string', () => '<none>', { priority: 1 }),
]
