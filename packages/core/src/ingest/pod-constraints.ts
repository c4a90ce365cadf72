import type { PodObject, PodSpecObject } from '../api/index.ts'
import type {
  HostPort,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
  PodConstraints,
  TopologySpreadConstraint,
  VolumeReference,
} from '../cluster/index.ts'
import { compareText } from '../internal/index.ts'
import { Labels } from '../labels/index.ts'

type Affinity = NonNullable<PodSpecObject['affinity']>
type NodeTerm = NonNullable<
  NonNullable<Affinity['nodeAffinity']>['requiredDuringSchedulingIgnoredDuringExecution']
>['nodeSelectorTerms'][number]
type WireAffinity = NonNullable<Affinity['podAffinity']>

/** Where a pod may run, from its spec alone, with the API server's defaults. */
export const podConstraints = ({ metadata, spec }: Pick<PodObject, 'metadata' | 'spec'>): PodConstraints => {
  const { nodeAffinity, podAffinity, podAntiAffinity } = spec.affinity ?? {}
  const { requiredDuringSchedulingIgnoredDuringExecution: required, preferredDuringSchedulingIgnoredDuringExecution } =
    nodeAffinity ?? {}
  return {
    nodeSelector: sortedByKey(spec.nodeSelector),
    requiredNodeTerms: (required?.nodeSelectorTerms ?? []).map(nodeTerm),
    preferredNodeTerms: (preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ weight, preference }) => ({
      weight,
      term: nodeTerm(preference),
    })),
    tolerations: spec.tolerations.map(({ operator = 'Equal', ...toleration }) => ({ ...toleration, operator })),
    topologySpread: spec.topologySpreadConstraints.map(spreadConstraint),
    podAffinity: affinity(podAffinity, metadata.namespace),
    podAntiAffinity: affinity(podAntiAffinity, metadata.namespace),
    hostPorts: hostPorts(spec),
    volumes: volumes(spec, metadata.name),
    usesDynamicResources:
      spec.resourceClaims.length > 0 || spec.initContainers.some(claimsDevices) || spec.containers.some(claimsDevices),
  }
}

const nodeTerm = ({ matchExpressions, matchFields }: NodeTerm): NodeSelectorTerm => ({
  expressions: matchExpressions,
  hasMatchFields: matchFields.length > 0,
})

// Equal selectors written in another order are equal constraints.
const sortedByKey = (labels: Labels): Labels => {
  const keys = Object.keys(labels)
  if (keys.length === 0) return Labels.empty
  const sorted = Object.create(null) as Record<string, string>
  for (const key of keys.sort(compareText)) sorted[key] = Labels.get(labels, key) ?? ''
  return sorted
}

const spreadConstraint = (
  constraint: PodSpecObject['topologySpreadConstraints'][number],
): TopologySpreadConstraint => ({
  ...constraint,
  nodeAffinityPolicy: constraint.nodeAffinityPolicy ?? 'Honor',
  nodeTaintsPolicy: constraint.nodeTaintsPolicy ?? 'Ignore',
})

const affinity = (wire: WireAffinity | undefined, namespace: string): PodAffinity =>
  wire === undefined
    ? noAffinity
    : {
        required: wire.requiredDuringSchedulingIgnoredDuringExecution.map((term) => affinityTerm(term, namespace)),
        preferred: wire.preferredDuringSchedulingIgnoredDuringExecution.map(({ weight, podAffinityTerm }) => ({
          weight,
          term: affinityTerm(podAffinityTerm, namespace),
        })),
      }

const noAffinity: PodAffinity = { required: [], preferred: [] }

// A term that names no namespaces means the pod's own; one with a selector means what that selects. The API server has
// already merged matchLabelKeys into the selector.
const affinityTerm = (
  {
    topologyKey,
    labelSelector,
    namespaces,
    namespaceSelector,
  }: WireAffinity['requiredDuringSchedulingIgnoredDuringExecution'][number],
  namespace: string,
): PodAffinityTerm => ({
  topologyKey,
  ...(labelSelector === undefined ? {} : { labelSelector }),
  namespaces: namespaces.length === 0 && namespaceSelector === undefined ? [namespace] : namespaces,
  ...(namespaceSelector === undefined ? {} : { namespaceSelector }),
})

// As in the reference, ports of init containers do not count, not even a sidecar's.
const hostPorts = ({ containers }: PodSpecObject): ReadonlyArray<HostPort> =>
  containers.flatMap(({ ports }) =>
    ports.flatMap(({ hostPort = 0, hostIP = '0.0.0.0', protocol }) =>
      hostPort === 0 ? [] : [{ ip: hostIP, port: hostPort, protocol }],
    ),
  )

const volumes = (spec: PodSpecObject, podName: string): ReadonlyArray<VolumeReference> =>
  spec.volumes.flatMap(({ name: volumeName, persistentVolumeClaim, ephemeral }): ReadonlyArray<VolumeReference> => {
    if (persistentVolumeClaim !== undefined) return [{ volumeName, claimName: persistentVolumeClaim.claimName }]
    if (ephemeral === undefined) return []
    const storageClassName = ephemeral.volumeClaimTemplate?.spec.storageClassName
    return [
      {
        volumeName,
        claimName: `${podName}-${volumeName}`,
        ephemeral: storageClassName === undefined ? {} : { storageClassName },
      },
    ]
  })

const claimsDevices = ({ resources }: PodSpecObject['containers'][number]) => (resources.claims ?? []).length > 0
