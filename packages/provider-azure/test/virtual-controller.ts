import type { AnyProviderModule } from '@scantling/controller'
import type { CancelSignal, CloudProvider, NodeClassObject, ProviderHost } from '@scantling/core'
import {
  applyNodePool,
  startVirtualCluster,
  type ControllerRun,
  type PoolChanges,
  type VirtualCluster,
  type VirtualClusterOptions,
} from '@scantling/simulation'
import { rightOf, runKubelets, startMs } from '@scantling/simulation/testing'
import { createFrom, provider } from '../src/provider.ts'
import type { AzureSettings } from '../src/settings.ts'
import { bootedMachines } from './booted-machines.ts'
import { nodeGroup, World, type WorldOptions } from './emulator/index.ts'
import { fakeAzure, type Fate, type FakeAzure } from './fake-azure/index.ts'
import { azureKinds } from './kinds.ts'
import { callFor, settingsFor } from './rig.ts'

/** What becomes of a write to Azure, told by its action and its number in the life of the controller. */
export type AzureFateOf = (effect: { readonly action: string; readonly number: number }) => Fate

export interface AzureControllerRun extends ControllerRun {
  /** Azure as this controller reaches it. */
  readonly azure: FakeAzure
}

export interface VirtualAzure extends Omit<VirtualCluster, 'startController'> {
  readonly world: World
  readonly startController: (fateOf?: AzureFateOf) => Promise<AzureControllerRun>
  readonly vms: () => ReadonlyArray<string>
  readonly nics: () => ReadonlyArray<string>
  readonly disks: () => ReadonlyArray<string>
}

/** The real controller with this provider on a small Azure, in one process on virtual time; Azure outlives controllers. */
export const startVirtualAzure = async (
  options: {
    readonly world?: WorldOptions
    readonly settings?: Partial<AzureSettings>
    readonly cluster?: Omit<VirtualClusterOptions, 'startMs' | 'makeProvider' | 'moduleOf' | 'facts'>
  } = {},
): Promise<VirtualAzure> => {
  const makeProvider = async (host: ProviderHost, signal: CancelSignal): Promise<CloudProvider<NodeClassObject>> => {
    azure = fakeAzure(world)
    const made = await createFrom(azure.ports, settingsFor(options.settings), host, callFor(signal))()
    return rightOf(made) as unknown as CloudProvider<NodeClassObject>
  }
  const facts = callFor().cluster
  const cluster = await startVirtualCluster({
    ...options.cluster,
    startMs,
    makeProvider,
    moduleOf: () => provider as unknown as AnyProviderModule,
    facts,
  })
  const { clock, face } = cluster
  const world = new World({ nowMs: clock.nowMs, operationMs: 5_000, pageSize: 1_000, ...options.world })
  const kubelets = runKubelets({
    clock,
    face,
    machines: () => bootedMachines(world, facts.kubernetesVersion),
    everyMs: 1_000,
  })
  let azure = fakeAzure(world)
  const named = (type: string) => world.list(nodeGroup, type).map(({ name }) => name)
  return {
    ...cluster,
    world,
    startController: async (fateOf = () => 'pass') => {
      const run = await cluster.startController()
      const own = azure
      own.fateOf = (effect) => {
        if (run.isDead()) return 'dead'
        const fate = effect.number === 0 ? 'pass' : fateOf(effect)
        if (fate === 'dead' || fate === 'lost') run.kill()
        return fate
      }
      return { ...run, azure: own }
    },
    vms: () => named('Microsoft.Compute/virtualMachines'),
    nics: () => named('Microsoft.Network/networkInterfaces'),
    disks: () => named('Microsoft.Compute/disks'),
    stop: async () => {
      await kubelets.stop()
      await cluster.stop()
    },
  }
}

const consolidates = {
  disruption: {
    consolidationPolicy: 'WhenEmptyOrUnderutilized',
    consolidateAfter: '30s',
    budgets: [{ nodes: '100%' }],
  },
}

interface Defaults extends PoolChanges {
  /** The spec of the class. */
  readonly nodeClass?: Readonly<Record<string, unknown>>
}

/** An AKSNodeClass and a NodePool of it that consolidates after 30 s. */
export const applyAzureDefaults = async (
  cluster: VirtualAzure,
  { nodeClass = {}, spec = {}, ...pool }: Defaults = {},
): Promise<void> => {
  await cluster.face.create(azureKinds.nodeClasses, { metadata: { name: 'default' }, spec: nodeClass })
  const ref = { group: 'karpenter.azure.com', kind: 'AKSNodeClass' }
  await applyNodePool(cluster, ref, { ...pool, spec: { ...consolidates, ...spec } })
}
