/** What would one workload cost on either of two NodePools? Data in, data out: no cluster, no cloud, no clock. */
import {
  completeWellKnown,
  coreLabelKnowledge,
  decodeObjects,
  defaultPlanningSettings,
  Labels,
  planProvisioning,
  snapshotOf,
} from '@scantling/core'
import { catalogTypes, labelPolicyOf } from '@scantling/provider-kwok'

const catalog = catalogTypes('ec2-like')
const knowledge = Labels.extend(coreLabelKnowledge, labelPolicyOf(catalog))
const types = completeWellKnown(catalog, knowledge.wellKnown)

const nodePool = (name: string, requirements: ReadonlyArray<object>) => ({
  apiVersion: 'karpenter.sh/v1',
  kind: 'NodePool',
  metadata: { name },
  spec: {
    template: {
      spec: { nodeClassRef: { group: 'karpenter.kwok.sh', kind: 'KWOKNodeClass', name: 'default' }, requirements },
    },
  },
})

/** Forty pods of one size, for those who have none at hand. */
const fortyPods = Array.from({ length: 40 }, (_, index) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `api-${index}`, uid: `api-${String(index).padStart(4, '0')}` },
  spec: { containers: [{ resources: { requests: { cpu: '750m', memory: '1500Mi' } } }] },
}))

interface Listed {
  readonly kind?: unknown
  readonly spec?: object
}

/** The object as if it had just been created: a pod that runs somewhere is to be placed anew. */
const unplaced = (object: Listed): object => {
  if (object.kind !== 'Pod') return object
  const status = { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }] }
  return { ...object, spec: { ...object.spec, nodeName: undefined }, status }
}

/** The workload on a NodePool alone. */
const priceOn = (pool: object, workload: ReadonlyArray<Listed>) => {
  const { lists } = decodeObjects([pool, ...workload.map(unplaced)])
  const snapshot = snapshotOf(lists, {
    nowMs: 0,
    settings: defaultPlanningSettings,
    labelRules: { knowledge, unsupportedTopologyKeys: new Set(), unsupportedProvisioners: new Set() },
    supportsNodeClass: () => true,
    readiness: 'assumed',
    instanceTypes: () => types,
  })
  const { launches, rejections } = planProvisioning(snapshot, { strategy: 'first-fit', reservedOfferings: 'strict' })
  const pricePerHour = launches.reduce((sum, launch) => sum + (launch.pricePerHour ?? 0), 0)
  return { nodes: launches.length, unplaced: rejections.length, pricePerHour }
}

const families = { key: 'karpenter.k8s.aws/instance-category', operator: 'In', values: ['c', 'm', 'r'] }
const only = (key: string, value: string) => ({ key, operator: 'In', values: [value] })

/** Both NodePools, priced for a workload: pods, and the DaemonSets that run beside them. */
export const compare = (workload: ReadonlyArray<Listed> = fortyPods) => ({
  today: priceOn(
    nodePool('x86-on-demand', [
      families,
      only('kubernetes.io/arch', 'amd64'),
      only('karpenter.sh/capacity-type', 'on-demand'),
    ]),
    workload,
  ),
  tomorrow: priceOn(
    nodePool('arm64-spot', [families, only('kubernetes.io/arch', 'arm64'), only('karpenter.sh/capacity-type', 'spot')]),
    workload,
  ),
})
