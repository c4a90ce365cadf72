import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { AppsV1Api, CoreV1Api, KubeConfig, Watch } from '@kubernetes/client-node'
import { startKubeSim, type KubeSim } from '@scantling/kube-sim'
import { systemClock } from '@scantling/provider-kit'

let sim: KubeSim
const config = new KubeConfig()

beforeAll(async () => {
  sim = await startKubeSim({ clock: systemClock, port: 0, controllers: false })
  config.loadFromOptions({
    clusters: [{ name: 'sim', server: sim.url ?? '', skipTLSVerify: true }],
    users: [{ name: 'me' }],
    contexts: [{ name: 'sim', cluster: 'sim', user: 'me' }],
    currentContext: 'sim',
  })
})
afterAll(() => sim.stop())

test('the JavaScript client creates, lists, watches and is told why it was refused', async () => {
  const core = config.makeApiClient(CoreV1Api)
  const seen: string[] = []
  const abort = await new Watch(config).watch(
    '/api/v1/namespaces/default/configmaps',
    {},
    (type, object: { metadata: { name: string } }) => seen.push(`${type} ${object.metadata.name}`),
    () => undefined,
  )
  await core.createNamespacedConfigMap({ namespace: 'default', body: { metadata: { name: 'a' }, data: { k: 'v' } } })
  const list = await core.listNamespacedConfigMap({ namespace: 'default' })
  expect(list.items.map(({ metadata, data }) => [metadata?.name, data])).toEqual([['a', { k: 'v' }]])
  expect(list.items[0]?.metadata?.creationTimestamp).toBeInstanceOf(Date)
  const startMs = systemClock.nowMs()
  while (seen.length === 0 && systemClock.nowMs() - startMs < 5000) await systemClock.sleep(5)
  expect(seen).toEqual(['ADDED a'])
  abort.abort()

  const refused = config.makeApiClient(AppsV1Api).createNamespacedDeployment({
    namespace: 'default',
    body: {
      metadata: { name: 'web' },
      spec: { replicas: -1, selector: { matchLabels: { a: 'b' } }, template: { metadata: { labels: { a: 'b' } } } },
    },
  })
  await expect(refused).rejects.toMatchObject({ code: 422, body: expect.stringContaining('spec.replicas') })
})
