import type { Gallery } from './family.ts'

/** The ID of a version in a community gallery (Z-IMG-06). */
export const communityImageId = (gallery: Gallery, definition: string, version: string): string =>
  `/CommunityGalleries/${gallery.community}/images/${definition}/versions/${version}`

/** The ID of a version in AKS' shared gallery (Z-IMG-07). */
export const sharedImageId = (subscription: string, gallery: Gallery, definition: string, version: string): string =>
  `/subscriptions/${subscription}/resourceGroups/${gallery.resourceGroup}/providers/Microsoft.Compute/galleries/${gallery.name}/images/${definition}/versions/${version}`

export const isCommunityImage = (id: string): boolean => /^\/communitygalleries\//i.test(id)

/** The ID without its version: which image, whatever its age. */
export const baseOf = (id: string): string => id.replace(/\/versions\/[^/]*$/i, '')

/** The image definition that an ID names; `undefined` for other text. */
export const definitionOf = (id: string): string | undefined => /\/images\/([^/]+)\/versions\/[^/]+$/i.exec(id)?.[1]

/**
 * The image as AKS names it to its machines: gallery, definition, version (Z-MACH-06).
 *
 * Of shared images alone; `undefined` for others, which the machine path cannot boot.
 */
export const nodeImageVersionOf = (id: string): string | undefined => {
  const match =
    /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.Compute\/galleries\/([^/]+)\/images\/([^/]+)\/versions\/([^/]+)$/i.exec(
      id,
    )
  return match === null ? undefined : match.slice(1).join('-')
}

/**
 * Definition and version of an image, whatever gallery it is in and in whichever form it is named: an ID, or as AKS names
 * it to its machines.
 */
export const imageVersionOf = (id: string): string => {
  const parts = /\/images\/([^/]+)\/versions\/([^/]+)$/i.exec(id) ?? /^[^/-]+-(.+)-([^-]+)$/.exec(id)
  return (parts === null ? id : `${parts[1]}/${parts[2]}`).toLowerCase()
}
