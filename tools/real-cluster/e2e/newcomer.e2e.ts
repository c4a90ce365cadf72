import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { renderChart, type Rendered } from '../chart.ts'
import { namespaceOf, nodeClass, type Seen } from '../manifests.ts'
import { startTestCluster, type TestCluster } from '../test-cluster.ts'

const namespace = 'karpenter'

describe('A newcomer on a real control plane', () => {
  let cluster: TestCluster
  beforeAll(async () => {
    cluster = await startTestCluster({ areDefinitionsInstalled: false })
  })
  afterAll(() => cluster.stop())

  test('installs the chart, scales a Deployment, and nodes appear', async () => {
    const rendered: ReadonlyArray<Rendered> = renderChart(namespace, '--include-crds')
    await cluster.api.apply(namespaceOf(namespace))
    const isDefinition = ({ kind }: Rendered) => kind === 'CustomResourceDefinition'
    await cluster.api.apply(...rendered.filter(isDefinition))
    await cluster.until('the definitions are established', async () =>
      (await cluster.api.list<Seen>('customresourcedefinitions')).every((one) =>
        one.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True'),
      ),
    )
    // The Deployment of the chart is applied as well: its pods are placed beside what Karpenter brings.
    await cluster.api.apply(...rendered.filter((object) => !isDefinition(object)))
    const pods = () => cluster.api.list<Seen>('pods', { namespace })
    await cluster.until('the controller is placed', async () =>
      (await pods()).some(({ spec }) => spec.nodeName === 'system'),
    )

    // No image is built here: what the container would run runs beside, with the environment and identity of the pod.
    const template = rendered.find(({ kind }) => kind === 'Deployment')?.spec?.template?.spec
    const env = Object.fromEntries(
      (template?.containers[0]?.env ?? []).flatMap(({ name, value }) =>
        // Ports are the test's own.
        value === undefined || name.endsWith('_PORT') ? [] : [[name, value]],
      ),
    )
    const controller = await cluster.startController('controller', {
      kubeconfig: await cluster.kubeconfigOf(namespace, template?.serviceAccountName ?? ''),
      env: { ...env, SYSTEM_NAMESPACE: namespace },
      flags: [],
    })
    const here = await cluster.scenario('shop')
    await here.apply(nodeClass, here.pool(), here.deployment('web', 0, { requests: { cpu: '500m' } }))
    await here.scale('web', 10)
    await here.settled('web', 10)
    expect((await here.nodes()).length).toBeGreaterThan(0)
    expect(controller.lines().filter(({ level }) => level === 'ERROR')).toEqual([])
    await here.end()
  })
})
