import type { ClusterFacts, HashMark, Labels, NodeClassObject } from '@scantling/core'
import type { ReconcilerContext } from './context.ts'

/** What a NodeClass hashes to now; `undefined` where its kind has no static drift. */
export const nodeClassHashOf = (
  { providerModule }: Pick<ReconcilerContext, 'providerModule'>,
  nodeClass: NodeClassObject,
  cluster: ClusterFacts,
): HashMark | undefined => {
  const [group = ''] = nodeClass.apiVersion.split('/')
  const found = providerModule.nodeClasses.find((one) => one.kind === nodeClass.kind && one.group === group)
  if (found?.hash === undefined) return undefined
  return {
    key: `${found.group}/${found.kind.toLowerCase()}-hash`,
    hash: found.hash.of(nodeClass, cluster),
    version: found.hash.version,
  }
}

/** The annotations that say so, on a NodeClass and on the claims launched from it. */
export const hashAnnotations = (mark: HashMark | undefined): Labels =>
  mark === undefined ? {} : { [mark.key]: mark.hash, [`${mark.key}-version`]: mark.version }
