import type { KubeClient, KubeObject, ResourceKind } from '@scantling/controller'
import * as E from 'fp-ts/lib/Either.js'
import type { Manifest } from '../manifests/read-manifests.ts'

const kinds: ReadonlyArray<readonly [apiVersion: string, kind: string, plural: string, isNamespaced: boolean]> = [
  ['v1', 'Pod', 'pods', true],
  ['v1', 'Node', 'nodes', false],
  ['v1', 'Namespace', 'namespaces', false],
  ['v1', 'PersistentVolumeClaim', 'persistentvolumeclaims', true],
  ['v1', 'PersistentVolume', 'persistentvolumes', false],
  ['karpenter.sh/v1', 'NodePool', 'nodepools', false],
  ['karpenter.sh/v1', 'NodeClaim', 'nodeclaims', false],
  ['karpenter.k8s.aws/v1', 'EC2NodeClass', 'ec2nodeclasses', false],
  ['karpenter.azure.com/v1beta1', 'AKSNodeClass', 'aksnodeclasses', false],
  ['apps/v1', 'DaemonSet', 'daemonsets', true],
  ['policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets', true],
  ['storage.k8s.io/v1', 'StorageClass', 'storageclasses', false],
  ['storage.k8s.io/v1', 'CSINode', 'csinodes', false],
  ['scheduling.k8s.io/v1', 'PriorityClass', 'priorityclasses', false],
]

const pageSize = 500

/**
 * Lists what planners read of a cluster, as manifests. Kinds that it does not know count as none.
 *
 * Errors: a sentence for the first list that is refused.
 */
export const listObjects = async (
  client: KubeClient,
  server: string,
): Promise<E.Either<string, ReadonlyArray<Manifest>>> => {
  const found: Array<Manifest> = []
  for (const [apiVersion, kind, plural, namespaced] of kinds) {
    const whole: ResourceKind = { apiVersion, kind, plural, namespaced, project: (raw) => E.right(raw as KubeObject) }
    let page: string | undefined
    do {
      const listed = await client.listPage(whole, { limit: pageSize, ...(page !== undefined && { continue: page }) })()
      if (E.isLeft(listed)) {
        if (listed.left._tag === 'NotFound') break
        return E.left(listed.left.message)
      }
      for (const item of listed.right.items)
        found.push({ file: server, document: found.length + 1, object: { ...item, apiVersion, kind } })
      page = listed.right.continue
    } while (page !== undefined)
  }
  return E.right(found)
}
