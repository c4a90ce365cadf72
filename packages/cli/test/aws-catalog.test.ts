import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from '@jest/globals'
import { scantling } from './command-line.ts'
import { scratchDirectory } from './scratch-directory.ts'

const directory = scratchDirectory()

const write = (name: string, text: string): string => {
  const file = join(directory, name)
  writeFileSync(file, text)
  return file
}

const nodeClass = (spec = '', alias = 'al2023@latest', name = 'default') => `
apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: { name: ${name} }
spec:
  role: node
  amiSelectorTerms: [{ alias: ${alias} }]
  subnetSelectorTerms: [{ tags: { karpenter.sh/discovery: demo } }]
  securityGroupSelectorTerms: [{ tags: { karpenter.sh/discovery: demo } }]
  ${spec}
`
const nodePool = (requirements: string, name = 'default') => `
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: { name: ${name} }
spec:
  template:
    spec:
      nodeClassRef: { group: karpenter.k8s.aws, kind: EC2NodeClass, name: ${name} }
      requirements: [${requirements}]
`
const deployment = (selector = '') => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 20
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      ${selector}
      containers: [{ name: web, image: web, resources: { requests: { cpu: 100m } } }]
`
const m5 = '{ key: node.kubernetes.io/instance-type, operator: In, values: [m5.large, m5.xlarge] }'
const onDemand = '{ key: karpenter.sh/capacity-type, operator: In, values: [on-demand] }'
const manifests = (...documents: ReadonlyArray<string>) => write('all.yaml', documents.join('---'))
// A region of few types, which are the sooner read.
const plan = (file: string, ...more: ReadonlyArray<string>) =>
  scantling('plan', '-f', file, '--catalog', 'aws', '--region', 'me-south-1', ...more)

describe('plan --catalog aws', () => {
  test('plans with EC2’s types and zones, and says in every output where figures come from and that prices are made up', async () => {
    const file = manifests(nodeClass(), nodePool(`${m5}, ${onDemand}`), deployment())
    const labels = [
      /Types and zones of [a-z]+-[a-z]+-1: moto \d+\.\d+\.\d+, .*Apache-2\.0, of \d{4}-\d\d-\d\d/,
      /PRICES ARE SYNTHETIC: .*--prices FILE/,
    ]
    const text = await scantling('plan', '-f', file, '--catalog', 'aws', '--region', 'eu-west-1')
    expect(text).toMatchObject({ exitCode: 0, err: '' })
    expect(text.out).toMatch(/new-1 +default +m5\.\w+ +eu-west-1[abc] +on-demand/)
    const others = [await plan(file, '--for', 'disruption'), await plan(file, '--why', 'web-1')]
    for (const { out } of [text, ...others]) for (const label of labels) expect(out).toMatch(label)
    const json = JSON.parse((await plan(file, '--json')).out) as {
      readonly catalog: {
        readonly sources: { readonly prices: { readonly isSynthetic: boolean } }
        readonly notes: unknown
      }
    }
    expect(json.catalog.sources).toMatchObject({
      types: { from: expect.stringContaining('moto'), license: 'Apache-2.0', date: expect.any(String) },
      prices: { isSynthetic: true, from: expect.stringContaining('no price of AWS') },
    })
    expect(json.catalog.notes).toEqual(expect.arrayContaining([expect.stringMatching(/SYNTHETIC/)]))
  })

  test('sees types as their EC2NodeClass does: pods by kubelet settings, images by alias', async () => {
    const few = await plan(manifests(nodeClass('kubelet: { maxPods: 5 }'), nodePool(m5), deployment()))
    expect(few.out).toContain('4 nodes to launch')
    const windows = manifests(
      nodeClass('', 'windows2022@latest'),
      nodePool(m5),
      deployment('nodeSelector: { kubernetes.io/os: windows }'),
    )
    expect(await plan(windows)).toMatchObject({ exitCode: 0 })
  })

  test('refuses an EC2NodeClass that the API server would, with its field, and goes on with the others', async () => {
    const file = manifests(
      nodeClass('instanceProfile: both'),
      nodePool(m5),
      nodeClass('', 'bottlerocket@latest', 'sound'),
      nodePool(m5, 'sound'),
      deployment(),
    )
    const { exitCode, out, err } = await plan(file)
    expect(err).toMatch(/Refused: .*all\.yaml, document 1 \(EC2NodeClass default\): spec: .*exactly one of/)
    expect(out).toMatch(/new-1 +sound/)
    expect(exitCode).toBe(1)
    const kubelet = await plan(manifests(nodeClass('kubelet: { maxPods: "vcpus +" }'), nodePool(m5), deployment()))
    expect(kubelet.err).toMatch(/Refused: .*EC2NodeClass default/)
  })

  test('takes the user’s prices in place of made-up ones, as lines or as the AWS command line prints them', async () => {
    const file = manifests(nodeClass(), nodePool(m5), deployment())
    const lines = write('lines.txt', 'InstanceType Price\nm5.xlarge 0.2 # dear\nm5.xlarge, 0.07, spot, me-south-1b\n')
    const brought = await plan(file, '--prices', lines)
    expect(brought.out).toMatch(/m5\.xlarge +me-south-1b +spot +0\.0700/)
    expect(brought.out).toContain(`Prices: ${lines}; types without one there are not bought`)
    expect(brought.out).not.toContain('SYNTHETIC')
    const product = {
      product: { attributes: { instanceType: 'm5.large' } },
      terms: { OnDemand: { a: { priceDimensions: { b: { pricePerUnit: { USD: '0.1110' } } } } } },
    }
    const list = write('list.json', JSON.stringify({ PriceList: [JSON.stringify(product)] }))
    expect((await plan(file, '--prices', list)).out).toMatch(/m5\.large .* 0\.1110/)
  })

  test.each([
    [['--region', 'eu-west-9'], 1, 'Cannot plan for region "eu-west-9": the catalogue knows af-south-1'],
    [['--region', 'eu-west-1', '--prices', 'nowhere'], 1, 'Cannot read prices from nowhere: there is no such file'],
    [[], 2, 'Name the region of --catalog aws'],
  ])('%j is told with its remedy', async (args, exitCode, sentence) => {
    const file = manifests(nodeClass(), nodePool(m5), deployment())
    const told = await scantling('plan', '-f', file, '--catalog', 'aws', ...args)
    expect(told.exitCode).toBe(exitCode)
    expect(told.err).toContain(sentence)
  })

  test('a price that cannot be read is told with its line, and prices go with this catalogue alone', async () => {
    const file = manifests(nodeClass(), nodePool(m5), deployment())
    const broken = write('broken.txt', 'm5.large 0.1\nm5.xlarge cheap\n')
    expect((await plan(file, '--prices', broken)).err).toMatch(
      /line 2 is "m5\.xlarge cheap"; write lines of TYPE PRICE/,
    )
    expect(await scantling('plan', '-f', file, '--prices', broken)).toMatchObject({ exitCode: 2 })
  })

  test('takes manifests of v1beta1 once they are converted', async () => {
    const old = `
