import {
  Requirements,
  Resources,
  type Call,
  type CloudProvider,
  type ClusterView,
  type InstanceType,
  type LaunchRequest,
  type ManagedInstance,
  type NodeClaimFacts,
  type ProviderHost,
  type Resolution,
} from '@scantling/core'
import { virtualClock, type VirtualClock } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { AzureDetails } from '../src/instances/index.ts'
import { labelPolicy } from '../src/labels/index.ts'
import { localDnsReads } from '../src/local-dns/index.ts'
import type { AksNodeClass, AksNodeClassStatus } from '../src/node-class/index.ts'
import { createFrom } from '../src/provider.ts'
import type { AzureSettings } from '../src/settings.ts'
import { azureSettingsOf, claimOf, nodeClass as nodeClassFrom } from './builders.ts'
import { clusterGroup, nodeGroup, subscription, World, type WorldOptions } from './emulator/index.ts'
import { fakeAzure, type FakeAzure } from './fake-azure/index.ts'

export const startMs = Date.parse('2026-06-01T00:00:00Z')
export const networkOf = `/subscriptions/${subscription}/resourceGroups/${nodeGroup}/providers/Microsoft.Network`

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
export const recordingHost = (clock: VirtualClock = virtualClock(startMs)) => {
  const recorded: Array<Recorded> = []
  const logged: Array<{ readonly level: string; readonly message: string; readonly fields: unknown }> = []
  const host: ProviderHost = {
    clock: { nowMs: clock.nowMs, sleep: clock.sleep },
    random: () => 0.5,
    record: ({ name }, value, labels) => void recorded.push({ metric: name, value, labels }),
    log: (level, message, fields) => void logged.push({ level, message, fields }),
    gates: {},
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
      await clock.advance(50)
    }
    await running
    if (failure !== undefined) throw failure
    return result as E.Either<L, A>
  }
  return { host, clock, recorded, logged, run }
}

export const callFor = (signal: Call['signal'] = new AbortController().signal): Call => ({
  signal,
  cluster: {
    name: 'test',
    endpoint: 'https://test.hcp.westeurope.azmk8s.io:443',
    caBundle: 'Y2E=',
    kubernetesVersion: '1.33.5',
    dnsServiceIp: '10.0.0.10',
    objects: {
      maintenanceWindow: E.right([]),
      ...Object.fromEntries(localDnsReads.map(({ as }) => [as, E.right([])])),
    },
  },
})

export const settingsFor = (changes: Partial<AzureSettings> = {}): AzureSettings =>
  azureSettingsOf({
    subscriptionId: subscription,
    location: 'westeurope',
    clusterResourceGroup: clusterGroup,
    nodeResourceGroup: nodeGroup,
    vnetSubnetId: `${networkOf}/virtualNetworks/aks-vnet-12345678/subnets/aks-subnet`,
    ...changes,
  })

export const claimFor = (name: string, changes: Partial<NodeClaimFacts> = {}): NodeClaimFacts =>
  claimOf({
    name,
    uid: `uid-of-${name}`,
    requirements: Requirements.fromSpecs([
      { key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand'] },
      { key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] },
    ]),
    requests: Resources.parse({ cpu: '1', memory: '1Gi', pods: '1' }),
    ...changes,
  })

type Provider = CloudProvider<AksNodeClass, AzureDetails>

export interface RigOptions {
  readonly world?: WorldOptions
  readonly settings?: Partial<AzureSettings>
  readonly spec?: Readonly<Record<string, unknown>>
  readonly azure?: FakeAzure
  readonly clock?: VirtualClock
}

