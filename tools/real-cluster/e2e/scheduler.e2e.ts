import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
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
import {
  caseKey,
  caseNamespaces,
  rackOf,
  runtimeClass,
  schedulerCases,
  type Manifest,
  type SchedulerCase,
} from '../scheduler-cases.ts'
import { startTestCluster, type TestCluster } from '../test-cluster.ts'

// Some are not asked of core; of it, too, two thousand are asked.
const caseCount = Number(process.env['SCHEDULER_CASES'] ?? 2900)
const seed = Number(process.env['SCHEDULER_SEED'] ?? 1)
const casesAtOnce = 200
const requestsAtOnce = 24
/** Kubernetes' and ours may differ in one case of a thousand; what differs is printed with both reasons. */
const toleratedShare = 0.001

interface Verdict {
  readonly fits: boolean
  readonly why: string
}

describe('The scheduler', () => {
  let cluster: TestCluster
  beforeAll(async () => {
    cluster = await startTestCluster({ areDefinitionsInstalled: false })
    await cluster.api.create(...caseNamespaces)
    await cluster.api.request('/apis/node.k8s.io/v1/runtimeclasses', { method: 'POST', body: runtimeClass })
    await cluster.until('pods can be created', async () =>
      (await Promise.all(caseNamespaces.map(({ metadata }) => accountsIn(cluster, metadata.name)))).every(Boolean),
    )
  })
  afterAll(() => cluster.stop())

  test(
    `${caseCount} generated pods find a place, or none, as with the real kube-scheduler: in kube-sim and in core`,
    async () => {
      const cases = schedulerCases(seed, caseCount)
      const disagreements: Array<string> = []
      const beyondCore = new Map<string, number>()
      let placed = 0
      for (let from = 0; from < cases.length; from += casesAtOnce) {
        const batch = cases.slice(from, from + casesAtOnce)
        const real = await askReal(cluster, batch)
        const sim = await askSim(batch)
        for (const one of batch) {
          const truth = verdictOf(real.verdicts, one)
          if (truth.fits) placed += 1
          const answers = {
            'kube-sim': verdictOf(sim, one),
            ...(one.beyondCore === undefined ? { core: askCore(real.objects.get(one.id) ?? [], one) } : {}),
          }
          if (one.beyondCore !== undefined) beyondCore.set(one.beyondCore, (beyondCore.get(one.beyondCore) ?? 0) + 1)
          for (const [who, { fits, why }] of Object.entries(answers))
            if (fits !== truth.fits)
              disagreements.push(
                `${who} ${fits ? 'places' : 'refuses'} ${one.id} (${why}); kube-scheduler: ${truth.why}\n${JSON.stringify(real.objects.get(one.id))}`,
              )
        }
      }
      const notAsked = [...beyondCore].map(([why, count]) => `${count} not asked of core: ${why}`)
      process.stderr.write(
        [
          `${caseCount} cases, ${placed} placed, ${disagreements.length} disagreements`,
          ...notAsked,
          ...disagreements.slice(0, 20),
          '',
        ].join('\n'),
      )
      // Cases that all have one answer would prove little.
      expect(placed / caseCount).toBeGreaterThan(0.25)
      expect(placed / caseCount).toBeLessThan(0.75)
      expect(disagreements.length / caseCount).toBeLessThanOrEqual(toleratedShare)
    },
    30 * 60_000,
  )
})

const accountsIn = async ({ api }: TestCluster, namespace: string): Promise<boolean> =>
  (await api.list('serviceaccounts', { namespace })).length > 0

const verdictOf = (verdicts: ReadonlyMap<string, Verdict>, { id }: SchedulerCase): Verdict => {
  const verdict = verdicts.get(id)
  if (verdict === undefined) throw new Error(`No verdict on ${id}`)
  return verdict
}

const idOf = ({ metadata }: Manifest): string => metadata.labels[caseKey] ?? ''

