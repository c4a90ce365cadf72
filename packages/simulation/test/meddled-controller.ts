import {
  kinds,
  runningPods,
  startVirtualCluster,
  type FateOf,
  type VirtualCluster,
  type VirtualClusterOptions,
} from '../src/index.ts'

/** A stretch of a controller's work, whose effects can be meddled with. */
export interface Work {
  readonly options?: VirtualClusterOptions
  /** How the cluster came to be, while every effect passes. */
  readonly prepare?: (cluster: VirtualCluster) => Promise<unknown>
  /** What the controller then has to answer. */
  readonly act: (cluster: VirtualCluster) => Promise<unknown>
  readonly isDone: (cluster: VirtualCluster) => Promise<boolean>
}

/** What is left of the world when the work is done and all is quiet. */
export interface Outcome {
  /** Of the first controller since `act`, those that failed included. */
  readonly effects: ReadonlyArray<string>
  readonly running: number
  readonly nodes: number
  /** Provider ids of the claims, and of the machines that cost money, in one order. */
  readonly claimed: ReadonlyArray<string>
  readonly machines: ReadonlyArray<string>
  readonly everLaunched: number
  readonly taints: ReadonlyArray<object>
}

/** Lets a controller work while its effects meet their fates, the first of them number 1; after a death a second one takes over. */
export const workUnder = async (
  fateOf: FateOf,
  { options, prepare = async () => undefined, act, isDone }: Work,
): Promise<Outcome> => {
  const cluster = await startVirtualCluster(options)
  try {
    let isMeddling = false
    let number = 0
    const first = await cluster.startController((effect) => (isMeddling ? fateOf(effect, ++number) : 'pass'))
    await prepare(cluster)
    isMeddling = true
    const before = first.effects.length
    await act(cluster)
    await cluster.until('the work is done or the controller is dead', async () => first.isDead() || isDone(cluster))
    if (first.isDead()) await cluster.startController()
    await cluster.until('the work is done', () => isDone(cluster), 1_200_000)
    // Time for a collection of garbage, and for anything that would be bought or ended late.
    await cluster.clock.advance(130_000)
    const nodes = await cluster.all(kinds.nodes)
    return {
      effects: first.effects.slice(before).map(({ name }) => name),
      running: await runningPods(cluster),
      nodes: nodes.length,
      claimed: (await cluster.all(kinds.nodeClaims)).map(({ status }) => status.providerID ?? 'none').toSorted(),
      machines: cluster
        .machines()
        .map(({ name }) => `kwok://${name}`)
        .toSorted(),
      everLaunched: cluster.cloud.everything().length,
      taints: nodes.flatMap(({ spec }) => spec.taints ?? []),
    }
  } finally {
    await cluster.stop()
  }
}
