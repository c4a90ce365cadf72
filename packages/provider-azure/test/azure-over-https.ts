import { Requirements, type Call, type CloudProvider, type InstanceType, type NodeClaimFacts } from '@scantling/core'
import { systemClock } from '@scantling/provider-kit'
import type { AzureDetails } from '../src/instances/index.ts'
import type { AksNodeClass, AksNodeClassStatus } from '../src/node-class/index.ts'
import { createFrom } from '../src/provider.ts'
import { portsOverSdk } from '../src/sdk/clients.ts'
import type { AzureSettings } from '../src/settings.ts'
import { claimOf, nodeClass as nodeClassFrom } from './builders.ts'
import {
  agentPool,
  clusterGroup,
  managedCluster,
  startEmulator,
  subscription,
  type Emulator,
  type WorldOptions,
} from './emulator/index.ts'
import { callFor, rightOf, settingsFor } from './rig.ts'

/** The provider over the real SDKs and the emulator, on the time of this machine. */
export interface AzureOverHttps {
  readonly emulator: Emulator
  readonly provider: CloudProvider<AksNodeClass, AzureDetails>
  readonly call: Call
  readonly nodeClass: AksNodeClass
  /** Candidates of the size alone, each zone of it. */
  readonly candidatesOf: (size: string) => readonly [InstanceType]
  readonly claim: (name: string) => NodeClaimFacts
}

export const startAzureOverHttps = async (
  world: WorldOptions,
  changes: Partial<AzureSettings>,
): Promise<AzureOverHttps> => {
  const emulator = await startEmulator(world)
  const ports = portsOverSdk({
    subscriptionId: subscription,
    clusterResourceGroup: clusterGroup,
    clusterName: managedCluster,
    machinesPool: agentPool,
    endpoint: emulator.url,
    scope: '',
    priceList: `${emulator.url}/api/retail/prices`,
    nodeBootstrappingUrl: '',
    userAgent: 'scantling-test',
    credential: { getToken: () => Promise.resolve({ token: 'a', expiresOnTimestamp: Date.now() + 3_600_000 }) },
    trustedCa: emulator.ca,
    nowMs: Date.now,
  })
  const call = callFor()
  const host = {
    clock: systemClock,
    random: Math.random,
    record: () => undefined,
    log: () => undefined,
    gates: {},
    shutdown: new AbortController().signal,
  }
  const provider = rightOf(await createFrom(ports, settingsFor(changes), host, call)())
  for (const { gatesReadiness, run } of provider.tasks ?? [])
    if (gatesReadiness === true) rightOf(await run({ nodeClasses: [], claims: [] }, call)())
  const written = nodeClassFrom({}, { conditions: [] })
  if (provider.resolve === undefined) throw new Error('The provider resolves nothing')
  const { status, conditions } = rightOf(await provider.resolve({ nodeClass: written, nodePools: [] }, call)())
  const nodeClass: AksNodeClass = {
    ...written,
    status: {
      ...(status as unknown as AksNodeClassStatus),
      conditions: Object.entries(conditions).flatMap(([type, verdict]) =>
        verdict === 'unchanged' ? [] : [{ reason: type, message: '', ...verdict, type, observedGeneration: 1 }],
      ),
    },
  }
  const types = rightOf(await provider.instanceTypes(nodeClass, call)())
  return {
    emulator,
    provider,
    call,
    nodeClass,
    candidatesOf: (size) => {
      const type = types.find(({ name }) => name === size)
      if (type === undefined) throw new Error(`The emulator sells no ${size}`)
      return [type]
    },
    claim: (name) =>
      claimOf({
        name,
        uid: `uid-of-${name}`,
        requirements: Requirements.fromLabels({ 'karpenter.sh/capacity-type': 'on-demand' }),
      }),
  }
}
