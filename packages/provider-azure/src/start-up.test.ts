import { describe, expect, test } from '@jest/globals'
import { leftOf, recordingHost, rightOf } from '@scantling/simulation/testing'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { World } from '../test/emulator/index.ts'
import { fakeAzure } from '../test/fake-azure/index.ts'
import { callFor, settingsFor } from '../test/rig.ts'
import { createFrom, provider } from './provider.ts'
import type { ArmError, AzurePorts } from './sdk/index.ts'
import { checkConnectivity } from './start-up.ts'

const refused = (code: string, status: number, message = code): ArmError => ({
  action: 'Microsoft.Compute/locations/usages/read',
  code,
  message,
  status,
  phase: 'request',
})

const check = async (changes: {
  readonly usages?: ArmError
  readonly groups?: ArmError
  readonly signIn?: AzurePorts['signIn']
}) => {
  const { clock, run } = recordingHost()
  const { ports } = fakeAzure(new World({ nowMs: clock.nowMs }))
  const { usages, groups, signIn } = changes
  const startedMs = clock.nowMs()
  const checked = await run(
    checkConnectivity(
      {
        signIn: signIn ?? ports.signIn,
        compute: { ...ports.compute, ...(usages && { listUsages: () => TE.left(usages) }) },
        network: { ...ports.network, ...(groups && { listSecurityGroups: () => TE.left(groups) }) },
      },
      settingsFor(),
      clock,
      new AbortController().signal,
    ),
  )
  return { checked, tookMs: clock.nowMs() - startedMs }
}

describe('the start', () => {
  test('Azure that answers lets it go on', async () => {
    rightOf((await check({})).checked)
  })

  test.each([
    ['a subscription that is not there', { usages: refused('SubscriptionNotFound', 404) }, 'AZURE_SUBSCRIPTION_ID'],
    ['a region that there is not', { usages: refused('NoRegisteredProviderFound', 400) }, '--location, westeurope'],
    ['a token that is over', { usages: refused('ExpiredAuthenticationToken', 401) }, 'workload identity'],
    [
      'an identity without a role',
      { usages: refused('AuthorizationFailed', 403) },
      'assign the controller’s identity a role with Microsoft.Compute/locations/usages/read',
    ],
    [
      'a resource group that is not there',
      { groups: refused('ResourceGroupNotFound', 404) },
      '--node-resource-group, MC_cluster_test_region',
    ],
  ])('Z-AUTH-03: %s ends it, and the message says what to do', async (_, changes, remedy) => {
    const error = leftOf((await check(changes)).checked)
    expect(error.message).toContain(remedy)
    expect(error.retryAfterMs).toBeUndefined()
  })

  test('what passes by itself is waited for', async () => {
    expect(leftOf((await check({ usages: refused('TooManyRequests', 429) })).checked)).toMatchObject({
      _tag: 'Throttled',
      retryAfterMs: 5_000,
    })
    expect(leftOf((await check({ usages: refused('Odd', 503) })).checked)).toMatchObject({ retryAfterMs: 5_000 })
  })

  test('Z-AUTH-03: a token has five seconds to come', async () => {
    const { checked, tookMs } = await check({
      signIn: (_, signal) => () =>
        new Promise((resolve) =>
          signal.addEventListener('abort', () => resolve({ _tag: 'Left', left: refused('Cancelled', 0) })),
        ),
    })
    expect(leftOf(checked)).toMatchObject({ _tag: 'Unauthorized', message: expect.stringContaining('within 5 s') })
    expect(tookMs).toBeGreaterThanOrEqual(5_000)
    expect(tookMs).toBeLessThan(5_200)
  })

  test('Z-NET-07: nodes of an overlay need the network’s GUID: the setting, else asked for, else nothing starts', async () => {
    const guidAt = async (settings: Parameters<typeof settingsFor>[0], guid?: string) => {
      const { host, run, clock } = recordingHost()
      const azure = fakeAzure(new World({ nowMs: clock.nowMs }))
      const vnet = azure.world.list('MC_cluster_test_region', 'Microsoft.Network/virtualNetworks')[0]
      if (vnet !== undefined) vnet.properties['resourceGuid'] = guid
      const made = await run(createFrom(azure.ports, settingsFor(settings), host, callFor()))
      return { made, reads: azure.tally()['GET Microsoft.Network/virtualNetworks/read'] ?? 0 }
    }
    expect((await guidAt({ vnetGuid: '' }, 'guid')).reads).toBe(1)
    expect((await guidAt({ vnetGuid: 'x' }, 'guid')).reads).toBe(0)
    expect((await guidAt({ vnetGuid: '', networkPluginMode: '' })).reads).toBe(0)
    expect(leftOf((await guidAt({ vnetGuid: '' })).made)).toMatchObject({
      field: 'vnet-guid',
      message: expect.stringContaining('or set --vnet-guid'),
    })
  })

  test('a cluster that nodes cannot join, and a cloud that there is not, are told before anything is asked for', async () => {
    const { host, run } = recordingHost()
    const call = callFor()
    const { endpoint: _, ...cluster } = call.cluster
    expect(leftOf(await run(provider.create(settingsFor(), host, { ...call, cluster }))).message).toContain(
      'cluster-endpoint: Required value',
    )
    expect(leftOf(await run(provider.create(settingsFor({ cloud: 'Nowhere' }), host, call))).message).toContain(
      'arm-cloud: Invalid value: "Nowhere"',
    )
  })

  test('Z-AUTH-01: of two names of a variable Azure’s own wins; required are the subscription, and the region and group that the reference needs too and never checks', () => {
    const fields = provider.settings?.fields
    expect(fields?.subscriptionId.env).toEqual(['AZURE_SUBSCRIPTION_ID', 'ARM_SUBSCRIPTION_ID'])
    expect(fields?.tenantId.env).toEqual(['AZURE_TENANT_ID', 'ARM_TENANT_ID'])
    expect(fields?.subscriptionId).not.toHaveProperty('default')
    expect([fields?.tenantId.default, fields?.cloud.default, fields?.environmentFilepath.default]).toEqual(['', '', ''])
  })

  test('Z-AUTH-07: the maintenance window is read where the controller runs, everything else where the nodes are', () => {
    expect(provider.reads?.filter(({ cluster }) => cluster === 'host')).toEqual([
      expect.objectContaining({ as: 'maintenanceWindow', namespace: '$system', name: 'upcoming-maintenance-window' }),
    ])
    expect(provider.reads?.length).toBeGreaterThan(4)
  })
})
