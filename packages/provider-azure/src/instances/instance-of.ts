import type { VirtualMachine } from '@azure/arm-compute'
import type { Instance, Labels } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { azureLabelKeys } from '../labels/index.ts'
import { zoneLabelOfResource } from '../offerings/index.ts'
import { providerIdOf } from '../resource-id/index.ts'
import { tagKeys } from '../tags/index.ts'
import type { VmDetails } from './details.ts'
import { claimNameOfVm } from './vm-name.ts'

/**
 * A VM as an instance (Z-CP-09).
 *
 * Whose it is, is told by its name and tags; what it is, by what was asked for. Errors: Left for one without an id, a
 * size or a zone that can be told.
 */
export const instanceOfVm = (vm: VirtualMachine): E.Either<string, Instance<VmDetails>> => {
  const { id = '', name = '', location, zones, hardwareProfile, priority, additionalCapabilities, timeCreated } = vm
  const instanceType = hardwareProfile?.vmSize ?? ''
  if (id === '' || name === '' || instanceType === '')
    return E.left(`VM ${name === '' ? id : name} has no ${id === '' ? 'id' : name === '' ? 'name' : 'size'}`)
  const zone = zoneLabelOfResource(location, zones)
  if (E.isLeft(zone)) return E.left(`VM ${name}: ${zone.left}`)
  const tags = vm.tags ?? {}
  const nodePool = Object.hasOwn(tags, tagKeys.nodePool) ? tags[tagKeys.nodePool] : undefined
  const nodeClaim = claimNameOfVm(name)
  const imageId = imageIdOf(vm)
  return E.right({
    providerId: providerIdOf(id),
    phase: phaseOf(vm.provisioningState),
    // Without it the shell counts from when it first saw the machine; the reference starts anew each time (W-19).
    ...(timeCreated !== undefined && { launchedAtMs: timeCreated.getTime() }),
    instanceType,
    zone: zone.right,
    capacityType: priority === 'Spot' ? 'spot' : 'on-demand',
    ...(imageId !== undefined && { imageId }),
    owner: { ...(nodePool !== undefined && { nodePool }), ...(nodeClaim !== undefined && { nodeClaim }) },
    labels: { [azureLabelKeys.skuUltraSsd]: String(additionalCapabilities?.ultraSSDEnabled === true) },
    details: {
      _tag: 'Vm',
      resourceId: id,
      tags: { ...tags } as Labels,
      identities: Object.keys(vm.identity?.userAssignedIdentities ?? {}),
      provisioningState: vm.provisioningState ?? '',
      extensions: (vm.resources ?? []).flatMap((one) => lastSegment(one.id ?? one.name) ?? []),
    },
  })
}

const phaseOf = (state: string | undefined): Instance['phase'] =>
  state === 'Deleting' ? 'terminating' : state === 'Creating' ? 'pending' : 'running'

const imageIdOf = ({ storageProfile }: VirtualMachine): string | undefined => {
  const { id, communityGalleryImageId, sharedGalleryImageId, publisher, offer, sku, version } =
    storageProfile?.imageReference ?? {}
  return (
    id ??
    communityGalleryImageId ??
    sharedGalleryImageId ??
    (publisher === undefined ? undefined : [publisher, offer, sku, version].join(':'))
  )
}

const lastSegment = (text: string | undefined): string | undefined => text?.slice(text.lastIndexOf('/') + 1)
