import { describe, expect, test } from '@jest/globals'
import type { Call, Resolution } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { azureSettingsOf, localDns, nodeClass, subnetId } from '../../test/builders.ts'
import { localDnsReads } from '../local-dns/index.ts'
import type { AksNodeClass, NodeImage } from '../node-class/index.ts'
import type { ArmError } from '../sdk/index.ts'
import type { AzureSettings } from '../settings.ts'
import { createResolver } from './index.ts'

const image = (version: string): NodeImage => ({
  id: `/CommunityGalleries/g/images/2204gen2containerd/versions/${version}`,
  requirements: [{ key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] }],
})
const error = (code: string, status: number): ArmError => ({
  action: 'a/read',
  code,
  message: code,
  status,
  phase: 'request',
})
const minute = 60_000

interface World {
  readonly subnet?: ArmError
  readonly set?: ArmError
  readonly images?: ArmError
  readonly settings?: Partial<AzureSettings>
  readonly kubernetesVersion?: string
  readonly objects?: Call['cluster']['objects']
  readonly ofClass?: AksNodeClass
}
const resolve = async (world: World = {}): Promise<Resolution> => {
  const answer = <A>(failure: ArmError | undefined, value: A): TE.TaskEither<ArmError, A> =>
    failure === undefined ? TE.right(value) : TE.left(failure)
  const resolver = createResolver({
    calls: {
      getSubnet: () => answer(world.subnet, {}),
      getDiskEncryptionSet: () => answer(world.set, {}),
    },
    images: { latest: () => answer(world.images, [image('2')]) },
    settings: azureSettingsOf(world.settings),
    nowMs: () => 0,
  })
  const call: Call = {
    signal: new AbortController().signal,
    cluster: {
      name: 'c',
      kubernetesVersion: world.kubernetesVersion ?? '1.33.5',
      objects: {
        maintenanceWindow: E.right([]),
        ...Object.fromEntries(localDnsReads.map(({ as }) => [as, E.right([])])),
        ...world.objects,
      },
    },
  }
  const found = await resolver({ nodeClass: world.ofClass ?? nodeClass(), nodePools: [] }, call)()
  if (E.isLeft(found)) throw new Error('a resolver does not err')
  return found.right
}
const closed = E.right([
  {
    data: {
      'aksManagedNodeOSUpgradeSchedule-start': '2030-01-01T00:00:00Z',
      'aksManagedNodeOSUpgradeSchedule-end': '2030-01-02T00:00:00Z',
    },
  },
])

