/**
 * Keys of the Kubernetes and Karpenter APIs that this project reads or writes.
 *
 * Source: https://kubernetes.io/docs/reference/labels-annotations-taints/ and https://karpenter.sh/docs/concepts/
 */
export const labelKeys = {
  nodePool: 'karpenter.sh/nodepool',
  capacityType: 'karpenter.sh/capacity-type',
  registered: 'karpenter.sh/registered',
  initialized: 'karpenter.sh/initialized',
  doNotSyncTaints: 'karpenter.sh/do-not-sync-taints',
  zone: 'topology.kubernetes.io/zone',
  region: 'topology.kubernetes.io/region',
  instanceType: 'node.kubernetes.io/instance-type',
  arch: 'kubernetes.io/arch',
  os: 'kubernetes.io/os',
  hostname: 'kubernetes.io/hostname',
  windowsBuild: 'node.kubernetes.io/windows-build',
  excludeFromLoadBalancers: 'node.kubernetes.io/exclude-from-external-load-balancers',
} as const

export const annotationKeys = {
  doNotDisrupt: 'karpenter.sh/do-not-disrupt',
  nodePoolHash: 'karpenter.sh/nodepool-hash',
  nodePoolHashVersion: 'karpenter.sh/nodepool-hash-version',
  terminationTimestamp: 'karpenter.sh/nodeclaim-termination-timestamp',
  minValuesRelaxed: 'karpenter.sh/nodeclaim-min-values-relaxed',
  requestedDraDrivers: 'karpenter.sh/requested-dra-drivers',
  priceOverlayApplied: 'karpenter.sh/price-overlay-applied',
  capacityOverlayApplied: 'karpenter.sh/capacity-overlay-applied',
  bufferFakePod: 'karpenter.sh/capacity-buffer-fake-pod',
  bufferName: 'karpenter.sh/capacity-buffer-name',
  bufferNamespace: 'karpenter.sh/capacity-buffer-namespace',
  compatibilityProvider: 'compatibility.karpenter.sh/provider',
  podDisruptionCost: 'karpenter.sh/disruption-cost',
  podDeletionCost: 'controller.kubernetes.io/pod-deletion-cost',
  mirrorPod: 'kubernetes.io/config.mirror',
} as const

/** Keys of this project's own settings and marks, all under `scantling.sh/`. */
export const scantlingKeys = {
  strategy: 'scantling.sh/strategy',
  replaceBeforeEvict: 'scantling.sh/replace-before-evict',
  surge: 'scantling.sh/surge',
  rebalance: 'scantling.sh/rebalance',
  nodePoolHash: 'scantling.sh/nodepool-hash',
  nodePoolHashVersion: 'scantling.sh/nodepool-hash-version',
  /** On a NodeClaim: the disruption that it was made for, so that a restarted controller can go on with it. */
  replaces: 'scantling.sh/replaces',
  /** On the template of a Deployment: the disruption that it was last rolled over for. */
  rolledOver: 'scantling.sh/rolled-over',
} as const

export const taintKeys = {
  disrupted: 'karpenter.sh/disrupted',
  unregistered: 'karpenter.sh/unregistered',
  notReady: 'node.kubernetes.io/not-ready',
  unreachable: 'node.kubernetes.io/unreachable',
  unschedulable: 'node.kubernetes.io/unschedulable',
  uninitialized: 'node.cloudprovider.kubernetes.io/uninitialized',
  outOfService: 'node.kubernetes.io/out-of-service',
} as const

/** On NodeClaims and Nodes: the machine is gone before the object is. */
export const terminationFinalizer = 'karpenter.sh/termination'

/** Values of `karpenter.sh/capacity-type` (P-LBL-05). */
export const capacityTypes = { onDemand: 'on-demand', spot: 'spot', reserved: 'reserved' } as const
export type CapacityType = (typeof capacityTypes)[keyof typeof capacityTypes]

/** Suffix of keys that only the reference may set, and the group of its objects. */
export const karpenterDomain = 'karpenter.sh'

/**
 * What is known about label keys: the core's own plus what a provider adds.
 *
 * A value that is passed along, not a global: two providers in one process do not disturb each other.
 */
export interface LabelKnowledge {
  /** Keys that every future node carries, so that a demand on them needs no definition (P-LBL-01). */
  readonly wellKnown: ReadonlySet<string>
  /** Only these values exist for a key; a demand naming none of them is refused (P-LBL-05). */
  readonly knownValues: ReadonlyMap<string, ReadonlySet<string>>
  /** Deprecated key to stable key, applied to requirement keys only, never to topology keys (P-LBL-02). */
  readonly aliases: ReadonlyMap<string, string>
  /** By normalised key: value as written to value as meant (P-LBL-03). */
  readonly normalizedValues: ReadonlyMap<string, ReadonlyMap<string, string>>
  /** Domains (with their subdomains) and bare keys that users may not set unless well known (P-LBL-04). */
  readonly restricted: ReadonlySet<string>
  /** Keys within restricted domains that users may set although no type defines them. */
  readonly allowed: ReadonlySet<string>
}

