import { Requirements, type Call, type CloudProvider, type InstanceType, type NodeClaimFacts } from '@scantling/core'
import { systemClock } from '@scantling/provider-kit'
import { rightOf, withResolution } from '@scantling/simulation/testing'
import type { AzureDetails } from '../src/instances/index.ts'
import type { AksNodeClass } from '../src/node-class/index.ts'
import { createFrom } from '../src/provider.ts'
import type { AzureSettings } from '../src/settings.ts'
import { claimOf, nodeClass as nodeClassFrom } from './builders.ts'
import { startEmulator, type Emulator, type WorldOptions } from './emulator/index.ts'
import { callFor, settingsFor } from './rig.ts'
import { portsTo } from './sdk-ports.ts'

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
  const ports = portsTo(emulator)
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
  const resolution = rightOf(await provider.resolve({ nodeClass: written, nodePools: [] }, call)())
  const nodeClass = withResolution(written, resolution)
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
