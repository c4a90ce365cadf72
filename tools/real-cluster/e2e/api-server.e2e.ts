import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readAudit } from '../audit.ts'
import { namespaceOf, nodeClass, ofFourCpus } from '../manifests.ts'
import { startTestCluster, type RunningController, type Scenario, type TestCluster } from '../test-cluster.ts'

const namespace = 'karpenter'
const account = 'controller'
const user = `system:serviceaccount:${namespace}:${account}`

describe('A controller whose API server has troubles', () => {
  let cluster: TestCluster
  let here: Scenario
  let controller: RunningController
  beforeAll(async () => {
    cluster = await startTestCluster()
    await cluster.api.apply(
      namespaceOf(namespace),
      nodeClass,
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: account, namespace } },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata: { name: account },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
        subjects: [{ kind: 'ServiceAccount', name: account, namespace }],
      },
    )
    here = await cluster.scenario('web')
    await here.apply(
      here.pool({ spec: { disruption: { consolidateAfter: 'Never' } }, template: ofFourCpus }),
      here.deployment('web', 0, { requests: { cpu: '1' } }),
    )
    const kubeconfig = await cluster.kubeconfigOf(namespace, account)
    controller = await cluster.startController('controller', { kubeconfig })
  })
  afterAll(() => cluster.stop())

  /** Three pods fill a machine: one more or less was bought for nothing, or lost. */
  const expectNodes = async (pods: number) => {
    await here.settled('web', pods)
    expect(await here.claims()).toHaveLength(pods / 3)
    expect(await here.nodes()).toHaveLength(pods / 3)
  }
  const metric = async (name: string): Promise<number> => {
    const text = await (await fetch(`http://127.0.0.1:${controller.metricsPort}/metrics`)).text()
    return text
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
  }

  test('the API server restarts while machines are bought: none is lost, none bought twice', async () => {
    await here.scale('web', 12)
    await cluster.until('claims are there', async () => (await here.claims()).length > 0)
    await cluster.plane.restartApiServer()
    await expectNodes(12)
  })

  test('etcd forgets its history (410): every list is fetched anew, and no change is missed', async () => {
    const lists = await metric('scantling_watch_lists')
    // Without the restart the API server would still remember what etcd has forgotten.
    await cluster.plane.halt('kube-apiserver')
    await cluster.plane.compact()
    await cluster.plane.start('kube-apiserver')
    await here.scale('web', 18)
    await expectNodes(18)
    expect(await metric('scantling_watch_lists')).toBeGreaterThan(lists)
    expect(await metric('scantling_watch_missed_events')).toBe(0)
  })

  test('the API server throttles the controller (429): it waits as it is told, and all pods run', async () => {
    await cluster.api.apply(
      {
        apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
        kind: 'PriorityLevelConfiguration',
        metadata: { name: 'narrow' },
        spec: {
          type: 'Limited',
          limited: {
            nominalConcurrencyShares: 1,
            lendablePercent: 0,
            borrowingLimitPercent: 0,
            limitResponse: { type: 'Reject' },
          },
        },
      },
      {
        apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
        kind: 'FlowSchema',
        metadata: { name: 'narrow' },
        spec: {
          matchingPrecedence: 2,
          priorityLevelConfiguration: { name: 'narrow' },
          rules: [
            {
              subjects: [{ kind: 'ServiceAccount', serviceAccount: { name: account, namespace } }],
              resourceRules: [
                { apiGroups: ['*'], resources: ['*'], verbs: ['*'], clusterScope: true, namespaces: ['*'] },
              ],
            },
          ],
        },
      },
    )
    await new Promise((wake) => setTimeout(wake, 2000))
    await here.scale('web', 60)
    await expectNodes(60)
    const refused = readAudit(cluster.plane.auditLog, user).filter(({ responseStatus }) => responseStatus?.code === 429)
    expect(refused.length).toBeGreaterThan(0)
    await cluster.api.remove('flowschemas', 'narrow')
  })

  test('etcd is full: the log says so, and when there is room again all goes on as if nothing had been', async () => {
    // Written before: what the controller is to do needs no write of ours, and every one of its own fails.
    await here.scale('web', 63)
    await cluster.plane.raiseQuotaAlarm()
    await cluster.until('the log names the reason', () =>
      Promise.resolve(controller.output().includes('database space exceeded')),
    )
    await cluster.plane.disarm()
    await expectNodes(63)
  })
})
