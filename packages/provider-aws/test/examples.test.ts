import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import * as E from 'fp-ts/lib/Either.js'
import { parse, parseAllDocuments } from 'yaml'
import { userDataOf } from '../src/bootstrap/index.ts'
import { controllerPolicies } from '../src/iam/policies.ts'
import { conditionTypes, familyOf } from '../src/node-class/index.ts'
import { awsSettings } from '../src/settings.ts'
import { decodeNodeClass } from './subjects.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const examples = `${root}examples/`

/** The EC2NodeClass of an example. What its NodePool makes of it, the plan in the README tells. */
const nodeClassOf = (example: string) => {
  const documents = parseAllDocuments(readFileSync(`${examples}${example}/nodepool.yaml`, 'utf8'))
  const manifest = documents.map((each) => each.toJS() as Readonly<Record<string, unknown>>)
  return decodeNodeClass(manifest.find(({ kind }) => kind === 'EC2NodeClass'))
}
const userDataFor = (example: string): string => {
  const decoded = nodeClassOf(example)
  if (E.isLeft(decoded)) throw new Error(JSON.stringify(decoded.left))
  const { spec } = decoded.right
  const made = userDataOf(familyOf(spec), {
    clusterName: 'my-cluster',
    clusterEndpoint: 'https://my-cluster.example.com',
    caBundle: 'Y2E=',
    clusterCidr: '10.100.0.0/16',
    kubelet: { settings: { maxPods: 30 }, fields: { maxPods: 30 } },
    taints: [{ key: 'karpenter.sh/unregistered', effect: 'NoExecute' }],
    labels: {},
    ...(spec.userData !== undefined && { userData: spec.userData }),
  })
  if (E.isLeft(made)) throw new Error(made.left)
  return Buffer.from(made.right.base64, 'base64').toString()
}

describe('the examples for AWS', () => {
  // The tutorial's is of v1beta1: what plans it converts it first.
  const all = readdirSync(examples).filter((name) => name.startsWith('aws-') && name !== 'aws-tutorial')

  test('are of every image family that they promise', () => {
    const families = all.map((example) => {
      const decoded = nodeClassOf(example)
      return [example, E.isRight(decoded) ? familyOf(decoded.right.spec) : decoded.left] as const
    })
    expect(Object.fromEntries(families)).toEqual({
      'aws-bottlerocket': 'Bottlerocket',
      'aws-custom-ami': 'Custom',
      'aws-efa': 'AL2023',
      'aws-gpu': 'AL2023',
      'aws-spot-diversified': 'AL2023',
      'aws-windows': 'Windows2022',
    })
  })

  test('give their nodes user data in the form of the family, what the manifest says included', () => {
    expect(userDataFor('aws-bottlerocket')).toMatch(/\[settings\.kubernetes\][^]*cluster-name = "my-cluster"/)
    expect(userDataFor('aws-bottlerocket')).toContain('8192')
    expect(userDataFor('aws-custom-ami')).toMatch(/^#!\/bin\/bash\n\/etc\/eks\/bootstrap\.sh my-cluster/)
    expect(userDataFor('aws-windows')).toMatch(/^<powershell>[^]*Write-Host[^]*my-cluster/)
    expect(userDataFor('aws-gpu')).toContain('kind: NodeConfig')
  })
})

describe('docs/aws.md', () => {
  const page = readFileSync(`${root}docs/aws.md`, 'utf8')

  test('shows an EC2NodeClass that is accepted', () => {
    const [, text = ''] = /```yaml\n(.*?)```/s.exec(page) ?? []
    expect(E.isRight(decodeNodeClass(parse(text)))).toBe(true)
  })

  test('names every condition, every policy, and every example', () => {
    const scope = { partition: '', region: '', account: '', cluster: '', nodeRoleArn: '', queueArn: '' }
    const wanted = [
      ...Object.values(conditionTypes),
      ...controllerPolicies(scope).map(({ name }) => name),
      ...readdirSync(examples).filter((name) => name.startsWith('aws-')),
    ]
    expect(wanted.filter((name) => !page.includes(name))).toEqual([])
  })

  test('names no flag that there is not', () => {
    const flags = new Set(Object.values(awsSettings.fields).map(({ flag }) => flag))
    // Of the AWS and scantling command lines, and of the controller for every provider.
    const others = new Set([
      ...['stack-name', 'template-file', 'parameter-overrides', 'capabilities', 'aws-service-name', 'output'],
      ...['catalog', 'region', 'prices', 'provider', 'help'],
    ])
    const named = [...page.matchAll(/--([a-z][a-z-]+)/g)].map(([, flag = '']) => flag)
    expect(named.filter((flag) => !flags.has(flag) && !others.has(flag))).toEqual([])
  })
})
