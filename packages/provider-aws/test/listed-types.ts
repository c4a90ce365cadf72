import type { InstanceTypeInfo } from '@aws-sdk/client-ec2'
import { Requirement, type InstanceType } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import {
  catalogueOf,
  createInstanceTypes,
  type InstanceTypesInput,
  type InstanceTypesSettings,
} from '../src/instance-types/index.ts'
import { initialPrices } from '../src/pricing/index.ts'
import { nodeClass, recordedTypes, resolvedStatus, typeInfo } from './subjects.ts'

const zones = ['eu-west-1a', 'eu-west-1b', 'eu-west-1c']
/** These types, sold in all of these zones. */
export const catalogueWith = (types: ReadonlyArray<InstanceTypeInfo>, places: ReadonlyArray<string> = zones) =>
  catalogueOf(
    types,
    types.flatMap(({ InstanceType }) => places.map((zone) => ({ type: String(InstanceType), zone }))),
  )
/** Every type costs the same. */
export const prices = initialPrices(
  {
    source: 'test',
    byRegion: new Map([['us-east-1', new Map(recordedTypes.map(({ InstanceType }) => [String(InstanceType), 1]))]]),
  },
  'us-east-1',
)
export const settings: InstanceTypesSettings = {
  region: 'eu-west-1',
  vmMemoryOverheadPercent: 0.075,
  reservedEnis: 0,
  allowsExpressions: true,
  usesReservations: true,
}
/** All recorded types for a NodeClass that has everything, and leastInput in their way. */
export const leastInput: InstanceTypesInput = {
  nodeClass: nodeClass({}, resolvedStatus),
  catalogue: catalogueWith(recordedTypes),
  prices,
  shiftedZoneIds: new Set(),
  exhaustedSubnetIds: new Set(),
  reservationCounts: new Map(),
}
/** What the provider lists; `changes` are laid over its settings. */
export const listOf = (input: Partial<InstanceTypesInput> = {}, changes: Partial<InstanceTypesSettings> = {}) =>
  createInstanceTypes({ ...settings, ...changes }).of({ ...leastInput, ...input })
/** The same, which must succeed. */
export const typesOf = (...args: Parameters<typeof listOf>): ReadonlyArray<InstanceType> => {
  const found = listOf(...args)
  if (E.isLeft(found)) throw new Error(found.left.message)
  return found.right
}
/** One type as a NodeClass with this spec sees it. */
export const typeOf = (
  name: string,
  spec: Readonly<Record<string, unknown>> = {},
  changes: Partial<InstanceTypesSettings> = {},
  info: Partial<InstanceTypeInfo> = {},
): InstanceType => {
  const [found] = typesOf(
    { nodeClass: nodeClass(spec, resolvedStatus), catalogue: catalogueWith([typeInfo(name, info)]) },
    changes,
  )
  if (found === undefined) throw new Error(`${name} is not among the types`)
  return found
}
/** The spec of a NodeClass of this image family. */
export const family = (amiFamily: string) => ({ amiFamily, amiSelectorTerms: [{ id: 'ami-1' }] })
/** The values that a type's requirement allows; `undefined`: it has none of the key. */
export const valuesOf = (type: InstanceType, key: string) => {
  const requirement = type.requirements.byKey.get(key)
  return requirement === undefined ? undefined : Requirement.sortedValues(requirement)
}
