import { decoderOf, s, type TypeOf } from '../../schema/index.ts'
import type { CustomResource } from '../custom-resource.ts'
import { clusterMetadata, identityOf } from '../kube/index.ts'
import { conditionsSchema, resourceListField } from './fields.ts'
import { nodeFields } from './template.ts'

/** Condition types of a NodeClaim (P-NCA-03). */
export const nodeClaimConditions = {
  launched: 'Launched',
  registered: 'Registered',
  initialized: 'Initialized',
  ready: 'Ready',
  consolidatable: 'Consolidatable',
  drifted: 'Drifted',
  drained: 'Drained',
  volumesDetached: 'VolumesDetached',
  instanceTerminating: 'InstanceTerminating',
  consistentStateFound: 'ConsistentStateFound',
  disruptionReason: 'DisruptionReason',
} as const

const specSchema = s.object(
  {
    ...nodeFields({ allowsNodePool: true, nodeClassRules: [] }),
    resources: s.filledIn(
      s.object(
        { requests: s.filledIn(resourceListField('The least that the node must hold for its first pods.'), {}) },
        { description: 'What the node must hold.' },
      ),
      {},
    ),
  },
  {
    description: 'The node that is asked for.',
    rules: [{ message: 'spec is immutable', cel: 'self == oldSelf' }],
  },
)

const statusSchema = s.object(
  {
    conditions: s.filledIn(conditionsSchema({ isRelaxed: true }), []),
    nodeName: s.optional(s.string({ description: 'Name of the Node, once it has joined.', emptyIsAbsent: true })),
    providerID: s.optional(
      s.string({ description: "The machine's identity, as its Node states it, too.", emptyIsAbsent: true }),
    ),
    imageID: s.optional(s.string({ description: 'The image that the machine runs.', emptyIsAbsent: true })),
    capacity: s.filledIn(resourceListField('What the machine is expected to hold in all.'), {}),
    allocatable: s.filledIn(resourceListField('What of it pods are expected to be able to use.'), {}),
    lastPodEventTime: s.optional(
      s.instant({ description: 'When a pod last came to the node, left it, ended, or began to end.' }),
    ),
  },
  { description: 'What has become of the request.' },
)

export const nodeClaimSchema = s.named(
  'NodeClaim',
  s.object(
    {
      ...identityOf('karpenter.sh/v1', 'NodeClaim'),
      metadata: clusterMetadata,
      spec: specSchema,
      status: s.filledIn(statusSchema, {}),
    },
    { description: 'One machine that was asked for, from the request to its end.' },
  ),
)

/** A `karpenter.sh/v1` NodeClaim as on the wire, defaults filled in. */
export interface NodeClaimObject extends TypeOf<typeof nodeClaimSchema> {}
/**
 * Decodes a NodeClaim, those that older versions wrote included.
 *
 * @example
 * import { nodeClaimObject } from '@scantling/core/testing'
 * const decoded = decodeNodeClaim(nodeClaimObject('general-1', 'general'))
 * decoded._tag === 'Right' && decoded.right.metadata.name // => 'general-1'
 */
export const decodeNodeClaim = decoderOf<NodeClaimObject>(nodeClaimSchema)

/** The NodeClaim's CustomResourceDefinition as data. */
export const nodeClaimResource: CustomResource = {
  group: 'karpenter.sh',
  kind: 'NodeClaim',
  names: { plural: 'nodeclaims', categories: ['karpenter'] },
  columns: [
    { name: 'Type', type: 'string', jsonPath: '.metadata.labels.node\\.kubernetes\\.io/instance-type' },
    { name: 'Capacity', type: 'string', jsonPath: '.metadata.labels.karpenter\\.sh/capacity-type' },
    { name: 'Zone', type: 'string', jsonPath: '.metadata.labels.topology\\.kubernetes\\.io/zone' },
    { name: 'Node', type: 'string', jsonPath: '.status.nodeName' },
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    { name: 'ImageID', type: 'string', jsonPath: '.status.imageID', wide: true },
    { name: 'ID', type: 'string', jsonPath: '.status.providerID', wide: true },
    { name: 'NodePool', type: 'string', jsonPath: '.metadata.labels.karpenter\\.sh/nodepool', wide: true },
    { name: 'NodeClass', type: 'string', jsonPath: '.spec.nodeClassRef.name', wide: true },
    { name: 'Drifted', type: 'string', jsonPath: '.status.conditions[?(@.type=="Drifted")].status', wide: true },
  ],
  versions: [{ name: 'v1', schema: nodeClaimSchema }],
}