/** The core's knowledge, without a provider's. */
export const coreLabelKnowledge: LabelKnowledge = {
  wellKnown: new Set([
    labelKeys.nodePool,
    labelKeys.zone,
    labelKeys.region,
    labelKeys.instanceType,
    labelKeys.arch,
    labelKeys.os,
    labelKeys.capacityType,
    labelKeys.windowsBuild,
  ]),
  knownValues: new Map([[labelKeys.capacityType, new Set(Object.values(capacityTypes))]]),
  aliases: new Map([
    ['failure-domain.beta.kubernetes.io/zone', labelKeys.zone],
    ['failure-domain.beta.kubernetes.io/region', labelKeys.region],
    ['beta.kubernetes.io/arch', labelKeys.arch],
    ['beta.kubernetes.io/os', labelKeys.os],
    ['beta.kubernetes.io/instance-type', labelKeys.instanceType],
  ]),
  normalizedValues: new Map(),
  restricted: new Set([karpenterDomain, labelKeys.hostname]),
  allowed: new Set(),
}

/** What a provider adds to the core's knowledge; the port's `LabelPolicy` has this shape. */
export interface LabelAdditions {
  readonly wellKnown?: ReadonlyArray<{ readonly key: string; readonly values?: ReadonlyArray<string> }>
  readonly restricted?: ReadonlyArray<string>
  readonly allowed?: ReadonlyArray<string>
  readonly aliases?: Readonly<Record<string, string>>
  readonly normalizedValues?: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/**
 * `knowledge` with a provider's additions; neither input changes.
 *
 * @example
 * const knowledge = Labels.extend(coreLabelKnowledge, { wellKnown: [{ key: 'example.com/rack' }] })
 * knowledge.wellKnown.has('example.com/rack') // => true
 * coreLabelKnowledge.wellKnown.has('example.com/rack') // => false
 */
export const extend = (knowledge: LabelKnowledge, additions: LabelAdditions): LabelKnowledge => ({
  wellKnown: new Set([...knowledge.wellKnown, ...(additions.wellKnown ?? []).map(({ key }) => key)]),
  knownValues: new Map([
    ...knowledge.knownValues,
    ...(additions.wellKnown ?? []).flatMap(({ key, values }) =>
      values === undefined ? [] : [[key, new Set(values)] as const],
    ),
  ]),
  aliases: new Map([...knowledge.aliases, ...Object.entries(additions.aliases ?? {})]),
  normalizedValues: new Map([
    ...knowledge.normalizedValues,
    ...Object.entries(additions.normalizedValues ?? {}).map(
      ([key, values]) => [key, new Map(Object.entries(values))] as const,
    ),
  ]),
  restricted: new Set([...knowledge.restricted, ...(additions.restricted ?? [])]),
  allowed: new Set([...knowledge.allowed, ...(additions.allowed ?? [])]),
})

/**
 * The stable key for a deprecated one; any other key as it is (P-LBL-02).
 *
 * @example
 * Labels.normalizeKey('failure-domain.beta.kubernetes.io/zone') // => 'topology.kubernetes.io/zone'
 */
export const normalizeKey = (key: string, knowledge: LabelKnowledge = coreLabelKnowledge): string =>
  knowledge.aliases.get(key) ?? key

/**
 * The value that is meant for a normalised key (P-LBL-03).
 *
 * @example
 * const knowledge = Labels.extend(coreLabelKnowledge, {
 *   normalizedValues: { 'topology.kubernetes.io/zone': { '': '0' } },
 * })
 * Labels.normalizeValue('topology.kubernetes.io/zone', '', knowledge) // => '0'
 */
export const normalizeValue = (key: string, value: string, knowledge: LabelKnowledge = coreLabelKnowledge): string =>
  knowledge.normalizedValues.get(key)?.get(value) ?? value

/**
 * Whether users may not set this label (P-LBL-04).
 *
 * Well-known and allowed keys are never restricted. Otherwise the key's domain decides, with all its subdomains; keys of
 * `kubernetes.io` other than the host name are free.
 *
 * @example
 * Labels.isRestricted('karpenter.sh/made-up') // => true
 * Labels.isRestricted('topology.kubernetes.io/zone') // => false
 */
export const isRestricted = (key: string, knowledge: LabelKnowledge = coreLabelKnowledge): boolean => {
  if (knowledge.wellKnown.has(key) || knowledge.allowed.has(key)) return false
  if (knowledge.restricted.has(key)) return true
  const slash = key.indexOf('/')
  if (slash < 0) return false
  for (let domain = key.slice(0, slash); ; domain = domain.slice(domain.indexOf('.') + 1)) {
    if (knowledge.restricted.has(domain)) return true
    if (!domain.includes('.')) return false
  }
}

/**
 * The label of NodeClaims and Nodes that names their NodeClass (P-LBL-08).
 *
 * @example
 * Labels.nodeClassLabelKey({ group: 'karpenter.kwok.sh', kind: 'KWOKNodeClass' })
 * // => 'karpenter.kwok.sh/kwoknodeclass'
 */
export const nodeClassLabelKey = ({ group, kind }: { readonly group: string; readonly kind: string }): string =>
  `${group}/${kind.toLowerCase()}`
