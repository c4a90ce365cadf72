import type { AksNodeClass, LocalDns } from './aks-node-class.ts'

type Spec = Pick<AksNodeClass, 'spec'>

/** Whether trusted launch is on: one of its parts is (Z-API-12). */
export const hasTrustedLaunch = ({ spec }: Spec): boolean =>
  spec.security?.trustedLaunch?.vtpm === true || spec.security?.trustedLaunch?.secureBoot === true

/** Whether nodes run FIPS-validated modules; unset means no (Z-API-06). */
export const isFips = ({ spec }: Spec): boolean => spec.fipsMode === 'FIPS'

/** Whether GPU drivers are installed: unless `None` is asked for (Z-API-16). */
export const installsGpuDriver = ({ spec }: Spec): boolean => spec.gpu?.mode !== 'None'

/** Whether images are streamed: asked for, and not on arm64, where there is none (Z-API-17). */
export const streamsArtifacts = ({ spec }: Spec, arch: string): boolean =>
  spec.artifactStreaming?.enabled === true && arch !== 'arm64'

/** Whether nodes serve DNS: what the status resolved to, for the spec alone does not say. */
export const hasLocalDns = ({ status }: Pick<AksNodeClass, 'status'>): boolean => status.localDNSState === 'Enabled'

/**
 * The local DNS settings to send to AKS, which knows no resolved state (Z-API-23).
 *
 * `Preferred` is never sent: what the status resolved it to is, so that AKS cannot decide otherwise.
 */
export const localDnsForWire = ({ spec, status }: Pick<AksNodeClass, 'spec' | 'status'>): LocalDns | undefined =>
  spec.localDNS?.mode === 'Preferred'
    ? { ...spec.localDNS, mode: status.localDNSState === 'Enabled' ? 'Required' : 'Disabled' }
    : spec.localDNS

/**
 * Most pods on a node: the class's own, else by network plugin (Z-CAP-07).
 *
 * Source: https://learn.microsoft.com/azure/aks/concepts-network-ip-address-planning
 */
export const maxPodsOf = (
  { spec }: Spec,
  network: { readonly networkPlugin: string; readonly networkPluginMode: string },
): number => {
  if (spec.maxPods !== undefined) return spec.maxPods
  if (network.networkPlugin === 'none') return 250
  if (network.networkPlugin !== 'azure') return 110
  if (network.networkPluginMode === 'overlay') return 250
  return network.networkPluginMode === '' ? 30 : 110
}
