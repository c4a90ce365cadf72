import {
  Requirements,
  Resources,
  type Call,
  type CloudProvider,
  type ClusterView,
  type InstanceType,
  type LaunchRequest,
  type NodeClaimFacts,
  type ProviderHost,
  type Resolution,
} from '@scantling/core'
import { virtualClock, type VirtualClock } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Ec2Details } from '../src/instances/index.ts'
import type { Ec2NodeClass, Ec2NodeClassStatus } from '../src/node-class/index.ts'
import { createFrom } from '../src/provider.ts'
import { awsSettings, type AwsSettings } from '../src/settings.ts'
import { fakeAws, type FakeAws, type World } from './fake-aws/index.ts'
import { nodeClass as nodeClassFrom } from './subjects.ts'

export const startMs = Date.parse('2026-06-01T00:00:00Z')

export const defaultSettings: AwsSettings = Object.fromEntries(
  Object.entries(awsSettings.fields).map(([name, field]) => [name, field.default]),
) as unknown as AwsSettings

export const rightOf = <L, A>(either: E.Either<L, A>): A => {
  if (E.isLeft(either)) throw new Error(`Expected a right, got ${JSON.stringify(either.left)}`)
  return either.right
}
export const leftOf = <L, A>(either: E.Either<L, A>): L => {
  if (E.isRight(either)) throw new Error(`Expected a left, got ${JSON.stringify(either.right)}`)
  return either.left
}

export interface Recorded {
  readonly metric: string
  readonly value: number | undefined
  readonly labels: Readonly<Record<string, string>>
}

/** A host on virtual time that keeps what it is told. */
export const recordingHost = (
  gates: Readonly<Record<string, boolean>> = {},
  clock: VirtualClock = virtualClock(startMs),
) => {
  const recorded: Array<Recorded> = []
  const logged: Array<{ readonly level: string; readonly message: string; readonly fields: unknown }> = []
  const host: ProviderHost = {
    clock: { nowMs: clock.nowMs, sleep: clock.sleep },
    random: () => 0.5,
    record: ({ name }, value, labels) => void recorded.push({ metric: name, value, labels }),
    log: (level, message, fields) => void logged.push({ level, message, fields }),
    gates,
    shutdown: new AbortController().signal,
  }
  /** Runs a task to its end, moving time as it waits. */
  const run = async <L, A>(task: TaskEither<L, A>): Promise<E.Either<L, A>> => {
    let result: E.Either<L, A> | undefined
    let failure: Error | undefined
    const running = task().then(
      (value) => (result = value),
      (cause: unknown) => (failure = cause instanceof Error ? cause : new Error(String(cause))),
    )
    for (let steps = 0; result === undefined && failure === undefined; steps += 1) {
      if (steps > 5000) throw new Error('The task does not end')
      await clock.advance(10)
    }
    await running
    if (failure !== undefined) throw failure
    return result as E.Either<L, A>
  }
  return { host, clock, recorded, logged, run }
}

export const callFor = (name = 'demo'): Call => ({
  signal: new AbortController().signal,
  cluster: {
    name,
    endpoint: 'https://demo.example.com',
    caBundle: 'Y2E=',
    kubernetesVersion: '1.34.2-eks-1',
    dnsServiceIp: '10.100.0.10',
    objects: {},
  },
})

export const claimFor = (name: string, changes: Partial<NodeClaimFacts> = {}): NodeClaimFacts => ({
  name,
  uid: `uid-of-${name}`,
  generation: 1,
  nodePool: 'default',
  nodeClass: 'default',
  labels: { 'karpenter.sh/nodepool': 'default' },
  annotations: {},
  requirements: Requirements.fromSpecs([
    { key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand'] },
    { key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] },
  ]),
  requests: Resources.parse({ cpu: '1', memory: '1Gi', pods: '1' }),
  taints: [],
  startupTaints: [],
  registered: false,
  deleting: false,
  ...changes,
})

export const pools: Parameters<NonNullable<CloudProvider<Ec2NodeClass>['resolve']>>[0]['nodePools'] = [
  { name: 'default', labels: {}, requirements: Requirements.empty },
]

