/** An object as these tests read it. */
export interface Seen {
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly uid: string
    readonly resourceVersion: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
    readonly finalizers?: ReadonlyArray<string>
    readonly deletionTimestamp?: string
    readonly creationTimestamp: string
  }
  readonly spec: {
    readonly nodeName?: string
    readonly providerID?: string
    readonly holderIdentity?: string
    readonly acquireTime?: string
    readonly renewTime?: string
    readonly taints?: ReadonlyArray<{ readonly key: string; readonly effect: string }>
  }
  readonly status?: {
    readonly phase?: string
    readonly nodeName?: string
    readonly providerID?: string
    readonly replicas?: number
    readonly conditions?: ReadonlyArray<{
      readonly type: string
      readonly status: string
      readonly reason?: string
      readonly message?: string
    }>
  }
  readonly reason?: string
  readonly message?: string
  readonly involvedObject?: { readonly kind: string; readonly name: string }
}

export const conditionOf = (object: Seen | undefined, type: string) =>
  object?.status?.conditions?.find((condition) => condition.type === type)

export const isInitialized = ({ metadata }: Seen): boolean => metadata.labels?.['karpenter.sh/initialized'] === 'true'

export const nodeClass = {
  apiVersion: 'karpenter.kwok.sh/v1alpha1',
  kind: 'KWOKNodeClass',
  metadata: { name: 'default' },
}

export const onDemand = { key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand'] }

/** Machines of one size, so that pods spread over several. */
export const ofFourCpus = {
  requirements: [onDemand, { key: 'karpenter.kwok.sh/instance-cpu', operator: 'In', values: ['4'] }],
}

/** A NodePool that buys on-demand machines and lets them go quickly. */
export const nodePool = (
  name: string,
  { spec = {}, template = {} }: { readonly spec?: object; readonly template?: object } = {},
) => ({
  apiVersion: 'karpenter.sh/v1',
  kind: 'NodePool',
  metadata: { name },
  spec: {
    disruption: {
      consolidationPolicy: 'WhenEmptyOrUnderutilized',
      consolidateAfter: '1s',
      budgets: [{ nodes: '100%' }],
    },
    ...spec,
    template: {
      spec: {
        nodeClassRef: { group: 'karpenter.kwok.sh', kind: 'KWOKNodeClass', name: 'default' },
        requirements: [onDemand],
        ...template,
      },
    },
  },
})

export interface PodOptions {
  readonly requests?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  /** Fields of the pod's spec. */
  readonly pod?: object
}

/** A template of pods of one pause container, labelled `app: name`. */
export const podTemplate = (name: string, { requests = { cpu: '100m' }, annotations = {}, pod = {} }: PodOptions) => ({
  metadata: { labels: { app: name }, annotations },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'main', image: 'pause', resources: { requests } }],
    ...pod,
  },
})

export const deployment = (name: string, replicas: number, options: PodOptions = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'default' },
  spec: { replicas, selector: { matchLabels: { app: name } }, template: podTemplate(name, options) },
})

/** The identity that a chart's Namespace needs before anything else of it. */
export const namespaceOf = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