/** The provider over a small Azure: its types are loaded and its class is resolved. */
export const rig = async (options: RigOptions = {}) => {
  const recording = recordingHost(options.clock)
  const { host, clock, run } = recording
  const azure =
    options.azure ?? fakeAzure(new World({ nowMs: clock.nowMs, operationMs: 1_000, pageSize: 1_000, ...options.world }))
  const call = callFor()
  const settings = settingsFor(options.settings)
  const provider: Provider = rightOf(await run(createFrom(azure.ports, settings, host, call)))
  const runTask = (name: string, changes: Partial<ClusterView<AksNodeClass>> = {}) => {
    const task = provider.tasks?.find((one) => one.name === name)
    if (task === undefined) throw new Error(`There is no task ${name}`)
    return run(task.run({ nodeClasses: [], claims: [], ...changes }, call))
  }
  rightOf(await runTask('instance-types'))
  let nodeClass = nodeClassFrom(options.spec, { conditions: [] })

  /** One pass of `resolve`, its result written into the class as the shell would. */
  const resolve = async (): Promise<Resolution> => {
    if (provider.resolve === undefined) throw new Error('The provider resolves nothing')
    const resolution = rightOf(await run(provider.resolve({ nodeClass, nodePools: [] }, call)))
    nodeClass = written(nodeClass, resolution)
    return resolution
  }
  await resolve()
  const typesOf = async (): Promise<ReadonlyArray<InstanceType>> =>
    rightOf(await run(provider.instanceTypes(nodeClass, call)))
  /** Candidates as the shell makes them, in the least: available and compatible offerings. */
  const requestFor = async (
    claim: NodeClaimFacts,
    changes: Partial<LaunchRequest<AksNodeClass>> = {},
  ): Promise<LaunchRequest<AksNodeClass>> => {
    const types = await typesOf()
    const wellKnown = new Set([
      'topology.kubernetes.io/zone',
      ...labelPolicy.wellKnown.map(({ key }) => key),
      ...types.flatMap(({ requirements }) => [...requirements.byKey.keys()]),
    ])
    const candidates = types
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
      candidates: candidates as unknown as LaunchRequest<AksNodeClass>['candidates'],
      minValues: 'strict',
      ...changes,
    }
  }
  const launch = async (claim: NodeClaimFacts, changes: Partial<LaunchRequest<AksNodeClass>> = {}) =>
    run(provider.launch(await requestFor(claim, changes), call))
  const get = (providerId: string) => {
    if (provider.get === undefined) throw new Error('The provider gets nothing')
    return run(provider.get({ providerId }, call))
  }
  /** One pass of `converge` on a fresh look at the instance, as the shell makes it. */
  const converge = async (
    claim: NodeClaimFacts,
    providerId: string,
    changes: Partial<ManagedInstance<AksNodeClass, AzureDetails>> = {},
  ) => {
    const instance = rightOf(await get(providerId))
    if (provider.converge === undefined) throw new Error('The provider converges nothing')
    return run(provider.converge({ claim, nodeClass, instance, ...changes }, call))
  }
  /** The same until it is not pending any more. */
  const converged = async (...subject: Parameters<typeof converge>) => {
    for (;;) {
      const verdict = rightOf(await converge(...subject))
      if (verdict._tag !== 'Pending') return verdict
      await clock.advance(verdict.retryAfterMs)
    }
  }
  const named = (type: string) =>
    azure.world
      .list(nodeGroup, type)
      .map(({ name }) => name)
      .sort()

  return {
    ...recording,
    azure,
    call,
    settings,
    provider,
    resolve,
    typesOf,
    requestFor,
    launch,
    get,
    converge,
    converged,
    runTask,
    terminate: (providerId: string) => run(provider.terminate({ providerId }, call)),
    list: () => run(provider.list(call)),
    nodeClass: () => nodeClass,
    setNodeClass: (changed: AksNodeClass) => (nodeClass = changed),
    vms: () => named('Microsoft.Compute/virtualMachines'),
    nics: () => named('Microsoft.Network/networkInterfaces'),
    disks: () => named('Microsoft.Compute/disks'),
  }
}

const written = (nodeClass: AksNodeClass, { status, conditions }: Resolution): AksNodeClass => {
  const before = new Map(nodeClass.status.conditions.map((condition) => [condition.type, condition]))
  const after = Object.entries(conditions).flatMap(([type, verdict]) =>
    verdict === 'unchanged'
      ? (before.get(type) ?? [])
      : [{ reason: type, message: '', ...verdict, type, observedGeneration: nodeClass.metadata.generation }],
  )
  return { ...nodeClass, status: { ...(status as unknown as AksNodeClassStatus), conditions: after } }
}
