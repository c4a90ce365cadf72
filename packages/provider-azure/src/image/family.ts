import { hasTrustedLaunch, isFips, type AksNodeClass } from '../node-class/index.ts'
import { isAtLeast } from './kubernetes-version.ts'

export type Arch = 'amd64' | 'arm64'

/** One image that AKS publishes: what can boot it, and its name for the bootstrapping service. */
export interface ImageDefinition {
  readonly name: string
  readonly arch: Arch
  readonly hyperVGeneration: '1' | '2'
  readonly distro: string
}

/** Where AKS publishes the images of an operating system. */
export interface Gallery {
  /** Public name of the community gallery. */
  readonly community: string
  /** Of the shared gallery. */
  readonly resourceGroup: string
  readonly name: string
}

/** A family of images, as it resolved: one release of one operating system. */
export interface ImageFamily {
  readonly name: 'Ubuntu' | 'Ubuntu2204' | 'Ubuntu2404' | 'AzureLinux2' | 'AzureLinux3'
  readonly os: 'Ubuntu' | 'AzureLinux'
  readonly gallery: Gallery
  /** Best first. FIPS ones are in the shared gallery alone. */
  readonly plain: ReadonlyArray<ImageDefinition>
  readonly trustedLaunch: ReadonlyArray<ImageDefinition>
  readonly fips: ReadonlyArray<ImageDefinition>
  readonly fipsTrustedLaunch: ReadonlyArray<ImageDefinition>
}

const ubuntuGallery: Gallery = {
  community: 'AKSUbuntu-38d80f77-467a-481f-a8d4-09b6d4220bd2',
  resourceGroup: 'AKS-Ubuntu',
  name: 'AKSUbuntu',
}
const azureLinuxGallery: Gallery = {
  community: 'AKSAzureLinux-f7c7cda5-1c9a-4bdc-a222-9614c968580b',
  resourceGroup: 'AKS-AzureLinux',
  name: 'AKSAzureLinux',
}

const gen2 = (name: string, distro: string): ImageDefinition => ({ name, arch: 'amd64', hyperVGeneration: '2', distro })
const gen1 = (name: string, distro: string): ImageDefinition => ({ name, arch: 'amd64', hyperVGeneration: '1', distro })
const arm64 = (name: string, distro: string): ImageDefinition => ({
  name,
  arch: 'arm64',
  hyperVGeneration: '2',
  distro,
})

const ubuntu = (release: '22.04' | '24.04'): Pick<ImageFamily, 'os' | 'gallery' | 'plain' | 'trustedLaunch'> => {
  const short = release.replace('.', '')
  return {
    os: 'Ubuntu',
    gallery: ubuntuGallery,
    plain: [
      gen2(`${short}gen2containerd`, `aks-ubuntu-containerd-${release}-gen2`),
      gen1(`${short}containerd`, `aks-ubuntu-containerd-${release}`),
      arm64(`${short}gen2arm64containerd`, `aks-ubuntu-arm64-containerd-${release}-gen2`),
    ],
    trustedLaunch: [gen2(`${short}gen2TLcontainerd`, `aks-ubuntu-containerd-${release}-tl-gen2`)],
  }
}

const azureLinux = (release: '2' | '3', moreFips: ReadonlyArray<ImageDefinition>): ImageFamily => ({
  name: `AzureLinux${release}`,
  os: 'AzureLinux',
  gallery: azureLinuxGallery,
  plain: [
    gen2(`V${release}gen2`, `aks-azurelinux-v${release}-gen2`),
    gen1(`V${release}`, `aks-azurelinux-v${release}`),
    arm64(`V${release}gen2arm64`, `aks-azurelinux-v${release}-arm64-gen2`),
  ],
  trustedLaunch: [gen2(`V${release}gen2TL`, `aks-azurelinux-v${release}-gen2-tl`)],
  fips: [
    gen2(`V${release}gen2fips`, `aks-azurelinux-v${release}-gen2-fips`),
    gen1(`V${release}fips`, `aks-azurelinux-v${release}-fips`),
    ...moreFips,
  ],
  // The reference passes over trusted launch where FIPS is asked for; admission refuses the two together.
  fipsTrustedLaunch: [],
})

/** Every family, by name (Z-IMG-02…05). */
export const imageFamilies: Readonly<Record<ImageFamily['name'], ImageFamily>> = {
  // 20.04 is left for FIPS alone.
  Ubuntu: {
    name: 'Ubuntu',
    os: 'Ubuntu',
    gallery: ubuntuGallery,
    plain: [],
    trustedLaunch: [],
    fips: [
      gen2('2004gen2fipscontainerd', 'aks-ubuntu-fips-containerd-20.04-gen2'),
      gen1('2004fipscontainerd', 'aks-ubuntu-fips-containerd-20.04'),
    ],
    fipsTrustedLaunch: [],
  },
  Ubuntu2204: {
    name: 'Ubuntu2204',
    ...ubuntu('22.04'),
    fips: [],
    fipsTrustedLaunch: [gen2('2204gen2fipsTLcontainerd', 'aks-ubuntu-fips-containerd-22.04-tl-gen2')],
  },
  Ubuntu2404: { name: 'Ubuntu2404', ...ubuntu('24.04'), fips: [], fipsTrustedLaunch: [] },
  AzureLinux2: azureLinux('2', []),
  AzureLinux3: azureLinux('3', [arm64('V3gen2arm64fips', 'aks-azurelinux-v3-arm64-gen2-fips')]),
}

type Wanted = Pick<AksNodeClass, 'spec'>

/** The family that a class resolves to at a Kubernetes version (Z-IMG-01). */
export const familyOf = (nodeClass: Wanted, kubernetesVersion: string): ImageFamily =>
  imageFamilies[familyNameOf(nodeClass, kubernetesVersion)]

const familyNameOf = (nodeClass: Wanted, kubernetesVersion: string): ImageFamily['name'] => {
  switch (nodeClass.spec.imageFamily) {
    case 'Ubuntu2204':
    case 'Ubuntu2404':
      return nodeClass.spec.imageFamily
    case 'AzureLinux':
      return isAtLeast(kubernetesVersion, '1.32') ? 'AzureLinux3' : 'AzureLinux2'
    case 'Ubuntu':
      if (hasTrustedLaunch(nodeClass)) return 'Ubuntu2204'
      if (isFips(nodeClass)) return 'Ubuntu'
      return isAtLeast(kubernetesVersion, '1.34') ? 'Ubuntu2404' : 'Ubuntu2204'
  }
}

/**
 * The images that a class may boot, best first.
 *
 * None where FIPS is asked for without the shared gallery: the community galleries have no such images (Z-IMG-04).
 */
export const imageDefinitionsOf = (
  nodeClass: Wanted,
  kubernetesVersion: string,
  useSig: boolean,
): ReadonlyArray<ImageDefinition> => {
  const family = familyOf(nodeClass, kubernetesVersion)
  if (!isFips(nodeClass)) return hasTrustedLaunch(nodeClass) ? family.trustedLaunch : family.plain
  if (!useSig) return []
  return hasTrustedLaunch(nodeClass) ? family.fipsTrustedLaunch : family.fips
}
