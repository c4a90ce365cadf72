import {
  decoderOf,
  renderFieldError,
  type Call,
  type CancelSignal,
  type CloudProvider,
  type ClusterFacts,
  type ClusterView,
  type Convergence,
  type Instance,
  type InstanceList,
  type InstanceType,
  type JsonObject,
  type Launched,
  type LaunchFailure,
  type LaunchRequest,
  type ManagedInstance,
  type NodeClaimFacts,
  type NodeClassObject,
  type ProviderError,
  type Resolution,
} from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { expectTrue, fail, rightOf } from './expectation.ts'
import type { AnySubject, Capability, Levers } from './subject.ts'
import { hasCapability } from './subject.ts'

type Live = CloudProvider<NodeClassObject>

/** A subject made ready as the shell does it, and the calls that checks make. */
export interface Session {
  readonly subject: AnySubject
  readonly live: Live
  /** Decoded from the manifest, with the status that `resolve` gave it. */
  readonly nodeClass: NodeClassObject
  readonly call: (signal?: CancelSignal) => Call
  /** Runs a call of the port; rejects where the provider does, which is a bug of the provider's. */
  readonly ask: <L, A>(task: TaskEither<L, A>) => Promise<E.Either<L, A>>
  readonly types: () => Promise<ReadonlyArray<InstanceType>>
  readonly request: (
    token: string,
    changes?: Partial<LaunchRequest<NodeClassObject>>,
  ) => Promise<LaunchRequest<NodeClassObject>>
  readonly tryLaunch: (
    token: string,
    changes?: Partial<LaunchRequest<NodeClassObject>>,
  ) => Promise<E.Either<LaunchFailure, Launched<unknown>>>
  readonly launch: (token: string, changes?: Partial<LaunchRequest<NodeClassObject>>) => Promise<Instance>
  readonly tryList: () => Promise<E.Either<ProviderError, InstanceList<unknown>>>
  /** The list, once the time is past in which it may miss the young. */
  readonly list: () => Promise<InstanceList<unknown>>
  /** Ids in the list that are not on their way out. */
  readonly listedIds: () => Promise<ReadonlyArray<string>>
  readonly terminate: (providerId: string) => Promise<'Started' | 'Gone'>
  /** Terminates again and again until it is gone. */
  readonly terminateFully: (providerId: string) => Promise<void>
  readonly managed: (
    instance: Instance,
    changes?: Partial<NodeClaimFacts>,
  ) => Promise<ManagedInstance<NodeClassObject, unknown>>
  /** Asks `converge` until it is no longer pending; `undefined` where the provider has none. */
  readonly converged: (instance: Instance) => Promise<Convergence | undefined>
  readonly resolve: (nodeClass: NodeClassObject) => Promise<E.Either<ProviderError, Resolution>>
  /** Every task of the provider once. */
  readonly runTasks: (view: ClusterView<NodeClassObject>) => Promise<void>
  /** A second life of the provider, its tasks that gate readiness run. */
  readonly restarted: () => Promise<Live>
  readonly decode: (manifest: JsonObject, status?: JsonObject) => NodeClassObject
  readonly lever: <K extends keyof Levers<NodeClassObject, unknown>>(
    name: K,
  ) => NonNullable<Levers<NodeClassObject, unknown>[K]>
}

/** What the shell would write of a resolution. */
export const writtenStatus = ({ status, conditions }: Resolution, observedGeneration: number): JsonObject => ({
  ...status,
  conditions: Object.entries(conditions).flatMap(([type, verdict]) =>
    verdict === 'unchanged'
      ? []
      : [
          {
            type,
            status: verdict.status,
            reason: verdict.reason ?? type,
            message: verdict.message ?? '',
            lastTransitionTime: '2026-01-01T00:00:00Z',
            observedGeneration,
          },
        ],
  ),
})

const emptyView: ClusterView<NodeClassObject> = { nodeClasses: [], claims: [] }
const mostRounds = 60
const roundMs = 10_000

