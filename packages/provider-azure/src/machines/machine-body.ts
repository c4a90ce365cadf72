import {
  bootTaints,
  labelKeys,
  Requirement,
  Requirements,
  Taints,
  type InstanceType,
  type JsonObject,
  type Labels,
  type NodeClaimFacts,
  type Offering,
} from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { aksKubeletConfig, aksLinuxOsConfig, aksLocalDnsProfile, machineLabels, modeOf } from '../bootstrap/index.ts'
import { machineOsSkuOf, nodeImageVersionOf } from '../image/index.ts'
import { gpuManufacturerOf, machineOsDiskTypeFor, type Sku } from '../instance-types/index.ts'
import { installsGpuDriver, isFips, localDnsForWire, streamsArtifacts, type AksNodeClass } from '../node-class/index.ts'
import { armZonesOf } from '../offerings/index.ts'
import type { AksMachine } from '../sdk/index.ts'

/** What a machine of AKS is made from. */
export interface MachineInput {
  readonly claim: Pick<NodeClaimFacts, 'labels' | 'requirements' | 'taints' | 'startupTaints'>
  readonly nodeClass: AksNodeClass
  readonly type: InstanceType
  readonly sku: Pick<Sku, 'ephemeralOsDisk'>
  readonly offering: Offering
  readonly zone: string
  readonly capacityType: string
  readonly ultraSsd: boolean
  readonly kubernetesVersion: string
  /** ID of the image, in the shared gallery. */
  readonly imageId: string
  readonly tags: Labels
}

/**
 * The body of a machine (Z-MACH-06…13, Z-GPU-05, Z-EPH-04).
 *
 * What the class leaves open AKS fills in by the pool. Errors: Left for an image of a community gallery, which machines
 * cannot boot.
 */
export const machineBodyOf = (input: MachineInput): E.Either<string, AksMachine> => {
  const { claim, nodeClass, type, sku, zone, capacityType, ultraSsd, kubernetesVersion, imageId, tags } = input
  const { spec } = nodeClass
  const nodeImageVersion = nodeImageVersionOf(imageId)
  if (nodeImageVersion === undefined)
    return E.left(`Cannot make a machine of image ${imageId}: expected one of the shared galleries, with --use-sig`)
  const localDns = aksLocalDnsProfile(localDnsForWire(nodeClass))
  const linuxOsConfig = aksLinuxOsConfig(spec.linuxOSConfig)
  const kubeletConfig = aksKubeletConfig(spec.kubelet)
  const arch = Requirement.singleValue(Requirements.get(type.requirements, labelKeys.arch)) ?? ''
  const hasGpu = gpuManufacturerOf(type.name) !== undefined
  const properties: JsonObject = {
    nodeImageVersion,
    network: spec.vnetSubnetID === undefined ? {} : { vnetSubnetID: spec.vnetSubnetID },
    hardware: {
      vmSize: type.name,
      ultraSsdEnabled: ultraSsd,
      ...(hasGpu && { gpuProfile: { driver: installsGpuDriver(nodeClass) ? 'Install' : 'None' } }),
    },
    operatingSystem: {
      osType: 'Linux',
      osSKU: machineOsSkuOf(nodeClass, kubernetesVersion),
      osDiskSizeGB: spec.osDiskSizeGB,
      osDiskType: machineOsDiskTypeFor(sku.ephemeralOsDisk, spec.osDiskSizeGB),
      enableFIPS: isFips(nodeClass),
      ...(linuxOsConfig !== undefined && { linuxProfile: { linuxOSConfig: linuxOsConfig } }),
    },
    kubernetes: {
      nodeLabels: machineLabels(input),
      orchestratorVersion: kubernetesVersion,
      // AKS watches over taints of pools, and refuses some of them; those that a node starts with it leaves alone.
      nodeInitializationTaints: [...new Set(bootTaints(claim).map(Taints.render))],
      nodeTaints: [],
      ...(kubeletConfig !== undefined && { kubeletConfig }),
      ...(spec.maxPods !== undefined && { maxPods: spec.maxPods }),
      ...(streamsArtifacts(nodeClass, arch) && { artifactStreamingProfile: { enabled: true } }),
    },
    mode: modeOf(input),
    security: {
      sshAccess: 'LocalUser',
      enableEncryptionAtHost: spec.security?.encryptionAtHost === true,
      enableVTPM: spec.security?.trustedLaunch?.vtpm === true,
      enableSecureBoot: spec.security?.trustedLaunch?.secureBoot === true,
    },
    priority: capacityType === 'spot' ? 'Spot' : 'Regular',
    tags,
    ...(localDns !== undefined && { localDNSProfile: localDns }),
  }
  return E.right({ zones: armZonesOf(zone), properties })
}
