import { pods } from './benches.ts'
import type { Bench, Body } from './contract-api.ts'

export const jobs = ({ namespace }: Bench) => `/apis/batch/v1/namespaces/${namespace}/jobs`
export const job = (spec: object, podSpec: object) => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'work' },
  spec: {
    template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'one' }], ...podSpec } },
    ...spec,
  },
})
export const trueConditions = ({ status }: Body) =>
  (status.conditions ?? []).filter((each) => each.status === 'True').map(({ type, reason }) => `${type} ${reason}`)
export const untilTrue = (bench: Bench, path: string, ...expected: ReadonlyArray<string>) =>
  bench.until(`the Job is ${expected.join()}`, async () => {
    const present = trueConditions((await bench.get(path)).body)
    return expected.every((each) => present.includes(each))
  })
export const complete = ['SuccessCriteriaMet CompletionsReached', 'Complete CompletionsReached']
export const living = async (bench: Bench) =>
  (await bench.get(pods(bench))).body.items.filter(
    ({ metadata, status }) => metadata.deletionTimestamp === undefined && status.phase === 'Pending',
  )
export const untilLiving = (bench: Bench, count: number) =>
  bench.until(`${count} pods wait`, async () => (await living(bench)).length === count)
/** Ends a pod as its kubelet would. */
export const end = (bench: Bench, { metadata }: Body, phase: string, more: object = {}) =>
  bench.patch(`${pods(bench)}/${metadata.name}/status`, { status: { phase, ...more } })
export const indexKey = 'batch.kubernetes.io/job-completion-index'
export const indexOf = ({ metadata }: Body) => metadata.annotations?.[indexKey]
