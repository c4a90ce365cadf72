import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { kinds, startAwsCluster, type AwsCluster } from './cluster.ts'

let cluster: AwsCluster
const name = 'e2e'
const discovery = [{ tags: { 'karpenter.sh/discovery': name } }]

const nodePool = (pool: string, capacityType: string) => ({
  metadata: { name: pool },
  spec: {
    disruption: {
      consolidationPolicy: 'WhenEmptyOrUnderutilized',
      consolidateAfter: '0s',
      budgets: [{ nodes: '100%' }],
    },
    template: {
      metadata: { labels: { pool } },
      spec: {
        nodeClassRef: { group: 'karpenter.k8s.aws', kind: 'EC2NodeClass', name: 'default' },
        requirements: [
          { key: 'karpenter.sh/capacity-type', operator: 'In', values: [capacityType] },
          { key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] },
          { key: 'karpenter.k8s.aws/instance-category', operator: 'In', values: ['c', 'm', 'r'] },
          { key: 'karpenter.k8s.aws/instance-generation', operator: 'Gt', values: ['4'] },
          { key: 'karpenter.k8s.aws/instance-cpu', operator: 'Lt', values: ['33'] },
        ],
      },
    },
  },
})
const onPool = (pool: string) => ({ nodeSelector: { pool } })
const condition = async (type: string) =>
  (await cluster.all('nodeClasses'))[0]?.status?.conditions?.find((each) => each.type === type)

beforeAll(async () => {
  cluster = await startAwsCluster(name)
  await cluster.face.create(kinds.nodeClasses, {
    metadata: { name: 'default' },
    spec: {
      amiSelectorTerms: [{ alias: 'al2023@latest' }],
      role: cluster.aws.role,
      subnetSelectorTerms: discovery,
      securityGroupSelectorTerms: discovery,
    },
  })
  await cluster.face.create(kinds.nodePools, nodePool('on-demand', 'on-demand'))
  await cluster.face.create(kinds.nodePools, nodePool('spot', 'spot'))
  cluster.startController()
}, 300_000)
afterAll(() => cluster?.stop(), 30_000)

