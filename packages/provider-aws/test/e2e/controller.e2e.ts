import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { applyNodePool, isTrue, scale, untilRunning } from '@scantling/simulation'
import { eager } from '@scantling/simulation/testing'
import { textOf } from '../emulator/index.ts'
import { awsKinds as kinds } from '../kinds.ts'
import { startAwsCluster, type AwsCluster } from './cluster.ts'

let cluster: AwsCluster
const name = 'e2e'
const discovery = [{ tags: { 'karpenter.sh/discovery': name } }]
const typeLabel = 'node.kubernetes.io/instance-type'
const reservationLabel = 'karpenter.k8s.aws/capacity-reservation-id'
const capacityTypeLabel = 'karpenter.sh/capacity-type'
const scenarioMs = 400_000
/** Unclaimed machines are looked for every two minutes. */
const collectedWithinMs = 480_000

const nodeClass = (className: string, more: object = {}) => ({
  metadata: { name: className },
  spec: {
    amiSelectorTerms: [{ alias: 'al2023@latest' }],
    role: cluster.aws.role,
    subnetSelectorTerms: discovery,
    securityGroupSelectorTerms: discovery,
    ...more,
  },
})
/** A NodePool of small amd64 machines that gives them back as soon as it can. */
const applyPool = (pool: string, capacityType: string, className = 'default') =>
  applyNodePool(
    cluster,
    { group: 'karpenter.k8s.aws', kind: 'EC2NodeClass', name: className },
    {
      name: pool,
      labels: { pool },
      spec: { disruption: eager },
      template: {
        requirements: [
          { key: 'karpenter.sh/capacity-type', operator: 'In', values: [capacityType] },
          { key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] },
          { key: 'karpenter.k8s.aws/instance-category', operator: 'In', values: ['c', 'm', 'r'] },
          { key: 'karpenter.k8s.aws/instance-generation', operator: 'Gt', values: ['4'] },
          { key: 'karpenter.k8s.aws/instance-cpu', operator: 'Lt', values: ['33'] },
        ],
      },
    },
  )
const onPool = (pool: string) => ({ nodeSelector: { pool } })
const classOf = async (className: string) =>
  (await cluster.all(kinds.nodeClasses)).find(({ metadata }) => metadata.name === className)
const isReady = async (className: string) => isTrue(await classOf(className), 'Ready')
const allRun = (app: string, pods: number) => untilRunning(cluster, pods, { app })
const nodeLabels = async () => (await cluster.all(kinds.nodes)).map(({ metadata: { labels = {} } }) => labels)
/** The ids of machines that nodes stand for, one for each node. */
const nodeIds = async () =>
  (await cluster.all(kinds.nodes)).map(({ spec }) => spec.providerID?.split('/').at(-1) ?? '').toSorted()
const ids = async () => (await cluster.instanceIds()).toSorted()
const event = (detailType: string, id: string, detail: object) =>
  JSON.stringify({
    version: '0',
    id: `e-${id}`,
    'detail-type': detailType,
    source: 'aws.ec2',
    account: '123456789012',
    time: new Date().toISOString(),
    region: cluster.aws.region,
    resources: [`arn:aws:ec2:${cluster.aws.region}:123456789012:instance/${id}`],
    detail: { 'instance-id': id, ...detail },
  })

beforeAll(async () => {
  cluster = await startAwsCluster(name)
  await cluster.face.create(kinds.nodeClasses, nodeClass('default'))
  await applyPool('on-demand', 'on-demand')
  await applyPool('spot', 'spot')
  cluster.startController()
}, 300_000)
afterAll(() => cluster?.stop(), 30_000)

