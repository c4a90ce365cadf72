import { capacityTypes, labelKeys, type LabelPolicy } from '@scantling/core'
import { azureGroup } from '../node-class/index.ts'
import { aksDomain, azureLabelKeys, internalLabelKeys, legacyKeys, nodeLabelKeys } from './label-keys.ts'

const truth = ['true', 'false']

/** Values where there are no others; a requirement that names none of them is refused. */
const knownValues: ReadonlyMap<string, ReadonlyArray<string>> = new Map([
  // There are no reserved offerings.
  [labelKeys.capacityType, [capacityTypes.onDemand, capacityTypes.spot]],
  [azureLabelKeys.skuAcceleratedNetworking, truth],
  [azureLabelKeys.skuPremiumStorage, truth],
  [azureLabelKeys.skuUltraSsd, truth],
  [azureLabelKeys.skuGpuManufacturer, ['nvidia', 'amd']],
  [azureLabelKeys.placementScope, ['zonal', 'regional']],
  [azureLabelKeys.mode, ['system', 'user']],
  [azureLabelKeys.scaleSetPriority, ['regular', 'spot']],
  [azureLabelKeys.priority, ['regular', 'spot']],
  [azureLabelKeys.osSku, ['Ubuntu', 'AzureLinux']],
  [azureLabelKeys.fipsEnabled, ['true']],
])

/**
 * What Azure adds to the knowledge of labels (Z-LBL-01…03, Z-LBL-19).
 *
 * In `kubernetes.azure.com` users may set the keys by which agents of AKS select nodes, and no other beside the
 * well-known ones.
 */
export const labelPolicy: LabelPolicy = {
  wellKnown: [labelKeys.capacityType, ...Object.values(azureLabelKeys)].map((key) => {
    const values = knownValues.get(key)
    return { key, ...(values !== undefined && { values }) }
  }),
  restricted: [azureGroup, aksDomain, ...legacyKeys],
  allowed: [
    `${azureGroup}/aksnodeclass`,
    nodeLabelKeys.ebpfDataplane,
    `${aksDomain}/ebpf-host-routing`,
    `${aksDomain}/network-policy`,
    `${aksDomain}/hostedvm`,
  ],
  // The disk driver calls the zone of a regional machine the empty text; its Node has "0".
  aliases: { 'topology.disk.csi.azure.com/zone': labelKeys.zone },
  normalizedValues: { [labelKeys.zone]: { '': '0' } },
  internal: Object.values(internalLabelKeys),
}
