import type { JobObject, PodSpec } from '../src/controllers/objects.ts'
import { refs } from '../src/controllers/refs.ts'
import { clusterForEach } from './cluster-for-each.ts'
import { oneContainer } from './cluster-fixture.ts'

const ref = { ...refs.jobs, namespace: 'default', name: 'work' }

/** A cluster with one node for each test, and the calls about its Job `work`. */
export const jobsForEach = () => {
  const cluster = clusterForEach(async (fresh) => {
    await fresh.addNode('n0')
    await fresh.clock.advance(1000)
  })
  const find = () => cluster.face.peek<JobObject>('batch', 'jobs').get(ref.name, ref.namespace)
  const job = (): JobObject => {
    const object = find()
    if (object === undefined) throw new Error('There is no Job work')
    return object
  }
  return {
    cluster,
    ref,
    forever: { 'sim.scantling.sh/run-for': '1000h' },
    failing: { 'sim.scantling.sh/exit-code': '3' },
    add: (
      spec: Record<string, unknown> = {},
      annotations: Record<string, string> = {},
      podSpec: PodSpec = oneContainer(),
    ) =>
      cluster.face.create<JobObject>(
        { ...refs.jobs, namespace: ref.namespace },
        {
          metadata: { name: ref.name },
          spec: { template: { metadata: { annotations }, spec: { ...podSpec, restartPolicy: 'Never' } }, ...spec },
        },
      ),
    change: (spec: object) => cluster.face.patch(ref, 'merge', { spec }),
    find,
    job,
    conditions: () =>
      (job().status?.conditions ?? [])
        .filter(({ status }) => status === 'True')
        .map(({ type, reason }) => `${type} ${reason}`),
    finalizers: () => cluster.pods().flatMap(({ metadata }) => metadata.finalizers ?? []),
  }
}
