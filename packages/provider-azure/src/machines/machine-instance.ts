import type { Instance, JsonObject, Labels } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import type { MachineDetails } from '../instances/index.ts'
import { azureAnnotationKeys, azureLabelKeys } from '../labels/index.ts'
import { zoneLabelOfResource } from '../offerings/index.ts'
import { providerIdOf } from '../resource-id/index.ts'
import type { AksMachine, ArmError } from '../sdk/index.ts'
import { tagKeys } from '../tags/index.ts'

/** Tags of a machine; in its properties, not beside them as with other resources. */
export const machineTagsIn = ({ properties = {} }: AksMachine): Labels => (properties['tags'] ?? {}) as Labels

/**
 * Whether a machine is one of the cluster's: it bears the tag of a NodePool, or that of a claim without one (Z-MACH-20).
 *
 * Machines of the reference need not say whose cluster they are of; the agent pool is of one.
 */
export const isOurs = (machine: AksMachine, cluster: string): boolean => {
  const tags = machineTagsIn(machine)
  if (Object.hasOwn(tags, tagKeys.cluster) && tags[tagKeys.cluster] !== cluster) return false
  return Object.hasOwn(tags, tagKeys.nodePool) || Object.hasOwn(tags, tagKeys.machineClaim)
}

/** As AKS writes it: `Creating`, `Updating`, `Succeeded`, `Failed`, `Deleting`. */
export const stateOf = ({ properties = {} }: AksMachine): string => textIn(properties, 'provisioningState')

/**
 * A machine of AKS as an instance (Z-MACH-17).
 *
 * Its provider id is that of the VM behind it. What is regular AKS does not say.
 *
 * Errors: Left with what is missing: AKS fills in a machine within the request that makes it, so that one without these
 * is none that nodes can be told by.
 */
export const instanceOfMachine = (machine: AksMachine, region: string): E.Either<string, Instance<MachineDetails>> => {
  const { id = '', name = '', zones, properties } = machine
  if (properties === undefined) return E.left(`Machine ${name} has no properties`)
  const hardware = objectIn(properties, 'hardware')
  const status = objectIn(properties, 'status')
  const found = {
    id,
    'hardware.vmSize': textIn(hardware, 'vmSize'),
    resourceId: textIn(properties, 'resourceId'),
    nodeImageVersion: textIn(properties, 'nodeImageVersion'),
    'status.creationTimestamp': textIn(status, 'creationTimestamp'),
  }
  const missing = Object.entries(found).flatMap(([field, value]) => (value === '' ? [field] : []))
  const launchedAtMs = Date.parse(found['status.creationTimestamp'])
  if (missing.length > 0 || Number.isNaN(launchedAtMs))
    return E.left(`Machine ${name} has no ${missing.length > 0 ? missing.join(', ') : 'readable creationTimestamp'}`)
  const zone = zoneLabelOfResource(region, zones)
  if (E.isLeft(zone)) return E.left(`Machine ${name}: ${zone.left}`)
  const tags = machineTagsIn(machine)
  const [nodePool, nodeClaim] = [ownIn(tags, tagKeys.nodePool), ownIn(tags, tagKeys.machineClaim)]
  const [eTag, driftAction, driftReason] = [
    textIn(properties, 'eTag'),
    textIn(status, 'driftAction'),
    textIn(status, 'driftReason'),
  ]
  const failure = provisioningErrorOf(machine)
  return E.right({
    providerId: providerIdOf(found.resourceId),
    aliases: [id],
    phase: phaseOf(stateOf(machine), textIn(status, 'vmState')),
    launchedAtMs,
    instanceType: found['hardware.vmSize'],
    zone: zone.right,
    capacityType: textIn(properties, 'priority') === 'Spot' ? 'spot' : 'on-demand',
    imageId: found.nodeImageVersion,
    owner: { ...(nodePool !== undefined && { nodePool }), ...(nodeClaim !== undefined && { nodeClaim }) },
    labels: { [azureLabelKeys.skuUltraSsd]: String(hardware['ultraSsdEnabled'] === true) },
    annotations: { [azureAnnotationKeys.machineResourceId]: id },
    details: {
      _tag: 'Machine',
      resourceId: id,
      tags,
      provisioningState: stateOf(machine),
      ...(eTag !== '' && { eTag }),
      ...(driftAction !== '' && { driftAction }),
      ...(driftReason !== '' && { driftReason }),
      ...(failure !== undefined && { failure }),
    },
  })
}

/** Why a machine could not be made, as AKS keeps it; read beside the state `Failed`. */
export const provisioningErrorOf = ({ name = '', properties = {} }: AksMachine): ArmError | undefined => {
  if (textIn(properties, 'provisioningState') !== 'Failed') return undefined
  const stated = objectIn(objectIn(properties, 'status'), 'provisioningError')
  const details = Array.isArray(stated['details']) ? (stated['details'] as ReadonlyArray<JsonObject>) : []
  const code = textIn(stated, 'code')
  const message = textIn(stated, 'message')
  return {
    action: 'Microsoft.ContainerService/managedClusters/agentPools/machines/write',
    code: code === '' ? 'MachineFailed' : code,
    message: message === '' ? `Machine ${name} failed, and AKS does not say why` : message,
    phase: 'operation',
    ...(details.length > 0 && {
      details: details.map((detail) => ({ code: textIn(detail, 'code'), message: textIn(detail, 'message') })),
    }),
  }
}

// A spot machine that was evicted, or one deleted by hand, stays as a machine without a VM (W-01).
const phaseOf = (state: string, vmState: string): Instance['phase'] => {
  if (state === 'Deleting') return 'terminating'
  if (vmState === 'Deleted') return 'stopped'
  return state === 'Creating' ? 'pending' : 'running'
}

const objectIn = (of: JsonObject, key: string): JsonObject =>
  typeof of[key] === 'object' && of[key] !== null && !Array.isArray(of[key]) ? (of[key] as JsonObject) : {}

const textIn = (of: JsonObject, key: string): string => (typeof of[key] === 'string' ? of[key] : '')

const ownIn = (tags: Labels, key: string): string | undefined => (Object.hasOwn(tags, key) ? tags[key] : undefined)
