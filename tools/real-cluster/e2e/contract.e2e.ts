import { afterAll, beforeAll, describe, test } from '@jest/globals'
import { contract, type ContractApi } from '@scantling/kube-sim/contract'
import { startTestCluster, type TestCluster } from '../test-cluster.ts'

/** The same checks run against kube-sim: packages/kube-sim/test/contract.test.ts. */
describe('The API server keeps the contract', () => {
  let cluster: TestCluster
  let api: ContractApi
  beforeAll(async () => {
    cluster = await startTestCluster({ areDefinitionsInstalled: false })
    api = {
      ask: (method, path, body, contentType) =>
        cluster.api.request(path, { method, body, ...(contentType === undefined ? {} : { contentType }) }),
      isReady: async (namespace) => (await cluster.api.list('serviceaccounts', { namespace })).length > 0,
      forget: async () => {
        await cluster.plane.compact()
        // Its cache would still answer for a while.
        await cluster.plane.restartApiServer()
      },
    }
  })
  afterAll(() => cluster.stop())

  test.each(contract.map(({ name, run }) => [name, run] as const))('%s', (_name, run) => run(api))
})
