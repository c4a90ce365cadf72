import {
  labelKeys,
  Quantity,
  Requirement,
  Requirements,
  Resources,
  Taints,
  type InstanceType,
  type JsonObject,
  type Labels,
  type NodeClaimFacts,
  type Taint,
} from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { familyOf } from '../image/index.ts'
import { gpuDriverTypeOf, gpuManufacturerOf } from '../instance-types/index.ts'
import { azureLabelKeys } from '../labels/index.ts'
import {
  installsGpuDriver,
  isFips,
  localDnsForWire,
  maxPodsOf,
  streamsArtifacts,
  type AksNodeClass,
} from '../node-class/index.ts'
import type { AzureSettings } from '../settings.ts'
import { aksKubeletConfig, aksLinuxOsConfig, aksLocalDnsProfile } from './aks-config.ts'

/** What the service is asked with. */
export interface NodeBootstrappingInput {
  readonly claim: Pick<NodeClaimFacts, 'taints' | 'startupTaints'>
  readonly nodeClass: AksNodeClass
  readonly type: InstanceType
  /** As `nodeLabels` gives them. */
  readonly labels: Labels
  readonly kubernetesVersion: string
  /** As `distroOf` names the image. */
  readonly distro: string
  readonly isEphemeralOsDisk: boolean
  readonly settings: Pick<
    AzureSettings,
    'networkPlugin' | 'networkPluginMode' | 'vmMemoryOverheadPercent' | 'vnetSubnetId'
  >
}

// Numbers of the service's own.
const linux = 2
const localUser = 0
const osSkus = { Ubuntu: 1, AzureLinux: 7 } as const
const modes = { system: 1, user: 2 } as const
const drivers = { grid: 2, cuda: 3 } as const

/** How long the service may take (Z-NPS-01). */
export const nodeBootstrappingTimeoutMs = 30_000

/** The path of the service, below its address (Z-NPS-01). */
export const nodeBootstrappingPath = (subscription: string, clusterResourceGroup: string, cluster: string): string =>
  `/subscriptions/${subscription}/resourceGroups/${clusterResourceGroup}/providers/Microsoft.ContainerService/managedclusters/${cluster}/nodeBootstrapping`

/** The taints with which a node of AKS starts, beside those that stay: start-up ones and the unregistered mark. */
const initialTaintsOf = ({ taints, startupTaints }: NodeBootstrappingInput['claim']): ReadonlyArray<Taint> =>
  taints.some((taint) => taint.key === Taints.unregisteredTaint.key && taint.effect === Taints.unregisteredTaint.effect)
    ? startupTaints
    : Taints.merge(startupTaints, [Taints.unregisteredTaint])

/** The body of the request to AKS’ bootstrapping service (Z-NPS-03, Z-NPS-04, Z-GPU-05). */
export const provisionValuesOf = (input: NodeBootstrappingInput): JsonObject => {
  const { claim, nodeClass, type, labels, kubernetesVersion, distro, isEphemeralOsDisk, settings } = input
  const { spec } = nodeClass
  const isArm = Requirement.has(Requirements.get(type.requirements, labelKeys.arch), 'arm64')
  const { vtpm, secureBoot } = spec.security?.trustedLaunch ?? {}
  const kubelet = aksKubeletConfig(spec.kubelet)
  const linuxOs = aksLinuxOsConfig(spec.linuxOSConfig)
  const localDns = aksLocalDnsProfile(localDnsForWire(nodeClass))
  const isNvidia = gpuManufacturerOf(type.name) === 'nvidia'
  return {
    provisionProfile: {
      name: '',
      architecture: isArm ? 'Arm64' : 'x64',
      osType: linux,
      osSku: osSkus[familyOf(nodeClass, kubernetesVersion).os],
      vmSize: type.name,
      distro,
      customNodeLabels: labels,
      orchestratorVersion: kubernetesVersion,
      vnetSubnetID: spec.vnetSubnetID ?? settings.vnetSubnetId,
      vnetCidrs: [],
      storageProfile: isEphemeralOsDisk ? 'Ephemeral' : 'ManagedDisks',
      nodeTaints: claim.taints.map(Taints.render),
      nodeInitializationTaints: initialTaintsOf(claim).map(Taints.render),
      securityProfile: {
        sshAccess: localUser,
        ...(vtpm !== undefined && { enableVTPM: vtpm }),
        ...(secureBoot !== undefined && { enableSecureBoot: secureBoot }),
      },
      maxPods: maxPodsOf(nodeClass, settings),
      enableFIPS: isFips(nodeClass),
      artifactStreamingProfile: { enabled: streamsArtifacts(nodeClass, isArm ? 'arm64' : 'amd64') },
      ...(localDns !== undefined && { localDNSProfile: localDns }),
      ...(linuxOs !== undefined && { customLinuxOSConfig: linuxOs }),
      ...(kubelet !== undefined && { customKubeletConfig: kubelet }),
      mode: labels[azureLabelKeys.mode] === 'system' ? modes.system : modes.user,
      ...(isNvidia && {
        gpuProfile: {
          driverType: gpuDriverTypeOf(type.name) === 'grid' ? drivers.grid : drivers.cuda,
          installGPUDriver: installsGpuDriver(nodeClass),
        },
      }),
    },
    provisionHelperValues: {
      skuCPU: Quantity.toNumber(Resources.get(type.capacity, 'cpu')),
      skuMemory: skuMemoryGibOf(
        Quantity.toNumber(Resources.get(type.capacity, 'memory')),
        settings.vmMemoryOverheadPercent,
      ),
    },
  }
}

/** The memory of a size, from what is left of it without the hypervisor’s share: whole GiB, rounded up (Z-NPS-04). */
export const skuMemoryGibOf = (bytes: number, overheadPercent: number): number =>
  Math.ceil(bytes / (1 - overheadPercent) / 2 ** 30)

/** What the service answers with, ready for a VM. */
export interface NodeBootstrapping {
  /** In base64. */
  readonly customData: string
  /** The command of the custom script extension. */
  readonly cse: string
}

const placeholder = '{{.TokenID}}.{{.TokenSecret}}'

/**
 * Reads the service’s answer and puts the bootstrap token where it belongs (Z-NPS-01, Z-NPS-02).
 *
 * Errors: Left when a part is missing, or when the custom data is no base64.
 */
export const readNodeBootstrapping = (answer: unknown, bootstrapToken: string): E.Either<string, NodeBootstrapping> => {
  const { cse, customData } = (answer ?? {}) as { readonly cse?: unknown; readonly customData?: unknown }
  if (typeof cse !== 'string' || cse === '') return E.left('The bootstrapping service answered without cse')
  if (typeof customData !== 'string' || customData === '')
    return E.left('The bootstrapping service answered without customData')
  if (!/^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(customData))
    return E.left('The bootstrapping service answered with customData that is not base64')
  const decoded = Buffer.from(customData, 'base64').toString('utf8')
  return E.right({
    cse: cse.replaceAll(placeholder, () => bootstrapToken),
    customData: Buffer.from(
      decoded.replaceAll(placeholder, () => bootstrapToken),
      'utf8',
    ).toString('base64'),
  })
}
