import { describe, expect, test } from '@jest/globals'

import { Resources } from '../quantity/index.ts'
import { podObject } from '../testing/index.ts'
import { ingestPod, makePodInterner, podRequests, withLimitsAsRequests } from './index.ts'

const container = (name: string, requests: Readonly<Record<string, string>>, more: object = {}) => ({
  name,
  resources: { requests },
  ...more,
})
const pod = (spec: object, more: object = {}) => podObject('p', {}, { spec, ...more })
const ingest = (spec: object, more: object = {}) => ingestPod(pod(spec, more), makePodInterner())
const amounts = (texts: Readonly<Record<string, string>>) => Resources.parse({ ...texts, pods: '1' })

describe('podRequests()', () => {
  const sum = (spec: object, status: object = {}) => podRequests(pod(spec, { status }))

  test('P-RES-01: containers add up, and the pod itself counts', () => {
    const spec = { containers: [container('a', { cpu: '500m' }), container('b', { cpu: '250m', memory: '1Gi' })] }
    expect(sum(spec)).toEqual(amounts({ cpu: '750m', memory: '1Gi' }))
  })

  test('P-RES-01: an init container counts where it needs more than what runs later', () => {
    const spec = {
      containers: [container('a', { cpu: '500m', memory: '1Gi' })],
      initContainers: [container('i', { cpu: '2', memory: '100Mi' })],
    }
    expect(sum(spec)).toEqual(amounts({ cpu: '2', memory: '1Gi' }))
  })

  test('P-RES-01: a sidecar runs with the containers and beside the init containers after it', () => {
    const sidecar = container('s', { cpu: '300m' }, { restartPolicy: 'Always' })
    const containers = [container('a', { cpu: '1' })]
    const before = container('i', { cpu: '1500m' })
    expect(sum({ containers, initContainers: [before, sidecar] })).toEqual(amounts({ cpu: '1500m' }))
    expect(sum({ containers, initContainers: [sidecar, before] })).toEqual(amounts({ cpu: '1800m' }))
    expect(sum({ containers, initContainers: [sidecar] })).toEqual(amounts({ cpu: '1300m' }))
  })

  test('P-RES-01: pod-level amounts take the place of the sum, for the resources that may have one', () => {
    const spec = {
      containers: [container('a', { cpu: '1', memory: '1Gi', 'example.com/gpu': '1' })],
      resources: { requests: { cpu: '3', 'example.com/gpu': '7' } },
    }
    expect(sum(spec)).toEqual(amounts({ cpu: '3', memory: '1Gi', 'example.com/gpu': '1' }))
  })

  test('P-RES-01: the overhead of the runtime class comes on top of everything', () => {
    const spec = {
      containers: [container('a', { cpu: '1' })],
      resources: { requests: { cpu: '2' } },
      overhead: { cpu: '250m', memory: '120Mi' },
    }
    expect(sum(spec)).toEqual(amounts({ cpu: '2250m', memory: '120Mi' }))
  })

  test('P-RES-01, P-16: while a container is resized, the largest of asked, held and allocated counts', () => {
    const spec = { containers: [container('a', { cpu: '1' })] }
    const held = {
      containerStatuses: [{ name: 'a', resources: { requests: { cpu: '2' } }, allocatedResources: { cpu: '1500m' } }],
    }
    expect(sum(spec, held)).toEqual(amounts({ cpu: '2' }))
  })

  test('P-RES-01: a resize that cannot be done leaves what is held', () => {
    const spec = { containers: [container('a', { cpu: '8' })] }
    const status = {
      conditions: [{ type: 'PodResizePending', status: 'True', reason: 'Infeasible' }],
      containerStatuses: [{ name: 'a', resources: { requests: { cpu: '1' } }, allocatedResources: { cpu: '2' } }],
    }
    expect(sum(spec, status)).toEqual(amounts({ cpu: '2' }))
  })

  test('P-RES-05: in templates, limits stand in for requests that are not stated', () => {
    const { spec } = pod({
      containers: [{ name: 'a', resources: { requests: { cpu: '1' }, limits: { cpu: '2', memory: '1Gi' } } }],
      initContainers: [{ name: 'i', resources: { limits: { cpu: '3' } } }],
    })
    expect(podRequests({ ...pod({}), spec: withLimitsAsRequests(spec) })).toEqual(amounts({ cpu: '3', memory: '1Gi' }))
  })
})

