/** An operator of one's own: read the cluster with client-node, plan with Scantling, print what it would do. */
import { KubernetesObjectApi, type KubeConfig, type KubernetesObject } from '@kubernetes/client-node'
import {
  completeWellKnown,
  coreLabelKnowledge,
  decodeObjects,
  defaultPlanningSettings,
  forecastLaunch,
  Labels,
  planProvisioning,
  podKey,
  renderPrice,
  renderRejection,
  renderSummary,
  snapshotOf,
} from '@scantling/core'
import { catalogTypes, labelPolicyOf } from '@scantling/provider-kwok'

const kinds = [
  ['v1', 'Pod'],
  ['v1', 'Node'],
  ['v1', 'Namespace'],
  ['v1', 'PersistentVolumeClaim'],
  ['v1', 'PersistentVolume'],
  ['apps/v1', 'DaemonSet'],
  ['storage.k8s.io/v1', 'StorageClass'],
  ['storage.k8s.io/v1', 'CSINode'],
  ['karpenter.sh/v1', 'NodePool'],
  ['karpenter.sh/v1', 'NodeClaim'],
] as const

/** All objects that planning reads, as plain JSON: client-node's dates become text again. */
const readCluster = async (config: KubeConfig): Promise<ReadonlyArray<unknown>> => {
  const api = KubernetesObjectApi.makeApiClient(config)
  const lists = await Promise.all(kinds.map(([apiVersion, kind]) => api.list<KubernetesObject>(apiVersion, kind)))
  return lists.flatMap(({ items }, index) => {
    const [apiVersion, kind] = kinds[index] ?? []
    return items.map((item) => JSON.parse(JSON.stringify({ ...item, apiVersion, kind })) as unknown)
  })
}

/** What would be launched now, as lines for a person. */
export const whatWouldYouDo = async (config: KubeConfig): Promise<ReadonlyArray<string>> => {
  const { lists, refused } = decodeObjects(await readCluster(config))
  const catalog = catalogTypes('ec2-like')
  const knowledge = Labels.extend(coreLabelKnowledge, labelPolicyOf(catalog))
  const types = completeWellKnown(catalog, knowledge.wellKnown)
  const snapshot = snapshotOf(lists, {
    nowMs: Date.now(),
    settings: defaultPlanningSettings,
    labelRules: { knowledge, unsupportedTopologyKeys: new Set(), unsupportedProvisioners: new Set() },
    supportsNodeClass: () => true,
    readiness: 'assumed',
    instanceTypes: () => types,
  })
  const plan = planProvisioning(snapshot, { strategy: 'first-fit', reservedOfferings: 'strict' })
  return [
    ...(refused.length > 0 ? [`${refused.length} objects could not be read`] : []),
    renderSummary(plan),
    ...plan.launches.map((launch) => {
      const { instanceType, zone, capacityType, pricePerHour } = forecastLaunch(launch, knowledge)
      return `  ${instanceType.name} ${zone} ${capacityType} at ${renderPrice(pricePerHour)}: ${launch.pods.map(podKey).join(', ')}`
    }),
    ...plan.rejections.map((rejection) => `  ${renderRejection(rejection)}`),
  ]
}