/** Creates a batch, nodes first, waits for the scheduler's word on each pod, and takes everything away again. */
const askReal = async ({ api, until }: TestCluster, batch: ReadonlyArray<SchedulerCase>) => {
  await atOnce(
    batch.flatMap(({ nodes }) => nodes),
    (node) => createSurely(api, node),
  )
  await atOnce(
    batch.flatMap(({ placed }) => placed),
    (pod) => createSurely(api, pod),
  )
  // What is asked of core are these objects as the server has them, before the pods that are in question.
  const objects = new Map<string, Array<Manifest>>()
  const keep = (kind: string) => (object: Manifest) => {
    const known = objects.get(idOf(object))
    // Entries of lists lack their kind.
    const whole = { ...object, apiVersion: 'v1', kind }
    if (known === undefined) objects.set(idOf(object), [whole])
    else known.push(whole)
  }
  ;(await api.list<Manifest>('nodes', { labels: caseKey })).forEach(keep('Node'))
  ;(await api.list<Manifest>('pods', { labels: caseKey })).forEach(keep('Pod'))
  await atOnce(
    batch.map(({ pod }) => pod),
    (pod) => createSurely(api, pod),
  )
  const asked = new Set(batch.map(({ pod }) => pod.metadata.name))
  const verdicts = new Map<string, Verdict>()
  await until(
    'the scheduler has seen every pod',
    async () => {
      for (const pod of await api.list<Manifest>('pods', { labels: caseKey })) {
        if (!asked.has(pod.metadata.name)) continue
        const verdict = realVerdict(pod)
        if (verdict === undefined) continue
        verdicts.set(idOf(pod), verdict)
      }
      return verdicts.size === batch.length
    },
    180_000,
  )
  for (const pod of await api.list<Manifest>('pods', { labels: caseKey }))
    if (asked.has(pod.metadata.name)) keep('Pod')(withoutVerdict(pod))
  for (const { metadata } of caseNamespaces)
    await api.request(`/api/v1/namespaces/${metadata.name}/pods?labelSelector=${caseKey}&gracePeriodSeconds=0`, {
      method: 'DELETE',
    })
  await api.request(`/api/v1/nodes?labelSelector=${caseKey}`, { method: 'DELETE' })
  await until('everything of the batch is gone', async () => {
    const [nodes, pods] = await Promise.all(['nodes', 'pods'].map((plural) => api.list(plural, { labels: caseKey })))
    return nodes?.length === 0 && pods?.length === 0
  })
  return { verdicts, objects }
}

interface SeenPod extends Manifest {
  readonly spec: { readonly nodeName?: string }
  readonly status?: { readonly conditions?: ReadonlyArray<{ type: string; status: string; message?: string }> }
}

const realVerdict = (object: Manifest): Verdict | undefined => {
  const { spec, status } = object as SeenPod
  if (spec.nodeName !== undefined) return { fits: true, why: `on ${spec.nodeName}` }
  const refused = status?.conditions?.find((one) => one.type === 'PodScheduled' && one.status === 'False')
  return refused === undefined ? undefined : { fits: false, why: refused.message ?? '' }
}

const withoutVerdict = (object: Manifest): Manifest => {
  const { nodeName: _nodeName, ...spec } = object['spec'] as { readonly nodeName?: string }
  return { ...object, spec, status: { phase: 'Pending' } }
}

/** kube-sim with its scheduler alone, given the same objects. */
const askSim = async (batch: ReadonlyArray<SchedulerCase>): Promise<ReadonlyMap<string, Verdict>> => {
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

const nothingForSale = (name: string, template: object) => ({
  apiVersion: 'karpenter.sh/v1',
  kind: 'NodePool',
  metadata: { name },
  spec: {
    template: {
      spec: { nodeClassRef: { group: 'test.example.com', kind: 'TestNodeClass', name: 'none' }, ...template },
    },
  },
})

/**
 * Core looks at nodes only where there are pools to buy others from. Nothing can be bought from these, since pods select
 * a label that they do not have; but the domains of one are those of the nodes, which are all that the scheduler knows,
 * and the taint of the other lets core pass over taints that only ask to be avoided, as it does where a pool has one.
 */
const poolsBeside = ({ id, nodes }: SchedulerCase) => {
  const racks = valuesOf(nodes, rackOf(id))
  return [
    nothingForSale('domains', {
      requirements: racks.length === 0 ? [] : [{ key: rackOf(id), operator: 'In', values: racks }],
    }),
    nothingForSale('soft', { requirements: [], taints: [{ key: 'soft', effect: 'PreferNoSchedule' }] }),
  ]
}

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
const askCore = (objects: ReadonlyArray<Manifest>, one: SchedulerCase): Verdict => {
  const { pod, nodes } = one
  const { lists, refused } = decodeObjects([...objects, ...caseNamespaces, ...poolsBeside(one)])
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
  if (placement !== undefined) return { fits: true, why: `on ${placement.node}` }
  const rejection = rejections.find((each) => podKey(each.pod) === key)
  return { fits: false, why: rejection === undefined ? 'not looked at' : renderRejection(rejection) }
}

/** A connection that breaks leaves open whether the object was made: made again, it is there already. */
const createSurely = async (api: TestCluster['api'], object: Manifest, tries = 3): Promise<void> => {
  try {
    await api.create(object)
  } catch (cause) {
    const text = String(cause)
    if (text.includes(' 409 ')) return
    if (tries === 1 || !/socket hang up|ECONNRESET/.test(text)) throw cause
    await createSurely(api, object, tries - 1)
  }
}

/** Runs an effect for each, some at a time. */
const atOnce = async <A>(all: ReadonlyArray<A>, effect: (one: A) => Promise<void>): Promise<void> => {
  const queue = [...all]
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await effect(next)
  }
  await Promise.all(Array.from({ length: requestsAtOnce }, work))
}