describe('ingestPod()', () => {
  test('equal specs share one set of constraints and one list of requests', () => {
    const interner = makePodInterner()
    const spec = { nodeSelector: { a: '1', b: '2' }, tolerations: [{ key: 'team', value: 'x' }] }
    const turned = { nodeSelector: { b: '2', a: '1' }, tolerations: [{ key: 'team', operator: 'Equal', value: 'x' }] }
    const [first, second, other] = [spec, turned, { nodeSelector: { a: '1' } }].map((one, index) =>
      ingestPod(podObject(`p-${index}`, { cpu: '1' }, { spec: one }), interner),
    )
    expect(second?.constraints).toBe(first?.constraints)
    expect(second?.requests).toBe(first?.requests)
    expect(other?.constraints).not.toBe(first?.constraints)
  })

  test('affinity terms without namespaces mean the pod in its own namespace, so they are not shared across', () => {
    const interner = makePodInterner()
    const spec = {
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'zone', labelSelector: {} }],
        },
      },
    }
    const [one, two] = ['one', 'two'].map((namespace) =>
      ingestPod(podObject('p', {}, { metadata: { namespace }, spec }), interner),
    )
    expect(one?.constraints.podAntiAffinity.required[0]?.namespaces).toEqual(['one'])
    expect(two?.constraints.podAntiAffinity.required[0]?.namespaces).toEqual(['two'])
  })

  test('labels named like members of every object are ordinary labels', () => {
    const spec = JSON.parse('{ "nodeSelector": { "__proto__": "x", "constructor": "y" } }') as object
    expect(Object.entries(ingest(spec).constraints.nodeSelector)).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ])
  })

  test('P-ELG-01: what makes a pod provisionable is read from condition, binding, nomination and owner', () => {
    const owner = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'd', uid: 'u', controller: true }
    expect(ingest({}).isUnschedulable).toBe(true)
    expect(ingest({ nodeName: 'n' }).nodeName).toBe('n')
    expect(ingest({}, { status: { nominatedNodeName: 'n' } }).nominatedNodeName).toBe('n')
    expect(ingest({}, { metadata: { ownerReferences: [owner] } }).owner?.kind).toBe('DaemonSet')
    const gated = { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] }
    expect(ingest({}, { status: gated }).isUnschedulable).toBe(false)
  })

  test('P-VLM-04: a generic ephemeral volume claims under the names of pod and volume', () => {
    const volumes = [
      { name: 'config' },
      { name: 'data', persistentVolumeClaim: { claimName: 'c' } },
      { name: 'scratch', ephemeral: { volumeClaimTemplate: { spec: { storageClassName: 'fast' } } } },
    ]
    expect(ingest({ volumes }).constraints.volumes).toEqual([
      { volumeName: 'data', claimName: 'c' },
      { volumeName: 'scratch', claimName: 'p-scratch', ephemeral: { storageClassName: 'fast' } },
    ])
  })

  test('P-HPT-01: host ports are those of the containers, on all addresses where none is given; init containers have none', () => {
    const ports = [
      { containerPort: 80 },
      { containerPort: 80, hostPort: 0 },
      { containerPort: 80, hostPort: 8080 },
      { containerPort: 53, hostPort: 53, hostIP: '10.0.0.1', protocol: 'UDP' },
    ]
    const initContainers = [{ name: 'init', ports: [{ containerPort: 90, hostPort: 90 }] }]
    expect(ingest({ initContainers, containers: [{ name: 'a', ports }] }).constraints.hostPorts).toEqual([
      { ip: '0.0.0.0', port: 8080, protocol: 'TCP' },
      { ip: '10.0.0.1', port: 53, protocol: 'UDP' },
    ])
  })

  test('do-not-disrupt holds for ever, for a time, or not at all', () => {
    const read = (value: string, status: object = { startTime: '1970-01-01T00:00:10Z' }) =>
      ingest({}, { metadata: { annotations: { 'karpenter.sh/do-not-disrupt': value } }, status }).disruption
        .doNotDisrupt
    expect(read('true')).toEqual({ sinceMs: 10_000 })
    expect(read('1h')).toEqual({ forMs: 3_600_000, sinceMs: 10_000 })
    expect(read('1h', {})).not.toHaveProperty('forMs')
    expect(read('-1h')).toBeUndefined()
    expect(read('yes')).toBeUndefined()
  })
})
