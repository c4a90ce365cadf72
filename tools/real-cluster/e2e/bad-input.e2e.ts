import { createServer } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { renderChart } from '../chart.ts'
import { namespaceOf, nodeClass } from '../manifests.ts'
import { definitions, startTestCluster, type RunningController, type TestCluster } from '../test-cluster.ts'

const namespace = 'karpenter'

/** Everyone makes such mistakes: each has to be told by name, and nothing may be lost meanwhile. */
describe('What is wrong around the controller', () => {
  let cluster: TestCluster
  const started: Array<RunningController> = []
  const start = async (...given: Parameters<TestCluster['startController']>) => {
    const controller = await cluster.startController(...given)
    started.push(controller)
    return controller
  }
  beforeAll(async () => {
    cluster = await startTestCluster({ areDefinitionsInstalled: false })
  })
  afterAll(() => cluster.stop())
  afterEach(async () => {
    for (const controller of started.splice(0)) await controller.stop()
  })

  test('definitions are missing: it says which, waits, and goes on when they are there', async () => {
    const controller = await start('no-definitions', { isReadyAwaited: false })
    await cluster.until('readiness names them', async () => {
      const said = (await controller.readiness()) ?? ''
      return ['nodepools', 'nodeclaims', 'kwoknodeclasses', 'install'].every((word) => said.includes(word))
    })
    await cluster.api.create(...definitions())
    await cluster.until('it is ready', async () => (await controller.readiness()) === 'ok')
  })

  test('definitions are older, without fields that are used: the log names them, and what is dropped does no harm', async () => {
    const [older] = definitions().filter(({ metadata }) => metadata.name === 'nodeclaims.karpenter.sh')
    expect(older).toBeDefined()
    // As they were before static capacity, node repair and the like: conditions have no observedGeneration.
    await cluster.api.request(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/nodeclaims.karpenter.sh`, {
      method: 'PATCH',
      contentType: 'application/json-patch+json',
      body: [
        {
          op: 'remove',
          path: '/spec/versions/0/schema/openAPIV3Schema/properties/status/properties/conditions/items/properties/observedGeneration',
        },
        { op: 'remove', path: '/spec/versions/0/schema/openAPIV3Schema/properties/status/properties/imageID' },
      ],
    })
    const here = await cluster.scenario('older')
    await cluster.api.apply(nodeClass)
    const controller = await start('older-definitions')
    await here.apply(here.pool(), here.deployment('web', 3))
    await here.settled('web', 3)
    await cluster.until('the log names what is dropped, and the remedy', () =>
      Promise.resolve(
        controller
          .lines()
          .some(
            ({ message, field }) =>
              field === 'status.conditions[].observedGeneration' &&
              String(message).includes('CustomResourceDefinition is older'),
          ),
      ),
    )
    await here.end()
  })

  describe('a right is missing', () => {
    const rendered = renderChart(namespace).filter(({ kind }) => kind !== 'Deployment')
    const roles = rendered.filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role')
    const without = (verb: string, resource: string) =>
      rendered.map((object) =>
        object.rules === undefined
          ? object
          : {
              ...object,
              rules: object.rules.map((rule) =>
                rule.resources?.includes(resource) === true
                  ? { ...rule, verbs: rule.verbs.filter((one) => one !== verb) }
                  : rule,
              ),
            },
      )
    const startWithout = async (verb: string, resource: string, group: string) => {
      await cluster.api.apply(namespaceOf(namespace), nodeClass, ...without(verb, resource))
      const controller = await start(`cannot-${verb}-${resource}`, {
        kubeconfig: await cluster.kubeconfigOf(namespace, 'scantling'),
        flags: [`--leader-election-namespace=${namespace}`],
        isReadyAwaited: false,
      })
      const complaint = new RegExp(`cannot ${verb} resource .{0,2}${resource}.{0,2} in API group .{0,2}${group}`)
      return { controller, complaint }
    }

    test('to create what is bought: the log names verb and resource, and what was begun is finished when it is granted', async () => {
      const { controller, complaint } = await startWithout('create', 'nodeclaims', 'karpenter.sh')
      const here = await cluster.scenario('rights')
      await here.apply(here.pool(), here.deployment('web', 3))
      await cluster.until('the log names the right', async () => complaint.test(controller.output()))
      await cluster.api.apply(...roles)
      await here.settled('web', 3)
      await here.end()
    })

    test('to read: readiness and log name verb and resource, and it is ready when it is granted', async () => {
      // This server streams what there is, so the right to list would not be missed.
      const { controller, complaint } = await startWithout('watch', 'nodepools', 'karpenter.sh')
      await cluster.until('readiness names the right', async () => complaint.test((await controller.readiness()) ?? ''))
      expect(controller.output()).toMatch(complaint)
      await cluster.api.apply(...roles)
      await cluster.until('it is ready', async () => (await controller.readiness()) === 'ok')
    })

    test('to lead: the log names verb and resource, and it leads when it is granted', async () => {
      const { controller, complaint } = await startWithout('patch', 'leases', 'coordination.k8s.io')
      await cluster.until('the log names the right', async () => complaint.test(controller.output()))
      await cluster.api.apply(...roles)
      await cluster.until('it leads', async () =>
        controller.lines().some(({ message }) => message === 'This replica leads'),
      )
    })
  })

  test('a webhook does not answer: the log names it, and machines are bought when it is gone', async () => {
    const silent = createServer(() => undefined)
    await new Promise<void>((listening) => silent.listen(9443, '127.0.0.1', listening))
    const here = await cluster.scenario('webhook')
    const controller = await start('webhook')
    await cluster.api.apply({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'silent' },
      webhooks: [
        {
          name: 'silent.example.com',
          clientConfig: { url: 'https://127.0.0.1:9443/' },
          rules: [
            { apiGroups: ['karpenter.sh'], apiVersions: ['*'], operations: ['CREATE'], resources: ['nodeclaims'] },
          ],
          timeoutSeconds: 1,
          failurePolicy: 'Fail',
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
        },
      ],
    })
    await here.apply(here.pool(), here.deployment('web', 3))
    await cluster.until('the log names it', () => Promise.resolve(controller.output().includes('silent.example.com')))
    await cluster.api.remove('validatingwebhookconfigurations', 'silent')
    await here.settled('web', 3)
    expect(await here.claims()).toHaveLength(1)
    await here.end()
    silent.close()
  })

  test.each([
    ['ahead', 7],
    ['behind', -7],
  ])('the clock is minutes %s: the log says by how many, and pods run all the same', async (way, minutes) => {
    const here = await cluster.scenario(`clock-${way}`)
    const controller = await start(`clock-${way}`, { nodeFlags: ['--import', shiftedByMs(minutes * 60_000)] })
    await here.apply(here.pool(), here.deployment('web', 3))
    await here.settled('web', 3)
    await cluster.until('the log tells', () =>
      Promise.resolve(
        controller.lines().some(({ message }) => new RegExp(`clock .* 4[12]\\ds ${way}`).test(String(message))),
      ),
    )
    expect(await here.claims()).toHaveLength(1)
    await here.end()
  })

  test('two controllers work on one cluster: each says so, and no machine is lost', async () => {
    const cloud = await cluster.startCloud()
    const here = await cluster.scenario('two')
    const flags = ['--leader-elect=false', `--kwok-cloud-url=${cloud.url}`]
    const two = [await start('one-of-two', { flags }), await start('other-of-two', { flags })]
    // What a leader before them left is none of their business, so they look only after a while.
    await new Promise((wake) => setTimeout(wake, 31_000))
    await here.apply(here.pool(), here.deployment('web', 9, { requests: { cpu: '1' } }))
    await here.settled('web', 9)
    for (const one of two)
      await cluster.until('it tells of the other', () => Promise.resolve(one.output().includes('another controller')))
    await two[1]?.stop()
    // What was bought twice is empty or half empty, and goes.
    await cluster.until(
      'machines and claims agree',
      async () => {
        const alive = (await cloud.machines()).filter(({ state }) => state === 'pending' || state === 'running')
        return alive.length === (await here.claims()).length && (await here.running('web')) === 9
      },
      120_000,
    )
    await here.end()
  })
})

/** A module for Node to start with, after which the wall clock is wrong. */
const shiftedByMs = (byMs: number): string =>
  `data:text/javascript,${encodeURIComponent(
    `const now = Date.now; Date.now = () => now() + ${byMs}; globalThis.Date = class extends Date { constructor(...args) { args.length === 0 ? super(Date.now()) : super(...args) } }`,
  )}`
