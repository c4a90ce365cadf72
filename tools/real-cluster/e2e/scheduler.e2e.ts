import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { askCore, askSim, idOf, realVerdict, withoutVerdict, type Verdict } from '../scheduler-answers.ts'
import {
  caseKey,
  caseNamespaces,
  runtimeClass,
  schedulerCases,
  withRoomOn,
  type Manifest,
  type SchedulerCase,
} from '../scheduler-cases.ts'
import { startTestCluster, type TestCluster } from '../test-cluster.ts'

const caseCount = Number(process.env['SCHEDULER_CASES'] ?? 2100)
const seed = Number(process.env['SCHEDULER_SEED'] ?? 1)
const casesAtOnce = 200
const requestsAtOnce = 24
/** Of each of the two, over all cases without exception. What differs is printed with both reasons. */
const requiredAgreement = 0.999

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
      const agreed = { 'kube-sim': 0, core: 0 }
      const disagreements: Array<string> = []
      let placed = 0
      const cases = schedulerCases(seed, caseCount)
      for (let from = 0; from < cases.length; from += casesAtOnce) {
        const batch = cases.slice(from, from + casesAtOnce)
        const real = await askReal(cluster, batch)
        const sim = await askSim(batch)
        // Whoever agrees that there is a place must take the very node that kube-scheduler took, were it the only one.
        const onChosen = batch.flatMap((one) => {
          const { node } = verdictOf(real.verdicts, one)
          return node === undefined ? [] : [withRoomOn(node, one)]
        })
        const simOnChosen = await askSim(onChosen)
        placed += onChosen.length
        for (const one of batch) {
          const truth = verdictOf(real.verdicts, one)
          const objects = real.objects.get(one.id) ?? []
          const chosen = onChosen.find(({ id }) => id === one.id)
          const answers = {
            'kube-sim': [verdictOf(sim, one), ...(chosen === undefined ? [] : [verdictOf(simOnChosen, one)])],
            core: [
              askCore(objects, one),
              ...(chosen === undefined ? [] : [askCore(withNodesOf(chosen, objects), chosen)]),
            ],
          }
          for (const who of ['kube-sim', 'core'] as const) {
            const other = answers[who].find(({ fits }) => fits !== truth.fits)
            if (other === undefined) agreed[who] += 1
            else
              disagreements.push(
                `${who} ${other.fits ? 'places' : 'refuses'} ${one.id} (${other.why}); kube-scheduler: ${truth.why}\n${JSON.stringify(objects)}`,
              )
          }
        }
      }
      const shares = Object.entries(agreed).map(
        ([who, count]) => `${who} agrees in ${count} of ${caseCount} (${((100 * count) / caseCount).toFixed(2)} %)`,
      )
      const summary = `Seed ${seed}: kube-scheduler places ${placed}, refuses ${caseCount - placed}; ${shares.join(', ')}`
      process.stderr.write(`${[summary, ...disagreements.slice(0, 20)].join('\n')}\n`)
      // Cases that all have one answer would prove little.
      expect(placed / caseCount).toBeGreaterThan(0.2)
      expect(placed / caseCount).toBeLessThan(0.8)
      for (const count of Object.values(agreed)) expect(count / caseCount).toBeGreaterThanOrEqual(requiredAgreement)
    },
    30 * 60_000,
  )
})

/** The objects as the server has them, with the case's nodes as the case has them. */
const withNodesOf = ({ nodes }: SchedulerCase, objects: ReadonlyArray<Manifest>): ReadonlyArray<Manifest> =>
  objects.map((object) => {
    const node = nodes.find(({ kind, metadata }) => kind === object.kind && metadata.name === object.metadata.name)
    return node === undefined ? object : { ...object, status: node['status'] }
  })

const accountsIn = async ({ api }: TestCluster, namespace: string): Promise<boolean> =>
  (await api.list('serviceaccounts', { namespace })).length > 0

const verdictOf = (verdicts: ReadonlyMap<string, Verdict>, { id }: SchedulerCase): Verdict => {
  const verdict = verdicts.get(id)
  if (verdict === undefined) throw new Error(`No verdict on ${id}`)
  return verdict
}

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
