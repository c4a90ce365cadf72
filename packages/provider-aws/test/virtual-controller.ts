import type { AnyProviderModule } from '@scantling/controller'
import type { CloudProvider, NodeClassObject, ProviderHost } from '@scantling/core'
import {
  applyNodePool,
  startVirtualCluster,
  type PoolChanges,
  type VirtualCluster,
  type VirtualClusterOptions,
} from '@scantling/simulation'
import { rightOf, startMs } from '@scantling/simulation/testing'
import { createFrom, provider } from '../src/provider.ts'
import type { AwsSettings } from '../src/settings.ts'
import { fakeAws, type FakeAws, type World } from './fake-aws/index.ts'
import { awsKinds } from './kinds.ts'
import { callFor, defaultSettings } from './rig.ts'
import { leastSpec } from './subjects.ts'

const module: AnyProviderModule = {
  ...(provider as unknown as AnyProviderModule),
  // Nobody boots in the fake cloud: the shell makes the Nodes.
  traits: { ...provider.traits, kubelet: 'simulated' },
}

export interface VirtualAws extends VirtualCluster {
  readonly aws: FakeAws
}

/** The real controller with this provider on the fake AWS, in one process on virtual time. */
export const startVirtualAws = async (
  options: {
    readonly world?: Partial<World>
    readonly settings?: Partial<AwsSettings>
    readonly cluster?: Omit<VirtualClusterOptions, 'startMs' | 'makeProvider' | 'moduleOf' | 'facts'>
  } = {},
): Promise<VirtualAws> => {
  const call = callFor('test')
  const makeProvider = async (host: ProviderHost): Promise<CloudProvider<NodeClassObject>> => {
    const made = await createFrom(aws.ports, { ...defaultSettings, ...options.settings }, host, call)()
    return rightOf(made) as unknown as CloudProvider<NodeClassObject>
  }
  const cluster = await startVirtualCluster({
    ...options.cluster,
    startMs,
    makeProvider,
    moduleOf: () => module,
    facts: call.cluster,
  })
  const aws = fakeAws({ cluster: clusterOf('test'), ...options.world }, cluster.clock.nowMs)
  return { ...cluster, aws }
}

const clusterOf = (name: string): World['cluster'] => ({
  name,
  endpoint: 'https://demo.example.com',
  version: '1.34',
  cidr: '10.100.0.0/16',
  arn: `arn:aws:eks:us-west-2:123456789012:cluster/${name}`,
})

/** An EC2NodeClass that the fake AWS has all for, and NodePools of it by what each requires. */
export const applyAwsDefaults = async (
  cluster: VirtualAws,
  pools: Readonly<Record<string, ReadonlyArray<object>>> = { default: [] },
  spec: PoolChanges['spec'] = {},
) => {
  await cluster.face.create(awsKinds.nodeClasses, {
    metadata: { name: 'default' },
    spec: { ...leastSpec, role: 'node-role' },
  })
  const ref = { group: 'karpenter.k8s.aws', kind: 'EC2NodeClass' }
  for (const [name, requirements] of Object.entries(pools))
    await applyNodePool(cluster, ref, { name, spec, template: { requirements } })
}
