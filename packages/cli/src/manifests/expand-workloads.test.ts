import { describe, expect, test } from '@jest/globals'

import { parseManifests } from './read-manifests.ts'
import { sortObjects } from './sort-objects.ts'

const sort = (text: string) => sortObjects(parseManifests(text, 'all.yaml').manifests)
const names = (text: string) => sort(text).lists.pods.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)

const workload = (kind: string, spec: string, more = '') => `
apiVersion: ${kind === 'Job' ? 'batch/v1' : 'apps/v1'}
kind: ${kind}
metadata: { name: web, namespace: shop }
${more}
spec:
  ${spec}
  template:
    metadata: { labels: { app: web } }
    spec:
      containers: [{ name: app, resources: { requests: { cpu: 1 }, limits: { cpu: 2, memory: 1Gi } } }]
`

describe('workloads become the pods that their controllers would create', () => {
  test('replicas, waiting for a place, with limits standing in for requests', () => {
    const { pods } = sort(workload('Deployment', 'replicas: 3')).lists
    expect(pods.map(({ metadata }) => metadata.name)).toEqual(['web-1', 'web-2', 'web-3'])
    const [pod] = pods
    expect(pod?.metadata.labels).toEqual({ app: 'web' })
    expect(pod?.metadata.ownerReferences).toMatchObject([{ kind: 'ReplicaSet', controller: true }])
    expect(pod?.spec.containers[0]?.resources.requests).toEqual({ cpu: '1', memory: '1Gi' })
    expect(pod?.status.conditions).toMatchObject([{ type: 'PodScheduled', reason: 'Unschedulable' }])
    expect(new Set(pods.map(({ metadata }) => metadata.uid)).size).toBe(3)
  })

  test('one replica where none are named; StatefulSets count from 0; Jobs start what may run at once', () => {
    expect(names(workload('Deployment', 'minReadySeconds: 1'))).toEqual(['shop/web-1'])
    expect(names(workload('ReplicaSet', 'replicas: 0'))).toEqual([])
    expect(names(workload('StatefulSet', 'replicas: 2'))).toEqual(['shop/web-0', 'shop/web-1'])
    expect(names(workload('Job', 'parallelism: 5, completions: 2'.replace(', ', '\n  ')))).toEqual([
      'shop/web-1',
      'shop/web-2',
    ])
  })

  test('a workload of a live cluster has its pods there', () => {
    expect(names(workload('Deployment', 'replicas: 3', 'status: { replicas: 3 }'))).toEqual([])
    expect(names(workload('Job', 'parallelism: 3', 'status: { startTime: "2026-01-01T00:00:00Z" }'))).toEqual([])
  })

  test('the claims of a StatefulSet come with its pods, of the default class where none is named', () => {
    const storageClass = `
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: standard, annotations: { storageclass.kubernetes.io/is-default-class: "true" } }
provisioner: csi.example.com
volumeBindingMode: WaitForFirstConsumer
`
    const templates = 'volumeClaimTemplates: [{ metadata: { name: data }, spec: {} }]'
    const { lists } = sort(`${workload('StatefulSet', `replicas: 2\n  ${templates}`)}---${storageClass}`)
    expect(lists.volumeClaims.map(({ metadata }) => metadata.name)).toEqual(['data-web-0', 'data-web-1'])
    expect(lists.volumeClaims[0]?.spec.storageClassName).toBe('standard')
    expect(lists.pods[1]?.spec.volumes).toMatchObject([{ persistentVolumeClaim: { claimName: 'data-web-1' } }])
  })
})

describe('what admission would add', () => {
  test('priority by class, and by the default class where none is named', () => {
    const classes = ['high', 'normal']
      .map(
        (name, index) => `
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: { name: ${name} }
value: ${100 - index}
globalDefault: ${name === 'normal'}
`,
      )
      .join('---')
    const pod = (name: string, spec: string) => `
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec: { ${spec} }
`
    const { pods } = sort(
      [classes, pod('a', 'priorityClassName: high'), pod('b', ''), pod('c', 'priority: 7')].join('---'),
    ).lists
    expect(pods.map(({ spec }) => spec.priority)).toEqual([100, 99, 7])
  })

  test('every namespace in use, labelled with its name', () => {
    const { namespaces } = sort(workload('Deployment', 'replicas: 1')).lists
    expect(namespaces.map(({ metadata }) => metadata.labels)).toEqual([{ 'kubernetes.io/metadata.name': 'shop' }])
  })
})

describe('parseManifests()', () => {
  test('unpacks lists as kubectl prints them', () => {
    const list = { apiVersion: 'v1', kind: 'List', items: [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } }] }
    const { manifests } = parseManifests(JSON.stringify(list), 'all.json')
    expect(manifests).toMatchObject([{ document: 1, object: { kind: 'Pod' } }])
  })

  test('counts documents as they stand, empty ones too', () => {
    const pod = 'apiVersion: v1\nkind: Pod\nmetadata: { name: a }\n'
    const { manifests, problems } = parseManifests(`# first\n---\n${pod}---\n---\n${pod}`, 'f')
    expect(manifests.map(({ document }) => document)).toEqual([1, 3])
    expect(problems).toEqual([])
  })

  test('says of what is no object what was expected', () => {
    expect(parseManifests('just text', 'f').problems).toEqual([
      'f, document 1: Expected a Kubernetes object with apiVersion, kind and metadata.name',
    ])
  })

  test('survives aliases that unfold without end', () => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x, x]']
    for (const [index, name] of [...'bcdefg'].entries()) {
      const above = 'abcdefg'[index] ?? ''
      bomb.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${above}`).join(', ')}]`)
    }
    expect(parseManifests(bomb.join('\n'), 'f').problems[0]).toContain('f, document 1: Cannot read YAML')
  })
})
