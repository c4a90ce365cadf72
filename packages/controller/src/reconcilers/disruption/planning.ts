import {
  Pods,
  startDisruption,
  type DisruptionMethod,
  type DisruptionPlan,
  type PassOptions,
  type Snapshot,
} from '@scantling/core'
import { inSlices } from '../../runtime/index.ts'
import type { ReconcilerContext } from '../context.ts'
import { passStrategy } from '../provisioning/index.ts'

/** How the reference labels what a method decides. */
export const consolidationTypes: Readonly<Record<DisruptionMethod, string>> = {
  emptiness: 'empty',
  'static-drift': '',
  drift: '',
  'multi-node-consolidation': 'multi',
  'single-node-consolidation': 'single',
}

/** The reason that a method's candidates are counted under; several and single nodes share one. */
export const reasonsOf: Readonly<Record<DisruptionMethod, string>> = {
  emptiness: 'empty',
  'static-drift': 'drifted',
  drift: 'drifted',
  'multi-node-consolidation': 'underutilized',
  'single-node-consolidation': 'underutilized',
}

/** Whether what a method decides has to hold for a while before it is carried out. */
export const isConsolidation = (method: DisruptionMethod): boolean => consolidationTypes[method] !== ''

/** The cluster as it is now, read in slices; `undefined` at shutdown. */
export const takeSnapshot = async (context: ReconcilerContext): Promise<Snapshot | undefined> => {
  const { state, types, shutdown, steadyNowMs, features } = context
  const call = { signal: shutdown, cluster: context.clusterFacts() }
  // A pool whose types cannot be had keeps its nodes; provisioning reports the failure.
  const instanceTypes = await types.ofNodePools(state.nodePools(), call, () => undefined)
  await inSlices(state.readAhead(), steadyNowMs, shutdown)
  await features.spread?.prepare(state.nodes().flatMap(({ pods }) => pods))
  return shutdown.aborted ? undefined : state.snapshot(instanceTypes)
}

/** What plans are told beside the snapshot: what is under way, and what was moved lately. */
export const passOptions = (context: ReconcilerContext): PassOptions => ({
  strategy: passStrategy(context),
  inFlight: new Set(context.commands.all().flatMap(({ command }) => command.candidates.map(({ node }) => node))),
  movedWorkloads: context.state.moved.workloads(),
})

/**
 * What the methods would take away, planned in slices; `undefined` at shutdown.
 *
 * `proposed`: nodes that are to go already, if that holds.
 */
export const planOf = (
  context: ReconcilerContext,
  snapshot: Snapshot,
  {
    methods,
    proposed,
  }: { readonly methods: ReadonlyArray<DisruptionMethod>; readonly proposed: ReadonlyArray<string> },
): Promise<DisruptionPlan | undefined> => {
  const options = passOptions(context)
  const inFlight = new Set([...(options.inFlight ?? []), ...proposed])
  return stepThrough(context, startDisruption(snapshot, { ...options, inFlight, methods }))
}

/**
 * Runs a planner to its end without holding up others; `undefined` at shutdown.
 *
 * A look at the clock costs less than any step, and a step that sorts fifty nodes takes a millisecond where others have
 * the processor as well: several at once would make slices of any length.
 */
export const stepThrough = <A>(
  { steadyNowMs, shutdown }: ReconcilerContext,
  run: { readonly step: (units: number) => boolean; readonly finish: () => A },
): Promise<A | undefined> =>
  inSlices(
    (function* () {
      while (!run.step(1)) yield
      return run.finish()
    })(),
    steadyNowMs,
    shutdown,
  )

/** UIDs of the pods on each node that would have to move. */
export const movingPods = ({ nodes }: Snapshot, names: ReadonlySet<string>): ReadonlyMap<string, ReadonlySet<string>> =>
  new Map(
    nodes
      .filter(({ name }) => names.has(name))
      .map(({ name, pods }) => [name, new Set(pods.filter(Pods.isReschedulable).map(({ uid }) => uid))]),
  )
