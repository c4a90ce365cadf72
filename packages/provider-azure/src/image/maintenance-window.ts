import { Time, type ClusterFacts, type ClusterRead, type JsonObject } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'

/** The ConfigMap in which AKS announces the next maintenance window, in the cluster of the controller (Z-IMG-11). */
export const maintenanceWindowRead: ClusterRead = {
  as: 'maintenanceWindow',
  apiVersion: 'v1',
  plural: 'configmaps',
  namespace: '$system',
  name: 'upcoming-maintenance-window',
  cluster: 'host',
}

const startKey = 'aksManagedNodeOSUpgradeSchedule-start'
const endKey = 'aksManagedNodeOSUpgradeSchedule-end'

/**
 * Whether images may be brought up to date now (Z-IMG-11).
 *
 * Without a window any time will do. Errors: Left when the read failed, or for a window with one end or with an end that
 * is no instant.
 */
export const isMaintenanceWindowOpen = (objects: ClusterFacts['objects'], nowMs: number): E.Either<string, boolean> => {
  const found = Object.hasOwn(objects, maintenanceWindowRead.as) ? objects[maintenanceWindowRead.as] : undefined
  if (found === undefined) return E.right(true)
  if (E.isLeft(found)) return E.left(`Cannot read the maintenance window: ${found.left}`)
  const data = found.right[0]?.['data'] as JsonObject | undefined
  const start = textOf(data, startKey)
  const end = textOf(data, endKey)
  if (start === '' && end === '') return E.right(true)
  const name = `ConfigMap ${maintenanceWindowRead.name}`
  if (start === '' || end === '')
    return E.left(
      `Cannot use ${name}: it has ${start === '' ? endKey : startKey} without ${start === '' ? startKey : endKey}`,
    )
  const [startMs, endMs] = [Time.parseInstant(start), Time.parseInstant(end)]
  if (E.isLeft(startMs)) return E.left(`Cannot use ${name}: ${startKey}: ${startMs.left}`)
  if (E.isLeft(endMs)) return E.left(`Cannot use ${name}: ${endKey}: ${endMs.left}`)
  return E.right(startMs.right < nowMs && nowMs < endMs.right)
}

const textOf = (data: JsonObject | undefined, key: string): string => {
  const value = data !== undefined && Object.hasOwn(data, key) ? data[key] : undefined
  return typeof value === 'string' ? value : ''
}
