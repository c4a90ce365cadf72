import { isAtLeast, isBefore, type Arch } from '../image/index.ts'

const mirror = 'https://acs-mirror.azureedge.net'

/** Where the provider of registry credentials comes from, where it is a program of its own (Z-BOOT-04). */
export const credentialProviderUrl = (kubernetesVersion: string, arch: Arch): string => {
  if (isBefore(kubernetesVersion, '1.30')) return ''
  const release =
    credentialProviderReleases.find(([before]) => isBefore(kubernetesVersion, before))?.[1] ?? latestCredentialProvider
  return `${mirror}/cloud-provider-azure/v${release}/binaries/azure-acr-credential-provider-linux-${arch}-v${release}.tar.gz`
}

const latestCredentialProvider = '1.33.0'
const credentialProviderReleases = [
  ['1.31', '1.30.12'],
  ['1.32', '1.31.6'],
  ['1.33', '1.32.5'],
] as const

/** Where the kubelet comes from; images know by themselves since 1.34 (Z-BOOT-03, Z-BOOT-05). */
export const kubeBinaryUrl = (kubernetesVersion: string, arch: Arch): string =>
  isAtLeast(kubernetesVersion, '1.34')
    ? ''
    : `${mirror}/kubernetes/v${kubernetesVersion}/binaries/kubernetes-node-linux-${arch}.tar.gz`

/** Where network plugins come from (Z-BOOT-05). */
export const cniUrls = (arch: Arch): { readonly azure: string; readonly plugins: string } => ({
  azure: `${mirror}/azure-cni/v1.4.32/binaries/azure-vnet-cni-linux-${arch}-v1.4.32.tgz`,
  plugins: `${mirror}/cni-plugins/v1.1.1/binaries/cni-plugins-linux-${arch}-v1.1.1.tgz`,
})
