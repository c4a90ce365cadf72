import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { labelKeys, type InstanceType } from '@scantling/core'
import { noteCluster, startEmbeddedCluster, type EmbeddedCluster } from '../embedded/index.ts'
import { applyFiles, defaultNodeClass } from './apply-files.ts'
import { fetchBill, renderBill } from './bill.ts'
import { decisionOf } from './decisions.ts'
import { connectKubeApi, type KubeApi } from './kube-api.ts'
import { takePicture } from './picture.ts'
import type { Screen } from './screen.ts'
import { disruptionSteps } from './disruption-steps.ts'
import { lookAtReasons } from './reasons.ts'
import { renderSavings, savingOf, type Saving } from './savings.ts'
import { tourSteps, type TourHands, type TourStep } from './steps.ts'
import { watchCluster, type WatchedCluster } from './watch-cluster.ts'

/** The tours there are; `basics` is the plain one. */
export const tourNames = ['basics', 'disruption', 'all'] as const
export type TourName = (typeof tourNames)[number]

export interface TourOptions {
  readonly screen: Screen
  /** Run through without pausing, print the bill, stop everything. */
  readonly yes: boolean
  readonly speed: number
  readonly port: number
  readonly catalog: string
  readonly types: ReadonlyArray<InstanceType>
  /** Which steps: the tutorial, what takes nodes away, or both. */
  readonly tour: TourName
  /** The user's own manifests instead of the tutorial's steps. */
  readonly files: ReadonlyArray<string>
  /** Resolves when the user asks to end (Ctrl-C). */
  readonly interrupted: Promise<void>
}

const refreshMs = 200
const keptDecisions = 200
const keptReasons = 20
const settleMs = 2000
const examples = fileURLToPath(new URL('../../../../examples/', import.meta.url))

/** Runs the tour on an embedded cluster; returns the exit code. */
export const runTour = async (options: TourOptions): Promise<number> => {
  const { screen, speed } = options
  const log: Array<string> = []
  const savings: Array<Saving> = []
  screen.print([
    `Starting an API server, a simulated cloud and the controller on this machine, ${speed} times as fast as life`,
  ])
  let cluster: EmbeddedCluster | undefined
  let watched: WatchedCluster | undefined
  let forgetCluster = () => {}
  try {
    cluster = await startEmbeddedCluster({
      speed,
      port: options.port,
      catalog: options.catalog,
      onControllerLine: (line) => {
        const saving = watched && savingOf(line, watched.clock.nowMs())
        if (saving !== undefined) savings.push(saving)
        const decision = decisionOf(line)
        // What cannot be placed is said at each pass.
        if (decision === undefined || log.slice(-keptReasons).includes(decision)) return
        log.push(decision)
        if (log.length > keptDecisions) log.shift()
        screen.note(decision)
      },
    })
    const { server, cloud, clockOriginMs } = cluster
    forgetCluster = noteCluster({ server, cloud, pid: process.pid, speed, clockOriginMs }, process.env)
    watched = await watchCluster(cluster)
    return await guide(options, cluster, watched, { log, savings })
  } catch (cause) {
    screen.close()
    screen.print([cause instanceof Error ? cause.message : String(cause)])
    return 1
  } finally {
    screen.close()
    forgetCluster()
    await watched?.stop()
    await cluster?.stop()
  }
}

const guide = async (
  options: TourOptions,
  cluster: EmbeddedCluster,
  watched: WatchedCluster,
  { log, savings }: { readonly log: Array<string>; readonly savings: ReadonlyArray<Saving> },
): Promise<number> => {
  const { screen, yes, interrupted } = options
  const api = connectKubeApi(cluster.server)
  const kubectl = `kubectl --server ${cluster.server} get nodes,nodeclaims,pods`
  screen.print([`The cluster is up. From another terminal: ${kubectl}`])
  const stopped = Promise.race([
    interrupted.then(() => 'interrupted' as const),
    cluster.failed.then((sentence) => {
      throw new Error(sentence)
    }),
  ])
  stopped.catch(() => undefined)
  const types = new Map(options.types.map((type) => [type.name, type]))
  const show = { options, watched, types, log, footer: kubectl, stopped }
  const told = (sentence: string) => {
    if (log.slice(-keptReasons).includes(sentence)) return
    log.push(sentence)
    screen.note(sentence)
  }
  const hands = handsOn(api, watched, cluster.cloud, lookAtReasons(watched, options.types, told))
  await api.apply(defaultNodeClass)
  if (options.files.length > 0) {
    const problems = await applyFiles(api, options.files)
    screen.print(problems.length === 0 ? ['Applied your manifests'] : problems)
    await watchUntilStopped(show, { title: 'Your manifests', text: ['Ctrl-C ends everything.'] })
  } else {
    const steps = stepsOf(options.tour)
    for (const [index, step] of steps.entries()) {
      const title = `${index + 1}/${steps.length}  ${step.title}`
      if ((await playStep(show, hands, { ...step, title })) === 'interrupted') return 130
      const isLast = index === steps.length - 1
      if (!yes && !isLast && (await pauseBefore(show, title)) === 'interrupted') return 130
    }
    screen.close()
    const bill = await fetchBill(cluster.cloud)
    screen.print(renderBill(bill))
    if (options.tour !== 'basics') screen.print(renderSavings(bill, types, savings))
    if (!yes) {
      screen.print(['The cluster stays up. Poke at it, or end it with Ctrl-C:', `  ${kubectl}`])
      await watchUntilStopped(show, { title: 'The cluster is yours', text: ['Ctrl-C ends everything.'] })
    }
  }
  return 0
}

