import { Requirements, Resources, type Call, type ManagedInstance, type NodeClaimFacts } from '@scantling/core'
import type { VirtualClock } from '@scantling/provider-kit'
import { providerRig, recordingHost, rightOf } from '@scantling/simulation/testing'
import * as E from 'fp-ts/lib/Either.js'
import type { AzureDetails } from '../src/instances/index.ts'
import { labelPolicy } from '../src/labels/index.ts'
import { localDnsReads } from '../src/local-dns/index.ts'
import type { AksNodeClass } from '../src/node-class/index.ts'
import { createFrom } from '../src/provider.ts'
import type { AzureSettings } from '../src/settings.ts'
import { azureSettingsOf, claimOf, nodeClass } from './builders.ts'
import { clusterGroup, nodeGroup, subnetId, subscription, World, type WorldOptions } from './emulator/index.ts'
import { fakeAzure, type FakeAzure } from './fake-azure/index.ts'

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
    vnetSubnetId: subnetId,
    ...changes,
  })

/** A claim for a small machine on demand. */
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

export interface RigOptions {
  readonly world?: WorldOptions
  readonly settings?: Partial<AzureSettings>
  readonly spec?: Readonly<Record<string, unknown>>
  readonly azure?: FakeAzure
  readonly clock?: VirtualClock
}

/** The provider over a small Azure, its catalogue read and its class resolved. */
export const rig = async (options: RigOptions = {}) => {
  const recording = recordingHost({ clock: options.clock })
  const { host, clock, run } = recording
  const azure =
    options.azure ?? fakeAzure(new World({ nowMs: clock.nowMs, operationMs: 1_000, pageSize: 1_000, ...options.world }))
  const call = callFor()
  const settings = settingsFor(options.settings)
  const provider = rightOf(await run(createFrom(azure.ports, settings, host, call)))
  const driven = await providerRig({
    run,
    provider,
    labels: labelPolicy,
    call,
    nodeClass: nodeClass(options.spec, { conditions: [] }),
  })
  await driven.resolve()
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
    return run(provider.converge({ claim, nodeClass: driven.nodeClass(), instance, ...changes }, call))
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
    ...driven,
    azure,
    settings,
    get,
    converge,
    converged,
    terminate: (providerId: string) => run(provider.terminate({ providerId }, call)),
    list: () => run(provider.list(call)),
    vms: () => named('Microsoft.Compute/virtualMachines'),
    nics: () => named('Microsoft.Network/networkInterfaces'),
    disks: () => named('Microsoft.Compute/disks'),
  }
}
