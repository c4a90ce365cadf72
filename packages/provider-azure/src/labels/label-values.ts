const longestLabel = 63

/**
 * The value of the cluster label: the node resource group as a label can hold it (Z-LBL-10).
 *
 * Parentheses become dashes, what is too long is cut, and an end that a label may not have gets a `z`.
 */
export const clusterLabelOf = (nodeResourceGroup: string): string => {
  const cut = nodeResourceGroup.replaceAll(/[()]/g, '-').slice(0, longestLabel)
  if (!/[-_.]$/.test(cut)) return cut
  return `${cut.length === longestLabel ? cut.slice(0, -1) : cut}z`
}

/** The value of the os-sku label: all Ubuntu families are one (Z-LBL-11). */
export const osSkuOf = (imageFamily: string): string =>
  imageFamily === '' || imageFamily === 'Ubuntu2204' || imageFamily === 'Ubuntu2404' ? 'Ubuntu' : imageFamily
