import type {
  CloudProvider,
  ClusterFacts,
  JsonObject,
  MetricSpec,
  NodeClassObject,
  ProviderHost,
  ProviderModule,
} from '@scantling/core'
import type { Clock } from '@scantling/provider-kit'

/** How a call to the cloud may end badly. `answer-lost`: it took effect, and nobody heard. */
export type Fault = 'throttled' | 'unauthorized' | 'quota' | 'invalid' | 'server-error' | 'answer-lost'

/** Members of the port, for whose next call to the cloud a fault is arranged. */
export type Operation =
  'launch' | 'terminate' | 'list' | 'get' | 'resolve' | 'release' | 'converge' | 'receive' | 'tasks'

/**
 * What the suite can do to the cloud behind a provider. Each lever is optional; checks that pull one that is missing
 * fail until it is named in `notSupported`.
 */
export interface Levers<C extends NodeClassObject, D> {
  /** The call to the cloud that `operation` makes next, or after `skip` more, ends in `fault`. Once. */
  readonly fail?: (operation: Operation, fault: Fault, options?: { readonly skip?: number }) => void | Promise<void>
  /** Nothing of this type can be bought until `restock`. */
  readonly sellOut?: (instanceType: string) => void | Promise<void>
  readonly restock?: () => void | Promise<void>
  /** Provider ids of all machines that the cloud bills now, whoever's they are. */
  readonly present?: () => Promise<ReadonlyArray<string>>
  /** Starts a machine with the marks of another cluster; its provider id. */
  readonly startForeign?: () => Promise<string>
  /** Ends a machine behind the provider's back. */
  readonly endOutside?: (providerId: string) => Promise<void>
  /** Takes from a machine of ours something without which it cannot be read as an Instance. */
  readonly garble?: (providerId: string) => Promise<void>
  /** From now on the cloud's reading calls miss machines for their first moments. */
  readonly hideNew?: () => void | Promise<void>
  /** Changes the price of exactly one offering of this type. */
  readonly changePrice?: (instanceType: string) => void | Promise<void>
  /** Announces the end of a machine on the cloud's queue. */
  readonly interrupt?: (providerId: string) => Promise<void>
  /** Puts a message onto the queue that nobody can read. */
  readonly sendGarbage?: () => Promise<void>
  /** A second life of the provider over the same cloud, as after a crash. */
  readonly restart?: () => Promise<CloudProvider<C, D>>
  /** Calls to the cloud so far. */
  readonly countCalls?: () => number
  /** The NodeClass of `manifest` with a change that its machines have to be replaced for. */
  readonly changedManifest?: JsonObject
  /** A NodeClass that names something that is not there. */
  readonly missingManifest?: JsonObject
}

/** A provider under test: the module, one life of it over a cloud of its own, and the levers of that cloud. */
export interface Subject<C extends NodeClassObject, D = unknown, S = unknown> {
  readonly module: ProviderModule<C, D, S>
  readonly provider: CloudProvider<C, D>
  /** A NodeClass as a user writes it: `apiVersion`, `kind`, `metadata.name` and `spec`. */
  readonly manifest: JsonObject
  /** From `observedHost`; the same one that the provider was created with. */
  readonly host: ObservedHost
  /** Laid over the facts that the suite calls with. */
  readonly cluster?: Partial<ClusterFacts>
  /** Lets the cloud's time pass. */
  readonly pass: (ms: number) => Promise<void>
  /** Lets time pass until `work` has settled, where a provider waits on a virtual clock within a call. */
  readonly drive?: <A>(work: Promise<A>) => Promise<A>
  readonly levers: Levers<C, D>
  readonly close: () => Promise<void>
}

/** A subject whose NodeClass, details and settings nobody looks into, which is how checks see all of them. */
export type AnySubject = Subject<NodeClassObject>

/** A host that remembers which metrics were recorded. */
export interface ObservedHost extends ProviderHost {
  readonly recorded: ReadonlyArray<MetricSpec>
}

/** What the suite lends a provider: the given clock, a fixed draw, and a memory of what was recorded. */
export const observedHost = (clock: Clock, changes: Partial<ProviderHost> = {}): ObservedHost => {
  const recorded: Array<MetricSpec> = []
  return {
    clock,
    random: () => 0.5,
    record: (metric) => void recorded.push(metric),
    log: () => undefined,
    gates: {},
    shutdown: new AbortController().signal,
    ...changes,
    recorded,
  }
}

/** Members of provider and module that a provider need not have. */
export const optionalMembers = [
  'get',
  'resolve',
  'release',
  'drift',
  'converge',
  'interruptions',
  'tasks',
  'hash',
  'settings',
] as const

export const levers = [
  'fail',
  'sellOut',
  'restock',
  'present',
  'startForeign',
  'endOutside',
  'garble',
  'hideNew',
  'changePrice',
  'interrupt',
  'sendGarbage',
  'restart',
  'countCalls',
  'changedManifest',
  'missingManifest',
] as const satisfies ReadonlyArray<keyof Levers<NodeClassObject, unknown>>

export const faults = ['throttled', 'unauthorized', 'quota', 'invalid', 'server-error', 'answer-lost'] as const

/** What a check may need: an optional member, a lever, or one of the faults of `fail`. */
export type Capability = (typeof optionalMembers)[number] | (typeof levers)[number] | (typeof faults)[number]

export const capabilities: ReadonlyArray<Capability> = [...optionalMembers, ...levers, ...faults]

/** Whether a subject has what a capability names. Whether a cloud can be made to fail in one way shows only in trying. */
export const hasCapability = ({ module, provider, levers: given }: AnySubject, capability: Capability): boolean => {
  switch (capability) {
    case 'hash':
      return module.nodeClasses.some(({ hash }) => hash !== undefined)
    case 'settings':
      return module.settings !== undefined
    case 'get':
    case 'resolve':
    case 'release':
    case 'drift':
    case 'converge':
    case 'interruptions':
    case 'tasks':
      return provider[capability] !== undefined
    case 'throttled':
    case 'unauthorized':
    case 'quota':
    case 'invalid':
    case 'server-error':
    case 'answer-lost':
      return given.fail !== undefined
    default:
      return given[capability] !== undefined
  }
}
