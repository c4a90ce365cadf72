import {
  coreLabelKnowledge,
  decodeObjects,
  defaultPlanningSettings,
  labelKeys,
  planProvisioning,
  podKey,
  renderRejection,
  Requirements,
  Resources,
  snapshotOf,
  type InstanceType,
} from '@scantling/core'
import { createApiServer, resource, startControllers, type DraftObject } from '@scantling/kube-sim'
import { virtualClock } from '@scantling/provider-kit'
import { caseKey, caseNamespaces, type Manifest, type SchedulerCase } from './scheduler-cases.ts'

export interface Verdict {
  readonly fits: boolean
  readonly why: string
  /** Where the pod fits. */
  readonly node?: string
}

/** The case that an object belongs to. */
export const idOf = ({ metadata }: Manifest): string => metadata.labels[caseKey] ?? ''

interface SeenPod extends Manifest {
  readonly spec: { readonly nodeName?: string }
  readonly status?: { readonly conditions?: ReadonlyArray<{ type: string; status: string; message?: string }> }
}

export const realVerdict = (object: Manifest): Verdict | undefined => {
  const { spec, status } = object as SeenPod
  if (spec.nodeName !== undefined) return { fits: true, why: `on ${spec.nodeName}`, node: spec.nodeName }
  const refused = status?.conditions?.find((one) => one.type === 'PodScheduled' && one.status === 'False')
  return refused === undefined ? undefined : { fits: false, why: refused.message ?? '' }
}

export const withoutVerdict = (object: Manifest): Manifest => {
  const { nodeName: _nodeName, ...spec } = object['spec'] as { readonly nodeName?: string }
  return { ...object, spec, status: { phase: 'Pending' } }
}

/** kube-sim with its scheduler alone, given the same objects. */
export const askSim = async (batch: ReadonlyArray<SchedulerCase>): Promise<ReadonlyMap<string, Verdict>> => {
  const clock = virtualClock(Date.UTC(2026, 0, 1))
  const server = createApiServer({ clock })
  const face = server.face('test')
  const put = (manifest: object) => {
    const { kind, metadata } = manifest as Manifest
    const plural = `${kind.toLowerCase()}s`
    const where = metadata.namespace === undefined ? {} : { namespace: metadata.namespace }
    return face.create({ ...resource('v1', plural), ...where }, manifest as DraftObject)
  }
  for (const namespace of caseNamespaces) await put(namespace)
  for (const { nodes, placed } of batch) for (const object of [...nodes, ...placed]) await put(object)
  for (const { pod } of batch) await put(pod)
  const running = startControllers(server.face('controllers'), clock, { only: ['scheduler'], events: false })
  await clock.advance(5000)
  const asked = new Set(batch.map(({ pod }) => pod.metadata.name))
  const pods = (await face.list(resource('v1', 'pods'))).items as unknown as ReadonlyArray<Manifest>
  await running.stop()
  return new Map(
    pods.flatMap((pod) => {
      const verdict = asked.has(pod.metadata.name) ? realVerdict(pod) : undefined
      return verdict === undefined ? [] : [[idOf(pod), verdict] as const]
    }),
  )
}

const valuesOf = (nodes: ReadonlyArray<Manifest>, key: string): ReadonlyArray<string> => [
  ...new Set(nodes.flatMap(({ metadata }) => metadata.labels[key] ?? [])),
]

interface Taint {
  readonly key: string
  readonly effect: string
}

/**
 * Core looks at nodes only where there are pools to buy others from: one for each node of the case, with its labels and
 * taints, so that what could be bought is in the domains that are there. Nothing is bought, since pods select the case.
 *
 * Taints that only ask to be avoided keep nobody away: they stand on a pool of their own, which has core pass over them.
 */
const poolsLike = ({ nodes }: SchedulerCase): ReadonlyArray<object> => {
  const soft: Array<Taint> = []
  const pools = nodes.map(({ metadata: { name, labels }, spec }) => {
    const { [caseKey]: _case, [labelKeys.hostname]: _host, ...others } = labels
    const { taints = [] } = spec as { readonly taints?: ReadonlyArray<Taint> }
    soft.push(...taints.filter(({ effect }) => effect === 'PreferNoSchedule'))
    const hard = taints.filter(({ effect }) => effect !== 'PreferNoSchedule')
    return pool(`like-${name}`, others, hard)
  })
  return soft.length === 0 ? pools : [...pools, pool('soft', {}, soft.slice(0, 1))]
}

const pool = (name: string, labels: object, taints: ReadonlyArray<Taint>) => ({
  apiVersion: 'karpenter.sh/v1',
  kind: 'NodePool',
  metadata: { name },
  spec: {
    template: {
      metadata: { labels },
      spec: {
        nodeClassRef: { group: 'test.example.com', kind: 'TestNodeClass', name: 'none' },
        requirements: [],
        taints,
      },
    },
  },
})

const typeInZones = (zones: ReadonlyArray<string>): InstanceType => ({
  name: 'any',
  requirements: Requirements.fromSpecs([
    { key: labelKeys.instanceType, operator: 'In', values: ['any'] },
    { key: labelKeys.zone, operator: 'In', values: zones },
    { key: labelKeys.capacityType, operator: 'In', values: ['on-demand'] },
  ]),
  capacity: Resources.parse({ cpu: '1', memory: '1Gi', pods: '10' }),
  overhead: { kubeReserved: {}, systemReserved: {}, evictionThreshold: {} },
  offerings: zones.map((zone) => ({
    requirements: Requirements.fromSpecs([
      { key: labelKeys.zone, operator: 'In', values: [zone] },
      { key: labelKeys.capacityType, operator: 'In', values: ['on-demand'] },
    ]),
    pricePerHour: 1,
  })),
})

/** Core's answer where there are these nodes and no others to be bought. */
export const askCore = (objects: ReadonlyArray<Manifest>, one: SchedulerCase): Verdict => {
  const { pod, nodes } = one
  const { lists, refused } = decodeObjects([...objects, ...caseNamespaces, ...poolsLike(one)])
  if (refused.length > 0) throw new Error(`Core cannot read ${JSON.stringify(refused)}`)
  const snapshot = snapshotOf(lists, {
    nowMs: Date.UTC(2026, 0, 1),
    settings: defaultPlanningSettings,
    labelRules: {
      knowledge: coreLabelKnowledge,
      unsupportedTopologyKeys: new Set(),
      unsupportedProvisioners: new Set(),
    },
    supportsNodeClass: () => true,
    readiness: 'assumed',
    instanceTypes: () => [typeInZones(valuesOf(nodes, labelKeys.zone))],
  })
  const key = `${pod.metadata.namespace}/${pod.metadata.name}`
  const asPending = {
    ...snapshot,
    pods: snapshot.pods.map((each) => (podKey(each) === key ? { ...each, isUnschedulable: true } : each)),
  }
  const { placements, rejections } = planProvisioning(asPending, { strategy: 'first-fit', reservedOfferings: 'strict' })
  const placement = placements.find(({ pods }) => pods.some((each) => podKey(each) === key))
  if (placement !== undefined) return { fits: true, why: `on ${placement.node}`, node: placement.node }
  const rejection = rejections.find((each) => podKey(each.pod) === key)
  return { fits: false, why: rejection === undefined ? 'not looked at' : renderRejection(rejection) }
}
