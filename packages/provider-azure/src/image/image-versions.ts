/** A version in a community gallery, as ARM lists it. */
export interface CommunityImageVersion {
  readonly name?: string
  readonly publishedDate?: Date
}

/** A version of a node image, as AKS lists it for a location. */
export interface NodeImageVersion {
  readonly os?: string
  readonly sku?: string
  readonly version?: string
}

/**
 * The version published last; `undefined` where there is none (Z-IMG-06).
 *
 * The reference makes an ID without a version of an empty list (W-31).
 */
export const latestCommunityVersion = (versions: ReadonlyArray<CommunityImageVersion>): string | undefined => {
  let latest: { readonly name: string; readonly at: number } | undefined
  for (const { name, publishedDate } of versions) {
    const at = publishedDate?.getTime() ?? Number.NEGATIVE_INFINITY
    if (name !== undefined && name !== '' && (latest === undefined || at > latest.at)) latest = { name, at }
  }
  return latest?.name
}

/**
 * The newest version of every image of a gallery, by definition (Z-IMG-07).
 *
 * Lists of AKS hold all galleries and many versions of each image.
 */
export const newestNodeImageVersions = (
  versions: ReadonlyArray<NodeImageVersion>,
  galleryName: string,
): ReadonlyMap<string, string> => {
  const newest = new Map<string, string>()
  for (const { os, sku, version } of versions) {
    if (os !== galleryName || sku === undefined || version === undefined || version === '') continue
    const present = newest.get(sku)
    if (present === undefined || isNewerVersion(version, present)) newest.set(sku, version)
  }
  return newest
}

/**
 * Whether a version of an image is newer, part by part as numbers.
 *
 * Of versions that begin alike the longer is newer: `2022.10.03` became `202210.03.0`. What is no number is not newer.
 */
export const isNewerVersion = (version: string, other: string): boolean => {
  const [parts, others] = [version.split('.'), other.split('.')]
  for (let index = 0; index < Math.min(parts.length, others.length); index += 1) {
    const [left = '', right = ''] = [parts[index], others[index]]
    if (!/^\d+$/.test(left) || !/^\d+$/.test(right)) return false
    if (Number(left) !== Number(right)) return Number(left) > Number(right)
  }
  return parts.length > others.length
}
