import type { KubeObject } from '../face.ts'
import { objectAt, objectsAt, stringAt, valueAtPath, type JsonObject } from '../server/json.ts'
import type { Column } from '../server/registry.ts'

/** How long ago a timestamp was, as kubectl prints it: `45s`, `3m20s`, `5h`, `12d`. */
export const renderAge = (from: unknown, nowMs: number): string => {
  if (typeof from !== 'string' || Number.isNaN(Date.parse(from))) return '<unknown>'
  const seconds = Math.floor((nowMs - Date.parse(from)) / 1000)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`
  if (minutes < 180) return `${minutes}m`
  const hours = Math.floor(minutes / 60)
  if (hours < 8) return minutes % 60 === 0 ? `${hours}h` : `${hours}h${minutes % 60}m`
  if (hours < 48) return `${hours}h`
  const days = Math.floor(hours / 24)
  if (days < 8) return hours % 24 === 0 ? `${days}d` : `${days}d${hours % 24}h`
  if (days < 2 * 365) return `${days}d`
  return `${Math.floor(days / 365)}y`
}

export const column = (
  name: string,
  type: string,
  cell: Column['cell'],
  more: { readonly priority?: number; readonly format?: string } = {},
): Column => ({ name, type, cell, ...more })

/** A column that shows the value at a dotted path, or `none` where there is none. */
export const pathColumn = (
  name: string,
  type: string,
  path: string,
  more: { readonly priority?: number; readonly none?: unknown } = {},
): Column => {
  const { none = type === 'integer' ? 0 : '<none>', ...rest } = more
  return column(name, type, (object) => valueAtPath(object, path) ?? none, rest)
}

export const nameColumn: Column = column('Name', 'string', ({ metadata }) => metadata.name, { format: 'name' })

export const ageColumn: Column = column('Age', 'string', ({ metadata }, nowMs) =>
  renderAge(metadata.creationTimestamp, nowMs),
)

export const specOf = (object: KubeObject): JsonObject | undefined => objectAt(object, 'spec')
export const statusOf = (object: KubeObject): JsonObject | undefined => objectAt(object, 'status')

/** The images and names of a pod template's containers, for `-o wide`. */
export const workloadColumns: ReadonlyArray<Column> = [
  column('Containers', 'string', (object) => containerList(object, 'name'), { priority: 1 }),
  column('Images', 'string', (object) => containerList(object, 'image'), { priority: 1 }),
  column('Selector', 'string', (object) => selectorText(specOf(object)?.['selector']), { priority: 1 }),
]

const containerList = (object: KubeObject, key: string): string => {
  const template = objectAt(objectAt(specOf(object), 'template'), 'spec')
  return objectsAt(template, 'containers')
    .map((container) => stringAt(container, key) ?? '')
    .join(',')
}

const selectorText = (selector: unknown): string => {
  const labels = valueAtPath(selector, 'matchLabels')
  if (typeof labels !== 'object' || labels === null) return '<none>'
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(',')
}
