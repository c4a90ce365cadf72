import {
  coreLabelKnowledge,
  Labels,
  Requirements,
  type Call,
  type CloudProvider,
  type ClusterView,
  type Findings,
  type InstanceType,
  type Launched,
  type LaunchFailure,
  type LaunchRequest,
  type LabelPolicy,
  type NodeClaimFacts,
  type NodeClassObject,
  type ProviderError,
  type Resolution,
} from '@scantling/core'
import type { Either } from 'fp-ts/lib/Either.js'
import { rightOf } from './either.ts'
import type { RecordingHost } from './recording-host.ts'

/** What `resolve` writes into. */
interface ResolvedClass extends NodeClassObject {
  readonly status: { readonly conditions: ReadonlyArray<{ readonly type: string }> }
}

type NodePools = Parameters<NonNullable<CloudProvider<NodeClassObject>['resolve']>>[0]['nodePools']

/** A provider with one NodeClass, and the shell's part around its calls. */
export interface ProviderRig<C extends NodeClassObject, D> {
  readonly call: Call
  readonly provider: CloudProvider<C, D>
  readonly nodeClass: () => C
  readonly setNodeClass: (changed: C) => C
  readonly runTask: (name: string, view?: Partial<ClusterView<C>>) => Promise<Either<ProviderError, Findings>>
  /** One pass of `resolve`, its result written into the NodeClass as the shell would. */
  readonly resolve: (nodePools?: NodePools) => Promise<Resolution>
  readonly typesOf: () => Promise<ReadonlyArray<InstanceType>>
  /** Candidates as the shell makes them, in the least: available and compatible offerings. */
  readonly requestFor: (claim: NodeClaimFacts, changes?: Partial<LaunchRequest<C>>) => Promise<LaunchRequest<C>>
  readonly launch: (
    claim: NodeClaimFacts,
    changes?: Partial<LaunchRequest<C>>,
  ) => Promise<Either<LaunchFailure, Launched<D>>>
}

/** Makes the rig of a provider, whose catalogue is read. */
export const providerRig = async <C extends ResolvedClass, D>({
  run,
  provider,
  labels,
  call,
  nodeClass: written,
  nodePools: defaultPools = [],
}: {
  readonly run: RecordingHost['run']
  readonly provider: CloudProvider<C, D>
  /** Of its module. */
  readonly labels: LabelPolicy
  readonly call: Call
  readonly nodeClass: C
  readonly nodePools?: NodePools
}): Promise<ProviderRig<C, D>> => {
  let nodeClass = written
  const runTask: ProviderRig<C, D>['runTask'] = (name, view = {}) => {
    const task = provider.tasks?.find((one) => one.name === name)
    if (task === undefined) throw new Error(`There is no task ${name}`)
    return run(task.run({ nodeClasses: [], claims: [], ...view }, call))
  }
  rightOf(await runTask('instance-types'))
  const typesOf = async () => rightOf(await run(provider.instanceTypes(nodeClass, call)))
  const { wellKnown } = Labels.extend(coreLabelKnowledge, labels)
  const requestFor: ProviderRig<C, D>['requestFor'] = async (claim, changes = {}) => {
    const fits = (requirements: InstanceType['requirements']) =>
      Requirements.isCompatible(requirements, claim.requirements, wellKnown)
    const candidates = (await typesOf())
      .filter(({ requirements }) => fits(requirements))
      .map((type) => ({
        ...type,
        offerings: type.offerings.filter(
          ({ unavailable, requirements }) => unavailable === undefined && fits(requirements),
        ),
      }))
      .filter(({ offerings }) => offerings.length > 0)
    return {
      token: claim.uid,
      claim,
      nodeClass,
      candidates: candidates as unknown as LaunchRequest<C>['candidates'],
      minValues: 'strict',
      ...changes,
    }
  }
  return {
    call,
    provider,
    nodeClass: () => nodeClass,
    setNodeClass: (changed) => (nodeClass = changed),
    runTask,
    resolve: async (nodePools = defaultPools) => {
      if (provider.resolve === undefined) throw new Error('The provider resolves nothing')
      const resolution = rightOf(await run(provider.resolve({ nodeClass, nodePools }, call)))
      nodeClass = withResolution(nodeClass, resolution)
      return resolution
    },
    typesOf,
    requestFor,
    launch: async (claim, changes) => run(provider.launch(await requestFor(claim, changes), call)),
  }
}

/** The NodeClass as the shell would write it after a pass of `resolve`. */
export const withResolution = <C extends ResolvedClass>(nodeClass: C, { status, conditions }: Resolution): C => {
  const before = new Map(nodeClass.status.conditions.map((condition) => [condition.type, condition]))
  const after = Object.entries(conditions).flatMap(([type, verdict]) =>
    verdict === 'unchanged'
      ? (before.get(type) ?? [])
      : [
          {
            reason: type,
            message: '',
            ...verdict,
            type,
            lastTransitionTime: '2026-06-01T00:00:00Z',
            observedGeneration: nodeClass.metadata.generation,
          },
        ],
  )
  return { ...nodeClass, status: { ...status, conditions: after } }
}
