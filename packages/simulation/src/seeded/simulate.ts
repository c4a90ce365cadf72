import { createHash } from 'node:crypto'
import { seededRandom } from '@scantling/controller'
import {
  countDisruptions,
  countMoves,
  limitsKept,
  noDoubleLaunch,
  nodeBudgetsKept,
  noOrphans,
  noReplacementCycle,
  podBudgetsKept,
  traceOf,
  watchWorld,
} from '../checkers/index.ts'
import { isTrue, startVirtualCluster, type ControllerRun } from '../cluster/index.ts'
import { drawWorld, type DrawnWorld } from './draw-world.ts'
import { applyWorld, faultStepMs, startFaults, type Faults } from './faults.ts'

export interface SimulateOptions {
  readonly seed: number
  /** Told of everything that befalls the cluster. */
  readonly onEvent?: (sentence: string) => void
}

/** What a simulation came to. */
export interface Simulation {
  readonly world: DrawnWorld
  /** What should not have been, and what had not come to rest in the end. Empty: well. */
  readonly violations: ReadonlyArray<string>
  readonly effects: number
  readonly controllers: number
  readonly launches: number
  readonly evictions: number
  readonly disruptions: Readonly<Record<string, number>>
  readonly movedTwiceWithinAnHour: number
  /** How long the healed world took to come to rest. **Units**: milliseconds of virtual time. */
  readonly restedAfterMs: number
  /** Equal for equal seeds. */
  readonly trace: string
}

const restWithinMs = 4 * 3_600_000
// Nothing may change for so long before a world counts as at rest: longer than any wait of the controller's.
const restMs = 6 * 60_000
const stepMs = 5_000
const settleMs = 180_000

/**
 * Runs controller, simulated cloud and Kubernetes on one virtual clock: first with faults, for safety, then in a world
 * that is healed and must come to rest, for liveness. Everything follows from the seed.
 *
 * Cost: some seconds.
 */
export const simulate = async ({ seed, onEvent = () => undefined }: SimulateOptions): Promise<Simulation> => {
  const world = drawWorld(seed)
  const random = seededRandom(seed)
  let faults: Faults | undefined
  let isHealed = false
  const cluster = await startVirtualCluster({
    launchMs: world.launchMs,
    server: { seed },
    cloud: { seed: String(seed), registrationMs: world.registrationMs },
    controllers: { seed },
    providerOf: (provider) => ({
      ...provider,
      launch: (request, call) => {
        // A machine that boots and never joins, as with a bad image or a missing route.
        const isLost = !isHealed && random() < world.neverRegister
        const nodeClass = { ...request.nodeClass, spec: { nodeRegistrationDelay: '48h' } }
        return provider.launch(isLost ? { ...request, nodeClass } : request, call)
      },
    }),
  })
  const moves = countMoves()
  const disruptions = countDisruptions()
  const trace = traceOf(createHash('sha256'))
  const checkers = [
    noOrphans(),
    noDoubleLaunch(),
    nodeBudgetsKept(),
    podBudgetsKept((node) => faults?.isInterrupted(node) ?? false),
    limitsKept(),
    noReplacementCycle(),
    moves,
    disruptions,
    trace,
  ]
  const watching = watchWorld(cluster, checkers)
  const runs: Array<ControllerRun> = []
  const startController = async () => {
    runs.push(
      await cluster.startController((effect) => {
        watching.see(effect)
        return faults?.fate() ?? 'pass'
      }),
    )
  }
  const pass = async (ms: number) => {
    for (let leftMs = ms; leftMs > 0; leftMs -= stepMs) {
      await cluster.clock.advance(Math.min(leftMs, stepMs))
      watching.look()
    }
  }
  try {
    await startController()
    await applyWorld(cluster, world)
    await pass(settleMs)
    faults = startFaults(world, cluster, random, {
      disturb: watching.disturb,
      killController: async () => {
        runs.at(-1)?.kill()
        await pass(Math.floor(random() * 60_000))
        await startController()
      },
    })
    for (let minute = 0; minute < world.faultMinutes; minute++) {
      for (const sentence of await faults.minute()) onEvent(`${minute} min: ${sentence}`)
      await pass(faultStepMs)
    }
    faults.heal()
    isHealed = true
    onEvent('healed')
    const healedAtMs = cluster.clock.nowMs()
    let quietSinceMs = healedAtMs
    let shape = ''
    for (;;) {
      await pass(30_000)
      const nowMs = cluster.clock.nowMs()
      const now = shapeOf(watching.world)
      if (now !== shape || !isConverged(watching.world)) quietSinceMs = nowMs
      shape = now
      if (nowMs - quietSinceMs >= restMs || nowMs - healedAtMs >= restWithinMs) break
    }
    const restedAfterMs = quietSinceMs - healedAtMs
    // Time for a collection of garbage.
    await pass(300_000)
    watching.look()
    const unrested = restedAfterMs >= restWithinMs - restMs ? unrestOf(watching.world) : []
    watching.rest()
    return {
      world,
      violations: [
        ...watching.violations(),
        ...unrested.map((sentence) => `liveness: ${sentence}`),
        ...runs.flatMap(({ errors }) => errors.filter((error) => error.includes('report this'))),
      ],
      effects: runs.reduce((sum, { effects }) => sum + effects.length, 0),
      controllers: runs.length,
      launches: cluster.cloud.everything().length,
      evictions: moves.evictions(),
      disruptions: Object.fromEntries([...disruptions.byReason()].sort(([a], [b]) => (a < b ? -1 : 1))),
      movedTwiceWithinAnHour: moves.movedTwice(),
      restedAfterMs,
      trace: trace.digest(),
    }
  } finally {
    watching.stop()
    await cluster.stop()
  }
}

type World = ReturnType<typeof watchWorld>['world']

const shapeOf = (world: World): string =>
  [...world.nodes()].map(({ metadata }) => metadata.name).join(' ') +
  [...world.pods()].map(({ metadata, spec }) => `${metadata.name}@${spec.nodeName}`).join(' ')

/** A pod that a limit keeps out may wait for ever; nothing else may. */
const unrestOf = (world: World): ReadonlyArray<string> => [
  ...[...world.claims()]
    .filter((claim) => !isTrue(claim, 'Initialized') || claim.metadata.deletionTimestamp !== undefined)
    .map(({ metadata }) => `NodeClaim ${metadata.name} is neither ready nor gone`),
  ...[...world.pods()]
    .filter(({ status }) => status.phase !== 'Running')
    .filter(() => [...world.pools()].every(({ spec }) => spec.limits === undefined))
    .map(({ metadata }) => `Pod ${metadata.name} does not run`),
]

const isConverged = (world: World): boolean => unrestOf(world).length === 0