/** The provider over a small AWS, its tasks that gate readiness run once. */
export const rig = async (
  options: {
    readonly world?: Partial<World>
    readonly settings?: Partial<AwsSettings>
    readonly gates?: Readonly<Record<string, boolean>>
    readonly call?: Call
    readonly spec?: Readonly<Record<string, unknown>>
    readonly aws?: FakeAws
    readonly clock?: VirtualClock
  } = {},
) => {
  const recording = recordingHost(options.gates, options.clock)
  const { host, clock, run } = recording
  const aws = options.aws ?? fakeAws(options.world, clock.nowMs)
  const call = options.call ?? callFor()
  const made = await run(createFrom(aws.ports, { ...defaultSettings, ...options.settings }, host, call))
  const provider = rightOf(made)
  const view = (changes: Partial<ClusterView<Ec2NodeClass>> = {}): ClusterView<Ec2NodeClass> => ({
    nodeClasses: [],
    claims: [],
    ...changes,
  })
  const task = (name: string) => {
    const found = provider.tasks?.find((one) => one.name === name)
    if (found === undefined) throw new Error(`There is no task ${name}`)
    return found
  }
  const runTask = (name: string, changes: Partial<ClusterView<Ec2NodeClass>> = {}) =>
    run(task(name).run(view(changes), call))
  rightOf(await runTask('instance-types'))
  const spec = { amiSelectorTerms: [{ alias: 'al2023@latest' }], role: 'node-role', ...options.spec }
  let nodeClass = nodeClassFrom(spec)

  /** One pass of `resolve`, its result written into the NodeClass as the shell would. */
  const resolve = async (nodePools = pools): Promise<Resolution> => {
    const resolution = rightOf(await run(provider.resolve?.({ nodeClass, nodePools }, call) as never)) as Resolution
    nodeClass = written(nodeClass, resolution)
    return resolution
  }
  const typesOf = async (): Promise<ReadonlyArray<InstanceType>> =>
    rightOf(await run(provider.instanceTypes(nodeClass, call)))
  /** Candidates as the shell makes them, in the least: available offerings only, cheapest first. */
  const requestFor = async (
    claim: NodeClaimFacts,
    changes: Partial<LaunchRequest<Ec2NodeClass>> = {},
  ): Promise<LaunchRequest<Ec2NodeClass>> => {
    const wellKnown = new Set((await typesOf()).flatMap(({ requirements }) => [...requirements.byKey.keys()]))
    const candidates = (await typesOf())
      .filter(({ requirements }) => Requirements.isCompatible(requirements, claim.requirements, wellKnown))
      .map((type) => ({
        ...type,
        offerings: type.offerings.filter(
          ({ unavailable, requirements }) =>
            unavailable === undefined && Requirements.isCompatible(requirements, claim.requirements, wellKnown),
        ),
      }))
      .filter(({ offerings }) => offerings.length > 0)
    return {
      token: claim.uid,
      claim,
      nodeClass,
      candidates: candidates as unknown as LaunchRequest<Ec2NodeClass>['candidates'],
      minValues: 'strict',
      ...changes,
    }
  }
  const launch = async (claim: NodeClaimFacts, changes: Partial<LaunchRequest<Ec2NodeClass>> = {}) =>
    run(provider.launch(await requestFor(claim, changes), call))

  return {
    ...recording,
    aws,
    call,
    provider: provider as CloudProvider<Ec2NodeClass, Ec2Details>,
    resolve,
    typesOf,
    requestFor,
    launch,
    runTask,
    clock,
    nodeClass: () => nodeClass,
    setNodeClass: (changed: Ec2NodeClass) => (nodeClass = changed),
  }
}

const written = (nodeClass: Ec2NodeClass, { status, conditions }: Resolution): Ec2NodeClass => {
  const before = new Map(nodeClass.status.conditions.map((condition) => [condition.type, condition]))
  const after = Object.entries(conditions).flatMap(([type, verdict]) =>
    verdict === 'unchanged'
      ? (before.get(type) ?? [])
      : [{ reason: type, message: '', ...verdict, type, lastTransitionTime: '2026-06-01T00:00:00Z' }],
  )
  return {
    ...nodeClass,
    status: { ...(status as unknown as Ec2NodeClassStatus), conditions: after } as Ec2NodeClassStatus,
  }
}