describe('the controller with --provider aws over sockets', () => {
  test(
    'resolves the EC2NodeClass: images by the alias in SSM, subnets, groups, an instance profile',
    async () => {
      await cluster.counted('start and resolve', () =>
        cluster.until('the EC2NodeClass is Ready', () => isReady('default')),
      )
      const status = (await classOf('default'))?.status as unknown as Readonly<Record<string, unknown>>
      expect(status).toMatchObject({
        amis: expect.arrayContaining([expect.objectContaining({ id: expect.stringMatching(/^ami-/) })]),
        subnets: expect.arrayContaining(cluster.aws.subnets.map(({ id }) => expect.objectContaining({ id }))),
        securityGroups: [expect.objectContaining({ id: cluster.aws.securityGroup })],
        instanceProfile: expect.stringMatching(/./),
      })
    },
    scenarioMs,
  )

  test(
    'starts machines for pods, and their kubelets register them by provider id',
    async () => {
      const calls = await cluster.counted('pods become nodes', async () => {
        await cluster.deploy('web', 5, '900m', onPool('on-demand'))
        await allRun('web', 5)
      })
      const running = await ids()
      expect(await nodeIds()).toEqual(running)
      expect(calls.get('ec2:CreateFleet')).toBeLessThanOrEqual(running.length)
    },
    scenarioMs,
  )

  test(
    'consolidates to fewer machines when pods go, and EC2 has none left when all are gone',
    async () => {
      await cluster.counted('consolidation', async () => {
        await cluster.deploy('big', 6, '7', onPool('on-demand'))
        await allRun('big', 6)
        const before = (await ids()).length
        await scale(cluster, 'big', 1)
        await cluster.until('machines are given back', async () => (await ids()).length < before)
      })
      await cluster.counted('emptiness', async () => {
        await scale(cluster, 'big', 0)
        await scale(cluster, 'web', 0)
        await cluster.untilEmpty()
        expect(await cluster.all(kinds.nodes)).toEqual([])
      })
    },
    scenarioMs,
  )

  test(
    'replaces a spot machine when the queue announces its interruption, and drops what is no event',
    async () => {
      await cluster.counted('spot interruption', async () => {
        await cluster.deploy('spot', 2, '900m', onPool('spot'))
        await allRun('spot', 2)
        const [interrupted = ''] = await ids()
        await cluster.aws.send('not JSON')
        await cluster.aws.send(
          event('EC2 Spot Instance Interruption Warning', interrupted, { 'instance-action': 'terminate' }),
        )
        await cluster.until('the interrupted machine is gone', async () => !(await ids()).includes(interrupted))
        await allRun('spot', 2)
        await cluster.until('the queue is empty', async () => (await cluster.aws.waiting()) === 0)
      })
      await cluster.clear('spot')
    },
    scenarioMs,
  )

  test(
    'goes on to other types while EC2 has nothing of the cheapest, and through throttling',
    async () => {
      await cluster.counted('shortage and throttling', async () => {
        cluster.aws.state.shortages = [...cluster.aws.backend.types.keys()]
          .filter((type) => /^(c|m)\d/.test(type))
          .map((instanceType) => ({ instanceType }))
        cluster.aws.state.faults = [{ action: 'ec2:CreateFleet', code: 'RequestLimitExceeded', times: 2 }]
        await cluster.deploy('short', 2, '900m', onPool('on-demand'))
        await allRun('short', 2)
        for (const labels of await nodeLabels()) expect(labels[typeLabel]).toMatch(/^r/)
        cluster.aws.state.shortages = []
      })
      await cluster.clear('short')
    },
    scenarioMs,
  )

  test(
    'says on the claim that it may not launch, and launches once it may; descriptions that miss new machines do no harm',
    async () => {
      await cluster.counted('unauthorized, and delayed visibility', async () => {
        cluster.aws.state.hiddenForMs = 8000
        cluster.aws.state.faults = [
          { action: 'ec2:CreateFleet', code: 'UnauthorizedOperation', status: 403, times: Infinity },
        ]
        await cluster.deploy('late', 2, '900m', onPool('on-demand'))
        await cluster.until('a claim says so', async () =>
          (await cluster.all(kinds.nodeClaims)).some(({ status }) =>
            status?.conditions?.some(({ type, reason }) => type === 'Launched' && reason === 'Unauthorized'),
          ),
        )
        cluster.aws.state.faults = []
        await allRun('late', 2)
        // One machine for each claim: nobody took the hidden ones for lost.
        expect(await nodeIds()).toEqual(await ids())
        expect((await cluster.all(kinds.nodeClaims)).length).toBe((await ids()).length)
        cluster.aws.state.hiddenForMs = 0
      })
      await cluster.clear('late')
    },
    scenarioMs,
  )

  test(
    'launches into a capacity reservation',
    async () => {
      const [{ zone } = { zone: '' }] = cluster.aws.subnets
      cluster.aws.state.capacityReservations.set('cr-0123456789abcdef0', {
        id: 'cr-0123456789abcdef0',
        instanceType: 'm5.xlarge',
        zone,
        ownerId: '123456789012',
        total: 2,
        available: 2,
        matchCriteria: 'targeted',
      })
      await cluster.counted('capacity reservation', async () => {
        const terms = [{ id: 'cr-0123456789abcdef0' }]
        await cluster.face.create(kinds.nodeClasses, nodeClass('reserved', { capacityReservationSelectorTerms: terms }))
        await applyPool('reserved', 'reserved', 'reserved')
        await cluster.until('the EC2NodeClass is Ready', () => isReady('reserved'))
        await cluster.deploy('booked', 1, '900m', onPool('reserved'))
        await allRun('booked', 1)
        expect(await nodeLabels()).toMatchObject([
          { [typeLabel]: 'm5.xlarge', [capacityTypeLabel]: 'reserved', [reservationLabel]: 'cr-0123456789abcdef0' },
        ])
        expect(cluster.aws.state.capacityReservations.get('cr-0123456789abcdef0')?.available).toBe(1)
      })
      await cluster.clear('booked')
    },
    scenarioMs,
  )

  test(
    'leaves no machine without a claim when it is killed in the middle of a launch',
    async () => {
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
        await allRun('crash', 2)
        await cluster.until('every machine has a claim', async () => {
          const claims = await cluster.all(kinds.nodeClaims)
          const claimed = claims.map(({ status }) => status?.providerID?.split('/').at(-1) ?? '').toSorted()
          return claimed.length > 0 && claimed.join() === (await ids()).join()
        })
      })
      await cluster.clear('crash')
    },
    scenarioMs,
  )

  test(
    'brings up 1,000 pods with no more fleets than machines, and without describing machines one by one',
    async () => {
      let machines: ReadonlyArray<string> = []
      const calls = await cluster.counted('a burst of 1,000 pods', async () => {
        await cluster.deploy('burst', 1000, '1', onPool('on-demand'))
        await allRun('burst', 1000)
        machines = await ids()
      })
      const fleets = calls.get('ec2:CreateFleet') ?? 0
      const descriptions = calls.get('ec2:DescribeInstances') ?? 0
      const types = new Set((await cluster.aws.instances()).map((instance) => textOf(instance, 'instanceType')))
      process.stdout.write(
        `1,000 pods run on ${machines.length} machines of ${types.size} types: ${fleets} fleets, ${descriptions} descriptions of instances\n`,
      )
      expect(fleets).toBeGreaterThan(0)
      expect(fleets).toBeLessThanOrEqual(machines.length / 2)
      expect(descriptions).toBeLessThan(machines.length)
      await cluster.clear('burst')
    },
    scenarioMs,
  )

  // Minutes long, and so for those who ask: npm run e2e:aws -- --full
  if (process.env['SCANTLING_E2E'] === 'full') {
    test('collects a machine that no claim stands for, and none of another cluster', async () => {
      await cluster.counted('an orphan', async () => {
        const marks = (owner: string) => ({
          'karpenter.sh/nodepool': 'on-demand',
          'karpenter.k8s.aws/ec2nodeclass': 'default',
          'eks:eks-cluster-name': owner,
          [`kubernetes.io/cluster/${owner}`]: 'owned',
        })
        const orphan = await cluster.aws.start('m5.large', marks(name))
        const foreign = await cluster.aws.start('m5.large', marks(`${name}-2`))
        await cluster.until('the orphan is gone', async () => !(await ids()).includes(orphan), collectedWithinMs)
        expect(await ids()).toEqual([foreign])
      })
    }, 600_000)

    test('brings up 5,000 pods with a handful of fleets', async () => {
      let machines = 0
      const calls = await cluster.counted('a burst of 5,000 pods', async () => {
        await cluster.deploy('flood', 5000, '250m', onPool('on-demand'))
        await untilRunning(cluster, 5000, { app: 'flood', withinMs: collectedWithinMs })
        machines = (await ids()).length
      })
      const fleets = calls.get('ec2:CreateFleet') ?? 0
      process.stdout.write(`5,000 pods run on ${machines} machines: ${fleets} fleets\n`)
      expect(fleets).toBeLessThanOrEqual(machines / 2)
      expect(calls.get('ec2:DescribeInstances') ?? 0).toBeLessThan(machines)
    }, 600_000)
  }
})
