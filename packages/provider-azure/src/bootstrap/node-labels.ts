import {
  bootLabels,
  claimLabels,
  kubeletLabelKeys,
  labelKeys,
  Requirement,
  type InstanceType,
  type Labels,
  type NodeClaimFacts,
  type Offering,
} from '@scantling/core'
import { familyOf, isAtLeast } from '../image/index.ts'
import { azureLabelKeys, clusterLabelOf, isAksLabel, labelPolicy, nodeLabelKeys, osSkuOf } from '../labels/index.ts'
import { hasLocalDns, isFips, streamsArtifacts, type AksNodeClass } from '../node-class/index.ts'
import { parseSubnetId } from '../resource-id/index.ts'
import type { AzureSettings } from '../settings.ts'

/** What the labels of a node depend on. */
export interface NodeLabelsInput {
  readonly claim: Pick<NodeClaimFacts, 'labels' | 'requirements'>
  readonly nodeClass: AksNodeClass
  readonly kubernetesVersion: string
  readonly type: InstanceType
  /** The offering that is bought. */
  readonly offering: Offering
  /** Whether the node is to have ultra disks: the choice among what the offering allows. */
  readonly ultraSsd: boolean
  readonly settings: Pick<
    AzureSettings,
    | 'kubeletIdentityClientId'
    | 'networkDataplane'
    | 'networkPlugin'
    | 'networkPluginMode'
    | 'nodeResourceGroup'
    | 'vnetGuid'
    | 'vnetSubnetId'
  >
}

/**
 * The labels with which a kubelet registers its Node on the VM path (Z-LBL-15…17).
 *
 * Those of AKS first; over them the claim's labels and requirements, then what the type and the offering decide.
 * Without keys that a kubelet may not set.
 */
export const nodeLabels = (input: NodeLabelsInput): Labels => ({ ...aksLabels(input), ...chosenLabels(input) })

/**
 * The labels to hand to AKS on the machine path: none of its own, none that the kubelet finds out by itself (Z-MACH-11).
 */
export const machineLabels = (input: Omit<NodeLabelsInput, 'settings' | 'kubernetesVersion' | 'nodeClass'>): Labels => {
  const chosen = chosenLabels(input)
  return Object.fromEntries(Object.entries(chosen).filter(([key]) => !isAksLabel(key) && !kubeletLabelKeys.has(key)))
}

/** The mode of the pool that the labels ask for (Z-MACH-11). */
export const modeOf = (
  input: Omit<NodeLabelsInput, 'settings' | 'kubernetesVersion' | 'nodeClass'>,
): 'System' | 'User' => (chosenLabels(input)[azureLabelKeys.mode] === 'system' ? 'System' : 'User')

const chosenLabels = ({
  claim,
  type,
  offering,
  ultraSsd,
}: Pick<NodeLabelsInput, 'claim' | 'type' | 'offering' | 'ultraSsd'>): Labels => {
  const labels = bootLabels(claim, {
    ...claimLabels(type, offering, labelPolicy),
    [azureLabelKeys.skuUltraSsd]: String(ultraSsd),
  })
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !(labelPolicy.internal ?? []).includes(key)))
}

const aksLabels = ({ nodeClass, kubernetesVersion, type, settings }: NodeLabelsInput): Labels => {
  const { networkPlugin, networkPluginMode, networkDataplane, vnetGuid, vnetSubnetId } = settings
  const { imageFamily, vnetSubnetID } = nodeClass.spec
  const isOverlay = networkPlugin === 'azure' && networkPluginMode === 'overlay'
  const arch = claimLabels(type, { requirements: { byKey: new Map() } })[labelKeys.arch] ?? ''
  return {
    [nodeLabelKeys.role]: 'agent',
    [azureLabelKeys.cluster]: clusterLabelOf(settings.nodeResourceGroup),
    [nodeLabelKeys.kubeletIdentityClientId]: settings.kubeletIdentityClientId,
    [azureLabelKeys.mode]: 'user',
    // Taints come with the kubelet: taking them from the claim as well would bring back those that agents removed.
    [labelKeys.doNotSyncTaints]: 'true',
    [azureLabelKeys.scaleSetPriority]: 'regular',
    [azureLabelKeys.priority]: 'regular',
    [azureLabelKeys.osSku]: osSkuOf(imageFamily),
    [nodeLabelKeys.osSkuRequested]: imageFamily,
    [nodeLabelKeys.osSkuEffective]: familyOf(nodeClass, kubernetesVersion).name,
    ...(isFips(nodeClass) && { [azureLabelKeys.fipsEnabled]: 'true' }),
    [nodeLabelKeys.localDnsState]: hasLocalDns(nodeClass) ? 'enabled' : 'disabled',
    ...(streamsArtifacts(nodeClass, arch) && { [nodeLabelKeys.artifactStreaming]: 'true' }),
    ...(isOverlay && {
      [nodeLabelKeys.subnetName]: parseSubnetId(vnetSubnetID ?? vnetSubnetId)?.subnet ?? '',
      [nodeLabelKeys.vnetGuid]: vnetGuid,
      [nodeLabelKeys.azureCniOverlay]: 'true',
      [nodeLabelKeys.podNetworkType]: 'overlay',
      [nodeLabelKeys.statelessCni]: String(isAtLeast(kubernetesVersion, '1.34')),
    }),
    ...(networkDataplane === 'cilium' && { [nodeLabelKeys.ebpfDataplane]: 'cilium' }),
  }
}

/**
 * The labels of a launched claim that do not follow from type and offering: the choice of disks, and what of Azure's own
 * keys its requirements decide (Z-LBL-18). For `Instance.labels`; the shell adds the rest.
 */
export const labelsOfLaunched = (claim: Pick<NodeClaimFacts, 'requirements'>, ultraSsd: boolean): Labels => {
  const labels: Record<string, string> = { [azureLabelKeys.skuUltraSsd]: String(ultraSsd) }
  for (const key of Object.values(azureLabelKeys)) {
    const requirement = claim.requirements.byKey.get(key)
    const value = requirement === undefined ? undefined : Requirement.singleValue(requirement)
    if (value !== undefined && key !== azureLabelKeys.skuUltraSsd) labels[key] = value
  }
  return labels
}
