import type { VirtualMachine } from '@azure/arm-compute'
import type { Labels } from '@scantling/core'
import { isCommunityImage } from '../image/index.ts'
import { diffDiskSettingsFor } from '../instance-types/index.ts'
import { hasTrustedLaunch, type AksNodeClass } from '../node-class/index.ts'
import { armZonesOf } from '../offerings/index.ts'
import type { AzureSettings } from '../settings.ts'
import type { LaunchPlan } from './plan.ts'

/** What a VM is made from. */
export interface VmInput {
  /** Of VM, disk and host alike. */
  readonly name: string
  readonly nodeClass: AksNodeClass
  readonly plan: LaunchPlan
  readonly tags: Labels
  /** ID of its network interface. */
  readonly networkInterface: string
  /** In base64. */
  readonly customData: string
  readonly settings: Pick<
    AzureSettings,
    'diskEncryptionSetId' | 'linuxAdminUsername' | 'location' | 'nodeIdentities' | 'sshPublicKey'
  >
}

/** The body of a VM (Z-VM-04…11). */
export const vmBodyOf = (input: VmInput): VirtualMachine => {
  const { name, nodeClass, plan, tags, networkInterface, customData, settings } = input
  const security = securityProfileOf(nodeClass)
  return {
    location: settings.location,
    zones: [...armZonesOf(plan.zone)],
    tags: { ...tags },
    ...(settings.nodeIdentities.length > 0 && { identity: identityOf(settings.nodeIdentities) }),
    hardwareProfile: { vmSize: plan.type.name },
    storageProfile: {
      imageReference: isCommunityImage(plan.imageId) ? { communityGalleryImageId: plan.imageId } : { id: plan.imageId },
      osDisk: osDiskOf(input),
    },
    networkProfile: { networkInterfaces: [{ id: networkInterface, primary: true, deleteOption: 'Delete' }] },
    osProfile: {
      adminUsername: settings.linuxAdminUsername,
      computerName: name,
      linuxConfiguration: {
        disablePasswordAuthentication: true,
        ssh: {
          publicKeys: [
            { path: `/home/${settings.linuxAdminUsername}/.ssh/authorized_keys`, keyData: settings.sshPublicKey },
          ],
        },
      },
      customData,
    },
    // What a spot machine costs at most: what it costs on demand.
    ...(plan.capacityType === 'spot'
      ? { priority: 'Spot', evictionPolicy: 'Delete', billingProfile: { maxPrice: -1 } }
      : { priority: 'Regular' }),
    ...(security !== undefined && { securityProfile: security }),
    ...(plan.ultraSsd && { additionalCapabilities: { ultraSSDEnabled: true } }),
  }
}

/** Identities as a VM has them: names without values. */
export const identityOf = (ids: ReadonlyArray<string>): NonNullable<VirtualMachine['identity']> => ({
  type: 'UserAssigned',
  userAssignedIdentities: Object.fromEntries(ids.map((id) => [id, {}])),
})

const osDiskOf = ({
  name,
  nodeClass: { spec },
  plan,
  settings,
}: VmInput): NonNullable<NonNullable<VirtualMachine['storageProfile']>['osDisk']> => {
  const local = diffDiskSettingsFor(plan.sku.ephemeralOsDisk, spec.osDiskSizeGB)
  return {
    name,
    diskSizeGB: spec.osDiskSizeGB,
    createOption: 'FromImage',
    deleteOption: 'Delete',
    ...(local !== undefined && { diffDiskSettings: local, caching: 'ReadOnly' }),
    ...(settings.diskEncryptionSetId !== '' && {
      managedDisk: { diskEncryptionSet: { id: settings.diskEncryptionSetId } },
    }),
  }
}

const securityProfileOf = (nodeClass: AksNodeClass): VirtualMachine['securityProfile'] => {
  const { encryptionAtHost, trustedLaunch } = nodeClass.spec.security ?? {}
  const isTrusted = hasTrustedLaunch(nodeClass)
  if (encryptionAtHost === undefined && !isTrusted) return undefined
  const { secureBoot, vtpm } = trustedLaunch ?? {}
  return {
    ...(encryptionAtHost !== undefined && { encryptionAtHost }),
    ...(isTrusted && {
      securityType: 'TrustedLaunch',
      uefiSettings: {
        ...(secureBoot !== undefined && { secureBootEnabled: secureBoot }),
        ...(vtpm !== undefined && { vTpmEnabled: vtpm }),
      },
    }),
  }
}