/** A claim of a launch; the token is its UID. */
export const claimOf = (token: string, nodeClass: string, changes: Partial<NodeClaimFacts> = {}): NodeClaimFacts => ({
  name: `claim-${token}`,
  uid: token,
  generation: 1,
  nodePool: 'default',
  nodeClass,
  labels: {},
  annotations: {},
  requirements: { byKey: new Map() },
  requests: {},
  taints: [],
  startupTaints: [],
  registered: false,
  deleting: false,
  ...changes,
})

/** Refuses a subject that lacks what a check needs, with the remedy. */
export const expectCapabilities = (subject: AnySubject, needs: ReadonlyArray<Capability>): void => {
  for (const need of needs)
    if (!hasCapability(subject, need))
      fail(`This check needs ${JSON.stringify(need)}: give it to the subject, or name it in notSupported`)
}

/** Runs the tasks that gate readiness, decodes the NodeClass and resolves it, over the subject's life or another. */
export const openSession = async (subject: AnySubject, live: Live = subject.provider): Promise<Session> => {
  const { module, pass } = subject
  const cluster: ClusterFacts = {
    name: 'conformance',
    endpoint: 'https://conformance.example:6443',
    caBundle: 'Q0E=',
    kubernetesVersion: '1.36.3',
    dnsServiceIp: '10.100.0.10',
    objects: Object.fromEntries((module.reads ?? []).map(({ as }) => [as, E.right([])])),
    ...subject.cluster,
  }
  const call = (signal: CancelSignal = new AbortController().signal): Call => ({ signal, cluster })
  const ask: Session['ask'] = (task) => {
    const work = task()
    return subject.drive === undefined ? work : subject.drive(work)
  }
  const decode = (manifest: JsonObject, status?: JsonObject): NodeClassObject => {
    const { apiVersion, kind, metadata } = manifest
    const known = module.nodeClasses
      .flatMap((each) => each.versions.map(({ name, schema }) => ({ ...each, name, schema })))
      .find((each) => each.kind === kind && `${each.group}/${each.name}` === apiVersion)
    if (known === undefined) return fail(`The module knows no ${String(kind)} of ${String(apiVersion)}`)
    const wire = {
      ...manifest,
      metadata: { uid: 'u-1', generation: 1, ...(metadata as JsonObject) },
      ...(status !== undefined && { status }),
    }
    const decoded = decoderOf(known.schema)(wire)
    return E.isRight(decoded)
      ? decoded.right
      : fail(`The schema refuses the manifest: ${decoded.left.map(renderFieldError).join('; ')}`)
  }
  const resolve: Session['resolve'] = (nodeClass) =>
    live.resolve === undefined
      ? Promise.resolve(E.right({ status: {}, conditions: {} }))
      : ask(
          live.resolve(
            { nodeClass, nodePools: [{ name: 'default', labels: {}, requirements: { byKey: new Map() } }] },
            call(),
          ),
        )
  const runTasks = async (view: ClusterView<NodeClassObject>, wanted = live.tasks ?? []) => {
    for (const { name, run, runsOn } of wanted)
      rightOf(await ask(run(runsOn === 'leader' ? view : emptyView, call())), `Task ${name}`)
  }
  // As the shell does: nothing else is called before these.
  const makeReady = async (life: Live) => {
    await runTasks(
      emptyView,
      (life.tasks ?? []).filter(({ gatesReadiness }) => gatesReadiness === true),
    )
    return life
  }
  await makeReady(live)
  const written = decode(subject.manifest)
  const resolution = rightOf(await resolve(written), 'resolve()')
  const nodeClass =
    live.resolve === undefined
      ? written
      : decode(subject.manifest, writtenStatus(resolution, written.metadata.generation))

  const types = async () => rightOf(await ask(live.instanceTypes(nodeClass, call())), 'instanceTypes()')
  const request: Session['request'] = async (token, changes = {}) => {
    const usable = changes.candidates ?? onSale(await types())
    const [first, ...rest] = usable
    if (first === undefined) return fail('instanceTypes() has no type with an offering that is on sale')
    return {
      token,
      nodeClass,
      minValues: 'strict',
      claim: claimOf(token, nodeClass.metadata.name),
      ...changes,
      candidates: [first, ...rest],
    }
  }
  const tryLaunch: Session['tryLaunch'] = async (token, changes) =>
    ask(live.launch(await request(token, changes), call()))
  const tryList = () => ask(live.list(call()))
  const list = async () => {
    await pass(module.traits?.listLagMs ?? 60_000)
    return rightOf(await tryList(), 'list()')
  }
  const terminate = async (providerId: string) =>
    rightOf(await ask(live.terminate({ providerId }, call())), 'terminate()')
  const managed: Session['managed'] = async (instance, changes = {}) => {
    const type = (await types()).find(({ name }) => name === instance.instanceType)
    const token = instance.owner.nodeClaim?.replace(/^claim-/, '') ?? 'unknown'
    return {
      claim: claimOf(token, nodeClass.metadata.name, {
        providerId: instance.providerId,
        ...(instance.imageId !== undefined && { imageId: instance.imageId }),
        annotations: instance.annotations ?? {},
        registered: true,
        ...changes,
      }),
      nodeClass,
      instance,
      ...(type !== undefined && { type }),
      // What is registered has a Node.
      node: {
        name: `node-${token}`,
        labels: {},
        kubeletVersion: `v${cluster.kubernetesVersion}`,
        capacity: type?.capacity ?? {},
      },
    }
  }
  const lever: Session['lever'] = (name) => subject.levers[name] ?? fail(`This check needs ${JSON.stringify(name)}`)
  return {
    subject,
    live,
    nodeClass,
    call,
    ask,
    types,
    request,
    tryLaunch,
    launch: async (token, changes) => rightOf(await tryLaunch(token, changes), 'launch()').instance,
    tryList,
    list,
    listedIds: async () =>
      (await list()).instances.flatMap(({ phase, providerId }) => (phase === 'terminating' ? [] : [providerId])),
    terminate,
    terminateFully: async (providerId) => {
      for (let round = 0; round < mostRounds; round++) {
        // The shell asks again after a Left as well.
        const answer = await ask(live.terminate({ providerId }, call()))
        if (E.isRight(answer) && answer.right === 'Gone') return
        await pass(roundMs)
      }
      fail(`terminate() of ${providerId} did not come to Gone within ${(mostRounds * roundMs) / 60_000} minutes`)
    },
    managed,
    converged: async (instance) => {
      if (live.converge === undefined) return undefined
      for (let round = 0; round < mostRounds; round++) {
        // As the shell does, on a fresh look.
        const seen =
          live.get === undefined || round === 0
            ? instance
            : rightOf(await ask(live.get({ providerId: instance.providerId }, call())), 'get()')
        const answer = rightOf(await ask(live.converge(await managed(seen), call())), 'converge()')
        if (answer._tag !== 'Pending') return answer
        expectTrue(answer.retryAfterMs > 0, 'converge() is pending without a time to ask again')
        await pass(answer.retryAfterMs)
      }
      return fail('converge() stays Pending')
    },
    resolve,
    runTasks,
    decode,
    lever,
    restarted: async () => makeReady(await lever('restart')()),
  }
}

/** Types with the offerings that can be bought now, and only those, cheapest first: what the shell hands to `launch`. */
export const onSale = (types: ReadonlyArray<InstanceType>): ReadonlyArray<InstanceType> =>
  types
    .map((type) => ({
      ...type,
      offerings: type.offerings.filter(
        ({ unavailable, pricePerHour, reservation }) =>
          unavailable === undefined && pricePerHour !== undefined && (reservation?.remaining ?? 1) > 0,
      ),
    }))
    .filter(({ offerings }) => offerings.length > 0)
    .sort((a, b) => lowestPrice(a) - lowestPrice(b) || (a.name < b.name ? -1 : 1))

export const lowestPrice = ({ offerings }: InstanceType): number =>
  Math.min(...offerings.map(({ pricePerHour }) => pricePerHour ?? Infinity))
