import { s, type TypeOf } from '../../schema/index.ts'

/** Text by key, as labels and annotations are. */
export const textByKey = s.record(s.string())

export const ownerReferenceSchema = s.object({
  apiVersion: s.string(),
  kind: s.string(),
  name: s.string(),
  uid: s.filledIn(s.string(), ''),
  controller: s.optional(s.boolean()),
  blockOwnerDeletion: s.optional(s.boolean()),
})

const fields = {
  name: s.string({ remedy: 'name the object in metadata.name' }),
  uid: s.filledIn(s.string(), ''),
  resourceVersion: s.filledIn(s.string(), ''),
  generation: s.filledIn(s.integer(), 0),
  creationTimestamp: s.optional(s.instant()),
  deletionTimestamp: s.optional(s.instant()),
  deletionGracePeriodSeconds: s.optional(s.integer()),
  labels: s.filledIn(textByKey, {}),
  annotations: s.filledIn(textByKey, {}),
  finalizers: s.filledIn(s.array(s.string()), []),
  ownerReferences: s.filledIn(s.array(ownerReferenceSchema), []),
}

/** What is read of the metadata of an object without a namespace. Absent fields become empty ones. */
export const clusterMetadata = s.named('metadata', s.object(fields))
export interface ClusterMetadata extends TypeOf<typeof clusterMetadata> {}

/** What is read of the metadata of an object in a namespace, which is `default` where a manifest names none. */
export const namespacedMetadata = s.named(
  'metadata',
  s.object({ ...fields, namespace: s.filledIn(s.string(), 'default') }),
)
export interface NamespacedMetadata extends TypeOf<typeof namespacedMetadata> {}

/** The same with only these annotations kept: a saved snapshot must not hold what users wrote for others. */
export const namespacedMetadataWith = (annotations: ReadonlyArray<string>) =>
  s.named(
    'metadata',
    s.object({
      ...fields,
      namespace: s.filledIn(s.string(), 'default'),
      annotations: s.filledIn(s.record(s.string(), { only: annotations }), {}),
    }),
  )

/**
 * `apiVersion` and `kind` of one kind; the entries of a list lack them.
 *
 * @example
 * decoderOf(s.object(identityOf('v1', 'Pod')))({ kind: 'Node' })._tag // => 'Left'
 */
export const identityOf = <const V extends string, const K extends string>(apiVersion: V, kind: K) => ({
  apiVersion: s.filledIn(s.literals([apiVersion]), apiVersion),
  kind: s.filledIn(s.literals([kind]), kind),
})

export const labelSelectorSchema = s.object({
  matchLabels: s.optional(textByKey),
  matchExpressions: s.optional(
    s.array(
      s.object({
        key: s.string(),
        operator: s.string(),
        values: s.optional(s.array(s.string())),
      }),
    ),
  ),
})

/** A condition of a built-in kind; only its state and its reason are read. */
export const kubeConditionSchema = s.object({
  type: s.string(),
  status: s.literals(['True', 'False', 'Unknown']),
  reason: s.filledIn(s.string(), ''),
  message: s.filledIn(s.string(), ''),
  lastTransitionTime: s.optional(s.instant()),
  lastHeartbeatTime: s.optional(s.instant()),
})

export const taintSchema = s.object({
  key: s.string(),
  value: s.optional(s.string({ emptyIsAbsent: true })),
  effect: s.literals(['NoSchedule', 'PreferNoSchedule', 'NoExecute']),
  timeAdded: s.optional(s.instant()),
})

export const resourceListSchema = s.record(s.quantity())