const stepsOf = (tour: TourName): ReadonlyArray<TourStep> => {
  if (tour === 'basics') return tourSteps
  const end = tourSteps.slice(-1)
  return [...(tour === 'all' ? tourSteps.slice(0, -1) : []), ...disruptionSteps(), ...end]
}

interface Show {
  readonly options: TourOptions
  readonly watched: WatchedCluster
  readonly types: ReadonlyMap<string, InstanceType>
  readonly log: ReadonlyArray<string>
  readonly footer: string
  readonly stopped: Promise<'interrupted'>
}

const paint = ({ options, watched, types, log, footer }: Show, title: string, text: ReadonlyArray<string>) => {
  const picture = takePicture(watched.caches, watched.views, types)
  options.screen.update({ title, text, picture, log, footer })
  return picture
}

const nextFrame = () => new Promise<'frame'>((resolve) => setTimeout(() => resolve('frame'), refreshMs))

const playStep = async (show: Show, hands: TourHands, step: TourStep): Promise<'done' | 'interrupted'> => {
  const { options, watched } = show
  options.screen.open(step.title, step.text)
  const startedMs = watched.clock.nowMs()
  const acted = step.act(hands).then(() => 'acted' as const)
  acted.catch(() => undefined)
  if ((await Promise.race([acted, show.stopped])) === 'interrupted') return 'interrupted'
  let quietSinceMs: number | undefined
  for (;;) {
    if ((await Promise.race([nextFrame(), show.stopped])) === 'interrupted') return 'interrupted'
    const nowMs = watched.clock.nowMs()
    // What was just asked for takes a moment to show: a step is done when it stays done.
    quietSinceMs = step.isDone(paint(show, step.title, step.text), hands) ? (quietSinceMs ?? nowMs) : undefined
    if (quietSinceMs !== undefined && nowMs - quietSinceMs >= settleMs) return 'done'
    if (nowMs - startedMs > step.withinMs)
      throw new Error(
        `The step "${step.title}" did not end within ${step.withinMs / 60_000} minutes of the cluster's time`,
      )
  }
}

const pauseBefore = async (show: Show, title: string): Promise<'go' | 'interrupted'> => {
  const pressed = show.options.screen.pause().then(() => 'go' as const)
  for (;;) {
    paint(show, title, ['Done. Press Enter for the next step, Ctrl-C to end.'])
    const next = await Promise.race([pressed, nextFrame(), show.stopped])
    if (next !== 'frame') return next
  }
}

const watchUntilStopped = async (
  show: Show,
  { title, text }: { readonly title: string; readonly text: ReadonlyArray<string> },
) => {
  show.options.screen.open(title, text)
  for (;;) {
    paint(show, title, text)
    if ((await Promise.race([nextFrame(), show.stopped])) === 'interrupted') return
  }
}

const handsOn = (api: KubeApi, watched: WatchedCluster, cloud: string, whyStays: TourHands['whyStays']): TourHands => {
  const deployments = new Map<string, string>()
  return {
    applyExample: async (name) => {
      const folder = `${examples}${name}`
      if (!existsSync(folder)) throw new Error(`There is no example ${name} in ${examples}`)
      const problems = await applyFiles(api, [folder], (kind, objectName, namespace) => {
        if (kind === 'Deployment') deployments.set(objectName, namespace)
      })
      if (problems.length > 0) throw new Error(problems.join('\n'))
    },
    scale: async (name, replicas) =>
      api.scaleDeployment({ name, namespace: deployments.get(name) ?? 'default' }, replicas),
    scaleAllToZero: async () => {
      for (const [name, namespace] of deployments) await api.scaleDeployment({ name, namespace }, 0)
      // The pods are on their way out once the cluster shows one of them leaving.
      const pods = () => [...watched.caches.pods.values()]
      // Where time runs fast, they may be gone before anyone looks.
      while (pods().length > 0 && pods().every(({ metadata }) => metadata.deletionTimestamp === undefined))
        await nextFrame()
    },
    merge: api.merge,
    podsOf: (deployment) =>
      [...watched.caches.pods.values()]
        .filter(({ metadata }) => metadata.labels['app'] === deployment && metadata.deletionTimestamp === undefined)
        .map(({ metadata }) => metadata.name),
    machinesOf: (nodePool) =>
      [...watched.caches.nodes.values()]
        .filter(({ metadata }) => metadata.labels[labelKeys.nodePool] === nodePool)
        .map(({ metadata }) => metadata.name),
    interrupt: (machine) => tellCloud(cloud, 'POST', 'interrupt', { instance: machine, kind: 'spot' }),
    setSpotCapacity: (remaining) =>
      tellCloud(cloud, 'PUT', 'capacity', {
        rules: remaining === undefined ? [] : [{ capacityType: 'spot', remaining }],
      }),
    whyStays,
    nowMs: watched.clock.nowMs,
  }
}

const tellCloud = async (cloud: string, method: string, what: string, body: object): Promise<void> => {
  const response = await fetch(`${cloud}/control/${what}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`The simulated cloud refused ${what}: ${await response.text()}`)
}