describe('resolving a class', () => {
  test('Z-CTL-03: all five conditions in one pass, asked again after the shortest time', async () => {
    expect(await resolve()).toEqual({
      status: { kubernetesVersion: '1.33.5', images: [image('2')], localDNSState: 'Disabled' },
      conditions: {
        KubernetesVersionReady: { status: 'True' },
        ImagesReady: { status: 'True' },
        SubnetsReady: { status: 'True' },
        ValidationSucceeded: { status: 'True' },
        LocalDNSReady: { status: 'True' },
      },
      recheckAfterMs: 3 * minute,
    })
  })

  test('Z-CTL-03: a step that errs leaves the others, and says so', async () => {
    const { conditions, failures, status } = await resolve({ images: error('Odd', 500), subnet: error('Odd', 500) })
    expect(conditions).toMatchObject({
      ImagesReady: 'unchanged',
      SubnetsReady: { status: 'False', reason: 'SubnetUnknownError' },
      KubernetesVersionReady: { status: 'True' },
    })
    expect(failures).toHaveLength(2)
    expect(status).toMatchObject({ kubernetesVersion: '1.33.5' })
  })

  test('Z-K8S-02, Z-IMG-10: an upgrade takes the latest images in the same pass, whatever the window', async () => {
    const ofClass = nodeClass({}, { kubernetesVersion: '1.33.5', images: [image('1')] })
    const objects = { maintenanceWindow: closed }
    expect((await resolve({ ofClass, objects })).status).toMatchObject({ images: [image('1')] })
    const upgraded = await resolve({ ofClass, objects, kubernetesVersion: '1.34.0' })
    expect(upgraded.status).toMatchObject({ kubernetesVersion: '1.34.0', images: [image('2')] })
    const failed = await resolve({ ofClass, objects, kubernetesVersion: '1.34.0', images: error('Odd', 500) })
    expect(failed.conditions['ImagesReady']).toMatchObject({ status: 'False', reason: 'KubernetesUpgrade' })
    expect((await resolve({ ofClass, kubernetesVersion: '1.32.0' })).status).toMatchObject({
      kubernetesVersion: '1.33.5',
    })
  })

  test('Z-IMG-09: FIPS without the shared gallery has no images, and nothing is asked for', async () => {
    const { conditions, status } = await resolve({
      ofClass: nodeClass({ fipsMode: 'FIPS' }, { images: [image('1')] }),
      images: error('Odd', 500),
    })
    expect(conditions['ImagesReady']).toMatchObject({ status: 'False', reason: 'SIGRequiredForFIPS' })
    expect(status).not.toHaveProperty('images')
  })

  test('a window that cannot be read keeps images, and is a failure of its own (W-30)', async () => {
    const { conditions, failures, status } = await resolve({
      ofClass: nodeClass({}, { images: [image('1')] }),
      objects: { maintenanceWindow: E.left('denied') },
    })
    expect([conditions['ImagesReady'], status['images']]).toEqual([{ status: 'True' }, [image('1')]])
    expect(failures).toEqual([{ _tag: 'Unknown', message: 'Cannot read the maintenance window: denied' }])
  })

  const own = subnetId.replace('aks-vnet-12345678/subnets/aks-subnet', 'mine/subnets/a')
  const ownSettings = { vnetSubnetId: own }
  const managed = { nodeResourceGroup: 'rg' }
  test.each([
    ['its own subnet', { settings: managed }, undefined, 3],
    ['another of the managed network', { settings: managed, spec: `${subnetId}2` }, 'SubnetIDInvalid', 3],
    ['one of another network', { settings: ownSettings, spec: own.replace('mine', 'other') }, 'SubnetIDInvalid', 5],
    [
      'one of another subscription',
      { settings: ownSettings, spec: own.replace('/sub/', '/other/') },
      'SubnetIDInvalid',
      5,
    ],
    ['one of another group', { settings: ownSettings, spec: own.replace('/rg/', '/other/') }, 'SubnetIDInvalid', 5],
    ['another of its own network', { settings: ownSettings, spec: own.replace(/a$/, 'b') }, undefined, 3],
    [
      'the same network in other case',
      { settings: ownSettings, spec: own.replace('mine', 'MINE').replace(/a$/, 'b') },
      undefined,
      3,
    ],
    ['one that is not there', { settings: ownSettings, subnet: error('NotFound', 404) }, 'SubnetNotFound', 1],
    ['one that cannot be read', { settings: ownSettings, subnet: error('Forbidden', 403) }, 'SubnetUnknownError', 1],
  ] as const)('Z-NET-06: %s', async (_, world, reason, minutes) => {
    const { conditions, recheckAfterMs } = await resolve({
      settings: world.settings,
      ...('subnet' in world && { subnet: world.subnet }),
      ...('spec' in world && { ofClass: nodeClass({ vnetSubnetID: world.spec }) }),
    })
    expect(conditions['SubnetsReady']).toMatchObject(
      reason === undefined ? { status: 'True' } : { status: 'False', reason },
    )
    if (reason !== 'SubnetIDInvalid') expect(recheckAfterMs).toBe(minutes * minute)
  })

  const set = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/diskEncryptionSets/d'
  test.each([
    [undefined, 'True', undefined, 0],
    [error('AuthorizationFailed', 403), 'False', 'DiskEncryptionSetRBACMissing', 0],
    [error('InvalidAuthenticationToken', 401), 'False', 'DiskEncryptionSetRBACMissing', 0],
    [error('NotFound', 404), undefined, undefined, 1],
    [error('Odd', 500), undefined, undefined, 1],
  ])('Z-CTL-05: a disk encryption set that answers %j: %s, %s', async (failure, status, reason, failures) => {
    const found = await resolve({ settings: { diskEncryptionSetId: set }, ...(failure && { set: failure }) })
    expect(found.conditions['ValidationSucceeded']).toEqual(
      status === undefined
        ? 'unchanged'
        : reason === undefined
          ? { status }
          : { status, reason, message: expect.stringContaining('role Reader') },
    )
    expect(found.failures ?? []).toHaveLength(failures)
    if (failure !== undefined) expect(found.recheckAfterMs).toBe(minute)
  })

  test('Z-DNS-03: a cluster that cannot be asked makes local DNS not ready, and is asked again', async () => {
    const ofClass = nodeClass({ localDNS: localDns('Preferred') })
    const failed = await resolve({
      ofClass,
      kubernetesVersion: '1.36.0',
      objects: { nodeLocalDns: E.left('denied') },
    })
    expect(failed.conditions['LocalDNSReady']).toMatchObject({
      status: 'False',
      reason: 'CheckingClusterRequirementsFailed',
    })
    expect(failed.failures).toHaveLength(1)
    const found = await resolve({ ofClass, kubernetesVersion: '1.36.0' })
    expect(found.status).toMatchObject({ localDNSState: 'Enabled' })
  })
})
