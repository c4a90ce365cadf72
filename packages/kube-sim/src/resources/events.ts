import type { KubeObject } from '../face.ts'
import { objectAt, stringAt, type JsonObject } from '../server/json.ts'
import type { ResourceType, ServedAlias } from '../server/registry.ts'
import { column, renderAge } from './columns.ts'
import { define } from './define.ts'

/** Events are stored in their core form and served by `events.k8s.io`, too. */
export const eventsAlias: ReadonlyArray<ServedAlias> = [{ group: 'events.k8s.io', version: 'v1' }]

// The two forms differ in names only: core field, events.k8s.io field.
const renamed: ReadonlyArray<readonly [string, string]> = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['reportingComponent', 'reportingController'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
]

const rename = (object: JsonObject, from: 0 | 1, to: 0 | 1): JsonObject => {
  const result = { ...object }
  for (const names of renamed) {
    const value = result[names[from]]
    delete result[names[from]]
    if (value !== undefined) result[names[to]] = value
  }
  return result
}

const lastSeen = (event: KubeObject): unknown =>
  objectAt(event, 'series')?.['lastObservedTime'] ??
  event['lastTimestamp'] ??
  event['eventTime'] ??
  event.metadata.creationTimestamp

/** Events of both API groups. */
export const eventType: ResourceType = define('v1', 'Event', 'events', {
  shortNames: ['ev'],
  selectableFields: [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  conversion: {
    toStorage: (object) => ({ ...rename(object, 1, 0), apiVersion: 'v1' }),
    fromStorage: (object, apiVersion) =>
      ({ ...rename(object as unknown as JsonObject, 0, 1), apiVersion }) as unknown as KubeObject,
  },
  allColumns: [
    column('Last Seen', 'string', (event, nowMs) => renderAge(lastSeen(event), nowMs)),
    column('Type', 'string', (event) => event['type'] ?? ''),
    column('Reason', 'string', (event) => event['reason'] ?? ''),
    column('Object', 'string', (event) => {
      const involved = objectAt(event, 'involvedObject')
      return `${(stringAt(involved, 'kind') ?? '').toLowerCase()}/${stringAt(involved, 'name') ?? ''}`
    }),
    column('Message', 'string', (event) => String(event['message'] ?? '').trim()),
    column('Source', 'string', (event) => stringAt(objectAt(event, 'source'), 'component') ?? '', { priority: 1 }),
    column('Count', 'integer', (event) => event['count'] ?? 1, { priority: 1 }),
    column('Name', 'string', ({ metadata }) => metadata.name, { priority: 1, format: 'name' }),
  ],
})