apiVersion: karpenter.k8s.aws/v1beta1
kind: EC2NodeClass
metadata: { name: default }
spec:
  amiFamily: AL2
  role: node
  subnetSelectorTerms: [{ tags: { karpenter.sh/discovery: demo } }]
  securityGroupSelectorTerms: [{ tags: { karpenter.sh/discovery: demo } }]
`
    const file = manifests(old, nodePool(m5), deployment())
    const converted = await scantling('convert', '-f', file)
    expect(converted.out).toContain('alias: al2@latest')
    expect(await plan(write('converted.yaml', converted.out))).toMatchObject({ exitCode: 0, err: '' })
  })
})

describe('scantling explain, of a cluster on AWS', () => {
  const pending = `
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: default }
spec: { containers: [{ name: web, image: web, resources: { requests: { cpu: '1' } } }] }
status: { phase: Pending, conditions: [{ type: PodScheduled, status: 'False', reason: Unschedulable }] }
`
  const system = (region: string) => `
apiVersion: v1
kind: Node
metadata: { name: system, labels: { topology.kubernetes.io/region: ${region} } }
`
  const ofFamily = '{ key: karpenter.k8s.aws/instance-family, operator: In, values: [m7i] }'
  const cluster = (region: string) =>
    write(`cluster-${region}.yaml`, [nodeClass(), nodePool(ofFamily), system(region), pending].join('---'))

  test('takes the types of the region that its Nodes tell, and says where prices come from', async () => {
    const { out, err } = await scantling('explain', 'pod', 'web', '-f', cluster('eu-west-1'))
    expect(out).toContain('would be launched for it: m7i.large')
    expect(err).toContain('of the catalogue aws for eu-west-1')
    expect(err).toContain('SYNTHETIC')
  })

  test('a region may be named instead, and one that is not known is told with those that are', async () => {
    const named = ['--catalog', 'aws', '--region']
    const { out } = await scantling('explain', 'pod', 'web', '-f', cluster('mars-1'), ...named, 'us-east-1')
    expect(out).toContain('m7i.large')
    expect(await scantling('explain', 'pod', 'web', '-f', cluster('mars-1'))).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining('Cannot plan for region "mars-1": the catalogue knows'),
    })
  })
})
