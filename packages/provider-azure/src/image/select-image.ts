import { Requirement, Requirements, type InstanceType, type RequirementSpec } from '@scantling/core'
import type { AksNodeClass, NodeImage } from '../node-class/index.ts'
import { familyOf, imageDefinitionsOf } from './family.ts'
import { definitionOf } from './image-id.ts'

/** The first image that the type can boot: order is preference (Z-IMG-12). `undefined`: none. */
export const selectImage = (
  images: ReadonlyArray<NodeImage>,
  type: Pick<InstanceType, 'requirements'>,
): NodeImage | undefined =>
  images.find(({ requirements }) =>
    requirements.every((demand) => {
      const supply = type.requirements.byKey.get(demand.key)
      // A key that the type says nothing of does not keep it from booting.
      return (
        supply === undefined ||
        Requirement.hasIntersection(
          supply,
          Requirements.get(Requirements.fromSpecs([demand as RequirementSpec]), demand.key),
        )
      )
    }),
  )

/** The name of an image for the bootstrapping service; `undefined` for one that the class may not boot (Z-IMG-05). */
export const distroOf = (
  imageId: string,
  nodeClass: Pick<AksNodeClass, 'spec'>,
  kubernetesVersion: string,
  useSig: boolean,
): string | undefined =>
  imageDefinitionsOf(nodeClass, kubernetesVersion, useSig).find(({ name }) => name === definitionOf(imageId))?.distro

/** The `osSKU` of a machine; AKS picks the release of FIPS images by itself (Z-MACH-08). */
export const machineOsSkuOf = (
  nodeClass: Pick<AksNodeClass, 'spec'>,
  kubernetesVersion: string,
): 'Ubuntu' | 'Ubuntu2204' | 'Ubuntu2404' | 'AzureLinux' => {
  const { imageFamily, fipsMode } = nodeClass.spec
  if (imageFamily !== 'Ubuntu') return imageFamily
  if (fipsMode === 'FIPS') return 'Ubuntu'
  const { name } = familyOf({ spec: { ...nodeClass.spec, security: {} } }, kubernetesVersion)
  return name === 'Ubuntu2404' ? 'Ubuntu2404' : 'Ubuntu2204'
}
