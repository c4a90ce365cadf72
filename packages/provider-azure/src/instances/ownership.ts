import type { Labels } from '@scantling/core'
import { tagKeys } from '../tags/index.ts'

/**
 * Whether what bears these tags was made for nodes of the cluster, by this library or by the reference (Z-LIST-01).
 *
 * Machines of AKS bear them too, and are AKS' to look after. Anything of another cluster, and anything without a mark, is
 * somebody else's.
 */
export const isOurs = (tags: Labels | undefined, cluster: string): boolean => {
  if (tags === undefined || Object.hasOwn(tags, tagKeys.machineClaim)) return false
  return Object.hasOwn(tags, tagKeys.cluster)
    ? tags[tagKeys.cluster] === cluster
    : Object.hasOwn(tags, tagKeys.nodePool)
}
