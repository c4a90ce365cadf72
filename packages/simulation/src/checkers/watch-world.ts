import type { KubeObject } from '@scantling/kube-sim'
import { kinds, type Effect, type Seen, type VirtualCluster } from '../cluster/index.ts'
import type { Change, Checker, World } from './checker.ts'

/** Checkers at work on a cluster. */
export interface Watching {
  readonly world: World
  /** For `fateOf`: lets the checkers see an effect before it meets its fate. */
  readonly see: (effect: Effect) => void
  /** The outside world meddled. */
  readonly disturb: () => void
  readonly look: () => void
  readonly rest: () => void
  /** What was found, each sentence after the name of its checker. */
  readonly violations: () => ReadonlyArray<string>
  readonly stop: () => void
}

type SeenObject = Seen & KubeObject

/** Lets checkers follow every change of pods, nodes and claims. */
export const watchWorld = (cluster: VirtualCluster, checkers: ReadonlyArray<Checker>): Watching => {
  const { face, clock, cloud } = cluster
  let disturbances = 0
  const view = (ref: { readonly group: string; readonly plural: string }) =>
    face.peek<SeenObject>(ref.group, ref.plural)
  const pods = view(kinds.pods)
  const valuesOf = (ref: { readonly group: string; readonly plural: string }) => {
    const values = view(ref)
    return () => values.values()
  }
  const world: World = {
    nowMs: clock.nowMs,
    pods: () => pods.values(),
    podsOn: (node) => pods.onNode(node),
    nodes: valuesOf(kinds.nodes),
    claims: valuesOf(kinds.nodeClaims),
    pools: valuesOf(kinds.nodePools),
    budgets: valuesOf(kinds.budgets),
    deployments: valuesOf(kinds.deployments),
    everyMachine: cloud.everything,
    disturbances: () => disturbances,
  }
  const follow = (plural: Change['plural'], ref: (typeof kinds)['pods']): (() => void) => {
    const last = new Map<string, Seen>()
    return face.watch<SeenObject>(ref, {}, (event) => {
      if (event.type === 'BOOKMARK' || event.type === 'ERROR') return
      const { uid } = event.object.metadata
      const change = { plural, type: event.type, object: event.object, before: last.get(uid), atMs: clock.nowMs() }
      if (event.type === 'DELETED') last.delete(uid)
      else last.set(uid, event.object)
      for (const checker of checkers) checker.onChange?.(change, world)
    })
  }
  const stops = [follow('pods', kinds.pods), follow('nodes', kinds.nodes), follow('nodeclaims', kinds.nodeClaims)]
  return {
    world,
    see: (effect) => checkers.forEach((checker) => checker.onEffect?.(effect, world)),
    disturb: () => void (disturbances += 1),
    look: () => checkers.forEach((checker) => checker.onLook?.(world)),
    rest: () => checkers.forEach((checker) => checker.onRest?.(world)),
    violations: () =>
      checkers.flatMap(({ name, violations }) => violations().map((sentence) => `${name}: ${sentence}`)),
    stop: () => stops.forEach((stop) => stop()),
  }
}
