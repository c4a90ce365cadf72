import { afterAll, beforeAll, describe, test } from '@jest/globals'
import { systemClock } from '@scantling/provider-kit'
import { contract, type ContractApi } from '../src/contract/index.ts'
import { startKubeSim, type KubeSim } from '../src/index.ts'

/** The same checks run against Kubernetes' own API server: tools/real-cluster/e2e/contract.e2e.ts. */
describe('kube-sim keeps the contract of an API server', () => {
  let sim: KubeSim
  let api: ContractApi
  beforeAll(async () => {
    // As quick as kwok's kubelets, which the same checks meet on the real control plane.
    const kubelet = { startLatency: { fromMs: 10, toMs: 50 }, stopLatencyMs: 0 }
    sim = await startKubeSim({ clock: systemClock, port: 0, controllers: { kubelet } })
    api = {
      ask: async (method, path, body, contentType = 'application/json') => {
        const response = await fetch(`${sim.url}${path}`, {
          method,
          ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': contentType } }),
        })
        return { status: response.status, body: await response.text() }
      },
      forget: () => Promise.resolve(sim.server.compact()),
      isReady: () => Promise.resolve(true),
    }
  })
  afterAll(() => sim.stop())

  test.each(contract.map(({ name, run }) => [name, run] as const))('%s', (_name, run) => run(api), 60_000)
})