describe('the controller with --provider aws over sockets', () => {
  test('resolves the EC2NodeClass', async () => {
    await cluster.counted('start and resolve', () =>
      cluster.until('the EC2NodeClass is Ready', async () => (await condition('Ready'))?.status === 'True', 90_000),
    )
  }, 120_000)

  test('starts machines for pods, and their kubelets register them by provider id', async () => {
    const calls = await cluster.counted('pods become nodes', async () => {
      await cluster.deploy('web', 5, '900m', onPool('on-demand'))
      await cluster.until('5 pods run', async () => (await cluster.runningPods('web')) === 5)
    })
    const ids = await cluster.instanceIds()
    const nodes = await cluster.all('nodes')
    expect(new Set(nodes.map(({ spec }) => spec.providerID?.split('/').at(-1)))).toEqual(new Set(ids))
    expect(nodes).toHaveLength(ids.length)
    expect(calls.get('ec2:CreateFleet')).toBeLessThanOrEqual(ids.length)
  }, 120_000)

  test('consolidates to fewer machines when pods go, and EC2 has none left when all are gone', async () => {
    await cluster.counted('consolidation', async () => {
      await cluster.deploy('big', 6, '7', onPool('on-demand'))
      await cluster.until('6 more pods run', async () => (await cluster.runningPods('big')) === 6)
      const before = (await cluster.instanceIds()).length
      await cluster.scale('big', 1)
      await cluster.until('machines are given back', async () => (await cluster.instanceIds()).length < before)
    })
    await cluster.counted('emptiness', async () => {
      await cluster.scale('big', 0)
      await cluster.scale('web', 0)
      await cluster.until('EC2 has no instance', async () => (await cluster.instanceIds()).length === 0, 90_000)
      await cluster.until('no claim is left', async () => (await cluster.all('nodeClaims')).length === 0)
      expect(await cluster.all('nodes')).toEqual([])
    })
  }, 240_000)

  test('replaces a spot machine when the queue announces its interruption', async () => {
    await cluster.counted('spot interruption', async () => {
      await cluster.deploy('spot', 2, '900m', onPool('spot'))
      await cluster.until('2 pods run', async () => (await cluster.runningPods('spot')) === 2)
      const [interrupted = ''] = await cluster.instanceIds()
      await cluster.aws.send(
        JSON.stringify({
          version: '0',
          id: 'e-1',
          'detail-type': 'EC2 Spot Instance Interruption Warning',
          source: 'aws.ec2',
          account: '123456789012',
          time: new Date().toISOString(),
          region: cluster.aws.region,
          resources: [`arn:aws:ec2:${cluster.aws.region}:123456789012:instance/${interrupted}`],
          detail: { 'instance-id': interrupted, 'instance-action': 'terminate' },
        }),
      )
      await cluster.aws.send('not JSON')
      await cluster.until(
        'the interrupted machine is gone',
        async () => !(await cluster.instanceIds()).includes(interrupted),
        90_000,
      )
      await cluster.until('2 pods run elsewhere', async () => (await cluster.runningPods('spot')) === 2)
      await cluster.scale('spot', 0)
      await cluster.until('EC2 has no instance', async () => (await cluster.instanceIds()).length === 0, 90_000)
    })
  }, 240_000)

  test('goes on to other types while EC2 has nothing of the cheapest, and through throttling', async () => {
    await cluster.counted('shortage', async () => {
      cluster.aws.state.shortages = [...cluster.aws.backend.types.keys()]
        .filter((type) => /^(c|m)\d/.test(type))
        .map((instanceType) => ({ instanceType }))
      cluster.aws.state.faults = [{ action: 'ec2:CreateFleet', code: 'RequestLimitExceeded', times: 2 }]
      await cluster.deploy('short', 2, '900m', onPool('on-demand'))
      await cluster.until('2 pods run', async () => (await cluster.runningPods('short')) === 2, 90_000)
      for (const { metadata } of await cluster.all('nodes'))
        expect(metadata.labels?.['node.kubernetes.io/instance-type']).toMatch(/^r/)
      cluster.aws.state.shortages = []
      await cluster.scale('short', 0)
      await cluster.until('EC2 has no instance', async () => (await cluster.instanceIds()).length === 0, 90_000)
    })
  }, 240_000)

  test('leaves no machine without a claim when it is killed in the middle of a launch', async () => {
    await cluster.counted('killed while launching', async () => {
      // The fleet is made, and nobody lives to hear of it.
      let killed: Promise<void> | undefined
      cluster.aws.state.faults = [{ action: 'ec2:CreateFleet', code: '', after: true }]
      cluster.aws.onCall((action) => {
        if (action === 'ec2:CreateFleet') killed ??= cluster.killController()
      })
      await cluster.deploy('crash', 2, '900m', onPool('on-demand'))
      await cluster.until('the controller died', async () => killed !== undefined)
      await killed
      cluster.aws.onCall(() => undefined)
      cluster.startController()
      await cluster.until('2 pods run', async () => (await cluster.runningPods('crash')) === 2, 120_000)
      await cluster.until(
        'every machine has a claim',
        async () => {
          const claimed = (await cluster.all('nodeClaims')).map(({ status }) => status?.providerID?.split('/').at(-1))
          const ids = await cluster.instanceIds()
          return ids.length > 0 && ids.every((id) => claimed.includes(id)) && new Set(claimed).size === claimed.length
        },
        480_000,
      )
      await cluster.scale('crash', 0)
      await cluster.until('EC2 has no instance', async () => (await cluster.instanceIds()).length === 0, 90_000)
    })
  }, 720_000)

  test('brings up 1,000 pods with no more fleets than machines, and without describing machines one by one', async () => {
    let machines = 0
    const calls = await cluster.counted('a burst of 1,000 pods', async () => {
      await cluster.deploy('burst', 1000, '1', onPool('on-demand'))
      await cluster.until('1,000 pods run', async () => (await cluster.runningPods('burst')) === 1000, 120_000)
      machines = (await cluster.instanceIds()).length
    })
    process.stdout.write(`1,000 pods run on ${machines} machines\n`)
    expect(calls.get('ec2:CreateFleet')).toBeLessThanOrEqual(machines)
    expect(calls.get('ec2:DescribeInstances') ?? 0).toBeLessThan(machines)
  }, 180_000)
})
