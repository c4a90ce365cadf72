import type { Explanation } from '../explain/explain.ts'
import type { Picture } from './picture.ts'

/** One thing that the tour does and waits for. */
export interface TourStep {
  readonly title: string
  readonly text: ReadonlyArray<string>
  readonly act: (hands: TourHands) => Promise<void>
  /** Whether the cluster has come to what the step is about. */
  readonly isDone: (picture: Picture, hands: TourHands) => boolean
  /** **Units**: milliseconds of the cluster's time; longer is a failure. */
  readonly withinMs: number
}

/** What a step may do to the cluster. */
export interface TourHands {
  /** Applies the manifests of an example, by the name of its folder. */
  readonly applyExample: (name: string) => Promise<void>
  readonly scale: (deployment: string, replicas: number) => Promise<void>
  /** Scales every Deployment that the tour made to 0. */
  readonly scaleAllToZero: () => Promise<void>
  /** Merges fields into an object that is there. */
  readonly merge: (object: MergedObject) => Promise<void>
  /** Names of the pods of a Deployment that are not on their way out. */
  readonly podsOf: (deployment: string) => ReadonlyArray<string>
  /** Names of the machines of a NodePool. */
  readonly machinesOf: (nodePool: string) => ReadonlyArray<string>
  /** Has the cloud take a machine away, with its notice. */
  readonly interrupt: (machine: string) => Promise<void>
  /** How many more spot machines the cloud has; `undefined`: any number. */
  readonly setSpotCapacity: (remaining: number | undefined) => Promise<void>
  /** Why the nodes of a NodePool stay, as the planner says now; looked at afresh every few seconds. */
  readonly whyStays: (nodePool: string) => ReadonlyArray<Explanation>
  /** The cluster's time. */
  readonly nowMs: () => number
}

export interface MergedObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly annotations?: Readonly<Record<string, string | null>>
  }
  readonly spec?: object
}

export const minuteMs = 60_000
/** Whether nothing waits, starts or leaves. */
export const allRun = ({ pods, machines }: Picture): boolean =>
  pods.pending + pods.starting + pods.leaving === 0 &&
  pods.running > 0 &&
  machines.every(({ stage }) => stage === 'ready')

/** The tutorial: from nothing to running pods, and back to nothing. */
export const tourSteps: ReadonlyArray<TourStep> = [
  {
    title: 'A NodePool, and twelve pods that wait',
    text: [
      'A NodePool says which machines may be bought. Two Deployments want twelve pods of one CPU each, two of them on',
      'spot, and there is no machine yet: the pods are Pending. Watch the plan, the NodeClaim, the node, the pods.',
    ],
    act: ({ applyExample }) => applyExample('inflate'),
    isDone: allRun,
    withinMs: 10 * minuteMs,
  },
  {
    title: 'More of the same: thirty pods',
    text: [
      '"inflate" grows from ten to thirty. Free room is used first; the rest gets the cheapest machine that takes it.',
    ],
    act: ({ scale }) => scale('inflate', 30),
    isDone: (picture) => allRun(picture) && picture.pods.running >= 30,
    withinMs: 10 * minuteMs,
  },
  {
    title: 'Three zones, on spot',
    text: [
      'Nine pods that may differ by one between zones: room that is free takes what keeps the balance, and zones that',
      'lack a machine get one, each the cheapest there.',
    ],
    act: ({ applyExample }) => applyExample('zone-spread'),
    isDone: allRun,
    withinMs: 10 * minuteMs,
  },
  {
    title: 'Two teams, each on machines of its own',
    text: ['Two more NodePools, each with a taint: only the pods that tolerate it go there, and they go nowhere else.'],
    act: ({ applyExample }) => applyExample('team-isolation'),
    isDone: allRun,
    withinMs: 10 * minuteMs,
  },
  {
    title: 'Nobody needs it any more',
    text: [
      'Every Deployment goes to zero. Nodes that stay empty for consolidateAfter are drained and their machines ended.',
    ],
    act: ({ scaleAllToZero }) => scaleAllToZero(),
    isDone: ({ pods, machines }) =>
      machines.length === 0 && pods.pending + pods.starting + pods.running + pods.leaving === 0,
    withinMs: 20 * minuteMs,
  },
]
