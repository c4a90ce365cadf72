import { fleetKinds, type Manifest } from './manifests.ts'

const zone = 'topology.kubernetes.io/zone'

/**
 * What is replayed where nothing else is named: twenty apps, some spread over zones, some under a
 * PodDisruptionBudget, on one NodePool of machines with four CPUs. At full load they take about `nodes` machines.
 */
export const sampleManifests = (nodes: number): ReadonlyArray<Manifest> => {
  const apps = 20
  const replicas = Math.max(1, Math.round((nodes * 8) / apps))
  return [
    { apiVersion: 'karpenter.kwok.sh/v1alpha1', kind: fleetKinds.nodeClass, metadata: { name: 'default' }, spec: {} },
    {
      apiVersion: 'karpenter.sh/v1',
      kind: 'NodePool',
      metadata: { name: 'default' },
      spec: {
        disruption: {
          consolidationPolicy: 'WhenEmptyOrUnderutilized',
          consolidateAfter: '5m',
          budgets: [{ nodes: '10%' }],
        },
        template: {
          spec: {
            nodeClassRef: { group: 'karpenter.kwok.sh', kind: fleetKinds.nodeClass, name: 'default' },
            expireAfter: 'Never',
            requirements: [
              { key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand'] },
              { key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] },
              { key: 'karpenter.k8s.aws/instance-cpu', operator: 'In', values: ['4'] },
            ],
          },
        },
      },
    },
    ...Array.from({ length: apps }, (_, index): ReadonlyArray<Manifest> => {
      const name = `app-${String(index + 1).padStart(2, '0')}`
      const labels = { app: name }
      const isSpread = index % 2 === 0
      return [
        {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name, namespace: 'default' },
          spec: {
            replicas,
            selector: { matchLabels: labels },
            template: {
              metadata: { labels },
              spec: {
                containers: [
                  {
                    name: 'main',
                    image: 'pause',
                    resources: { requests: { cpu: index % 4 === 3 ? '700m' : '400m', memory: '1400Mi' } },
                  },
                ],
                ...(isSpread && {
                  topologySpreadConstraints: [
                    {
                      maxSkew: 2,
                      topologyKey: zone,
                      whenUnsatisfiable: 'DoNotSchedule',
                      labelSelector: { matchLabels: labels },
                    },
                  ],
                }),
              },
            },
          },
        },
        ...(index % 5 === 0
          ? [
              {
                apiVersion: 'policy/v1',
                kind: 'PodDisruptionBudget',
                metadata: { name, namespace: 'default' },
                spec: { maxUnavailable: '10%', selector: { matchLabels: labels } },
              },
            ]
          : []),
      ]
    }).flat(),
  ]
}
