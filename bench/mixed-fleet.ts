/** Underused clusters of nodes of many types, drawn from a seed: consolidation has much to find, and much to miss. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { isTrue, mixedPool } from './fleet.ts'

interface CatalogType {
  readonly name: string
  readonly capacity: Readonly<Record<string, string>>
  readonly requirements: ReadonlyArray<{ readonly key: string; readonly values?: ReadonlyArray<string> }>
}

const catalog = JSON.parse(
  readFileSync(fileURLToPath(new URL('../vectors/catalogs/ec2.json', import.meta.url)), 'utf8'),
) as { readonly instanceTypes: ReadonlyArray<CatalogType> }
const common = catalog.instanceTypes.filter(({ name }) => /^(t3|c5|c7i|m5|m7i|r5)\.(large|[24]?xlarge)$/.test(name))

const zones = ['test-zone-a', 'test-zone-b', 'test-zone-c']
const now = '2026-03-02T12:00:00Z'
const before = '2026-03-01T12:00:00Z'

/** Numbers in [0, 1) from a seed (mulberry32). */
const drawsFrom = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A scenario of 20 to 40 nodes; equal seeds give equal scenarios. */
export const mixedFleet = (seed: number): { readonly name: string; readonly objects: ReadonlyArray<object> } => {
  const draw = drawsFrom(seed)
  const below = (count: number) => Math.floor(draw() * count)
  const oneOf = <A>(values: ReadonlyArray<A>): A => values[below(values.length)] as A
  const spotShare = oneOf([0, 0, 0.5])
  const capacityTypes = spotShare > 0 ? ['on-demand', 'spot'] : ['on-demand']
  const objects: Array<object> = [mixedPool({ before, capacityTypes, budget: oneOf(['100%', '100%', '30%', '6']) })]
  const nodes = 20 + below(21)
  const mostFilled = 0.3 + 0.6 * draw()
  for (let index = 0; index < nodes; index += 1) {
    const type = oneOf(common)
    const name = `node-${String(index).padStart(3, '0')}`
    const zone = oneOf(zones)
    const capacityType = draw() < spotShare ? 'spot' : 'on-demand'
    objects.push(...machineOf(type, { name, zone, capacityType }))
    const cpuMilli = Number(type.capacity['cpu']) * 950
    const filled = draw() * mostFilled
    // One node in ten is held by a pod that must not be moved.
    const isHeld = draw() < 0.1
    let used = 0
    for (let slot = 0; slot === 0 || used < filled * cpuMilli; slot += 1) {
      const request = Math.min(oneOf([100, 250, 500, 750, 1000, 1500]), cpuMilli - used)
      if (request < 50) break
      used += request
      const memory = Math.floor(request * oneOf([0.5, 1, 1.5]))
      objects.push(podOn(name, { slot, request, memory, app: below(10), isHeld: isHeld && slot === 0 }))
    }
  }
  const scenario = { version: 1, name: `mixed-${seed}`, kind: 'disrupt', now, catalog: 'ec2', objects }
  return scenario
}

const machineOf = (
  type: CatalogType,
  { name, zone, capacityType }: { readonly name: string; readonly zone: string; readonly capacityType: string },
): ReadonlyArray<object> => {
  const providerID = `kwok://${name}`
  const labels = {
    ...Object.fromEntries(
      type.requirements.flatMap(({ key, values = [] }) =>
        values.length === 1 || key === 'kubernetes.io/os'
          ? [[key, key === 'kubernetes.io/os' ? 'linux' : values[0]]]
          : [],
      ),
    ),
    'karpenter.kwok.sh/kwoknodeclass': 'default',
    'karpenter.sh/capacity-type': capacityType,
    'karpenter.sh/nodepool': 'default',
    'topology.kubernetes.io/zone': zone,
  }
  const memoryMi = Number.parseInt(type.capacity['memory'] ?? '0', 10)
  const resources = {
    capacity: type.capacity,
    allocatable: {
      ...type.capacity,
      cpu: `${Number(type.capacity['cpu']) * 950}m`,
      memory: `${Math.floor(memoryMi * 0.92)}Mi`,
    },
  }
  return [
    {
      apiVersion: 'karpenter.sh/v1',
      kind: 'NodeClaim',
      metadata: { name: `${name}-claim`, uid: `claim-${name}`, creationTimestamp: before, labels },
      spec: {
        nodeClassRef: { group: 'karpenter.kwok.sh', kind: 'KWOKNodeClass', name: 'default' },
        requirements: [],
        expireAfter: 'Never',
      },
      status: {
        ...resources,
        nodeName: name,
        providerID,
        conditions: ['Launched', 'Registered', 'Initialized', 'Consolidatable'].map((one) => isTrue(one, before)),
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        name,
        uid: `node-${name}`,
        creationTimestamp: before,
        labels: {
          ...labels,
          'karpenter.sh/registered': 'true',
          'karpenter.sh/initialized': 'true',
          'kubernetes.io/hostname': name,
        },
      },
      spec: { providerID },
      status: { ...resources, conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: before }] },
    },
  ]
}

const podOn = (
  nodeName: string,
  {
    slot,
    request,
    memory,
    app,
    isHeld,
  }: {
    readonly slot: number
    readonly request: number
    readonly memory: number
    readonly app: number
    readonly isHeld: boolean
  },
): object => {
  const name = `${nodeName}-pod-${slot}`
  const labels = { app: `app-${app}` }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace: 'default',
      name,
      uid: name,
      creationTimestamp: before,
      labels,
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: labels.app, uid: labels.app, controller: true },
      ],
      ...(isHeld ? { annotations: { 'karpenter.sh/do-not-disrupt': 'true' } } : {}),
    },
    spec: {
      nodeName,
      containers: [
        {
          name: 'app',
          image: 'app',
          resources: { requests: { cpu: `${Math.floor(request)}m`, memory: `${memory}Mi` } },
        },
      ],
      // Every fifth workload is spread over the zones.
      ...(app % 5 === 0
        ? {
            topologySpreadConstraints: [
              {
                maxSkew: 4,
                topologyKey: 'topology.kubernetes.io/zone',
                whenUnsatisfiable: 'DoNotSchedule',
                labelSelector: { matchLabels: labels },
              },
            ],
          }
        : {}),
    },
    status: {
      phase: 'Running',
      startTime: before,
      conditions: [
        { type: 'PodScheduled', status: 'True' },
        { type: 'Ready', status: 'True' },
      ],
    },
  }
}
