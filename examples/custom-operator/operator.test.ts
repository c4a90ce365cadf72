import { fileURLToPath } from 'node:url'

import { KubeConfig } from '@kubernetes/client-node'
import { expect, test } from '@jest/globals'
import { readDefinitions, resource, startKubeSim } from '@scantling/kube-sim'
import { systemClock } from '@scantling/provider-kit'

import { whatWouldYouDo } from './operator.ts'

const definitions = fileURLToPath(new URL('../../deploy/crds', import.meta.url))

test('reads a cluster over HTTP, plans, and says what it would do', async () => {
  const sim = await startKubeSim({
    clock: systemClock,
    port: 0,
    definitions: await readDefinitions([definitions]),
    controllers: false,
  })
  try {
    const face = sim.server.face('test')
    const nodeClassRef = { group: 'karpenter.kwok.sh', kind: 'KWOKNodeClass', name: 'default' }
    const onDemand = { key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand'] }
    await face.create(resource('karpenter.sh/v1', 'nodepools'), {
      metadata: { name: 'default' },
      spec: { template: { spec: { nodeClassRef, requirements: [onDemand] } } },
    })
    for (const [name, cpu] of [
      ['small', '500m'],
      ['huge', '5000'],
    ]) {
      const pods = { ...resource('v1', 'pods'), namespace: 'default' }
      await face.create(pods, {
        metadata: { name: name ?? '' },
        spec: { containers: [{ name: 'app', image: 'app', resources: { requests: { cpu } } }] },
      })
      const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }]
      await face.patch({ ...pods, name: name ?? '', subresource: 'status' }, 'merge', { status: { conditions } })
    }
    const config = new KubeConfig()
    config.loadFromClusterAndUser({ name: 'sim', server: sim.url ?? '', skipTLSVerify: true }, { name: 'nobody' })
    const lines = await whatWouldYouDo(config)
    expect(lines[0]).toMatch(/^Launch 1 node for 1 pod at 0\.\d{4} an hour; 1 pod has no place$/)
    expect(lines[1]).toMatch(/^ {2}\S+ us-west-2\w on-demand at 0\.\d{4}: default\/small$/)
    expect(lines[2]).toContain('Pod default/huge has no place: NodePool default: all of its')
  } finally {
    await sim.stop()
  }
})
