import { describe, expect, test } from '@jest/globals'
import { recordingHost } from '@scantling/simulation/testing'
import * as E from 'fp-ts/lib/Either.js'
import { agentPool, launchErrors, nodeGroup, subscription, World } from '../../test/emulator/index.ts'
import { fakeAzure } from '../../test/fake-azure/index.ts'
import { claimFor, rig } from '../../test/rig.ts'
import { allRights } from './index.ts'

const disks = `/subscriptions/${subscription}/resourceGroups/disks/providers/Microsoft.Compute/diskEncryptionSets/d`

/**
 * Everything that the provider does in a cluster's life, with a right taken away; answers what failed, in the words of
 * whoever noticed. Empty: nothing did.
 */
const life = async (way: 'vms' | 'machines', denied?: string): Promise<ReadonlyArray<string>> => {
  const { clock } = recordingHost()
  const world = new World({ nowMs: clock.nowMs, operationMs: 1_000, pageSize: 1_000 })
  const base = `/subscriptions/${subscription}/resourceGroups/network/providers/Microsoft.Network/virtualNetworks/mine`
  const subnet = { id: `${base}/subnets/nodes`, name: 'nodes', properties: { addressPrefix: '10.0.0.0/16' } }
  world.put({
    id: base,
    name: 'mine',
    type: 'Microsoft.Network/virtualNetworks',
    tags: {},
    properties: { resourceGuid: 'a519e60a-cac0-40b2-b883-084477fe6f5c', subnets: [subnet] },
  })
  // What the roles allow, and nothing else.
  world.allowedActions = new Set(allRights.map(({ action }) => action).filter((action) => action !== denied))
  const complaints: Array<string> = []
  const note = (what: string, result: E.Either<unknown, unknown>) => {
    if (E.isLeft(result)) complaints.push(what)
  }
  let made: Awaited<ReturnType<typeof rig>>
  try {
    made = await rig({
      clock,
      azure: fakeAzure(world),
      settings: {
        vnetGuid: '',
        vnetSubnetId: subnet.id,
        diskEncryptionSetId: disks,
        nodeIdentities: [
          '/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i',
        ],
        ...(way === 'machines' && {
          provisionMode: 'aksmachineapi',
          useSig: true,
          sigSubscriptionId: subscription,
          aksMachinesPoolName: agentPool,
        }),
      },
    })
  } catch {
    return ['start']
  }
  const resolution = await made.resolve()
  for (const [type, verdict] of Object.entries(resolution.conditions))
    if (verdict === 'unchanged' || verdict.status !== 'True') complaints.push(type)
  note('quotas', await made.runTask('quotas'))
  const claim = claimFor('one-abcde')
  const launched = await made.launch(claim).catch(() => E.left('launch'))
  note('launch', launched)
  if (E.isRight(launched)) {
    const { providerId, annotations = {} } = launched.right.instance
    const known = { ...claim, annotations }
    const verdict = await made.converged(known, providerId).catch(() => undefined)
    if (verdict?._tag !== 'Converged') complaints.push('converge')
    // Tags that differ are changed in place once the node has joined.
    made.setNodeClass({ ...made.nodeClass(), spec: { ...made.nodeClass().spec, tags: { team: 'b' } } })
    const changed = await made.converged({ ...known, registered: true }, providerId).catch(() => undefined)
    if (changed?._tag !== 'Converged') complaints.push('change')
    note('list', await made.list())
    note('terminate', await made.terminate(providerId))
    // Where Compute takes no more requests, Resource Graph lists.
    world.actionFaults.set('Microsoft.Compute/virtualMachines/read', { error: launchErrors.throttled, times: 1 })
    if (way === 'vms') note('list from Resource Graph', await made.list())
    world.actionFaults.clear()
    await made.clock.advance(60_000)
  }
  // An interface that nobody has a VM for.
  const orphan = `/subscriptions/${subscription}/resourceGroups/${nodeGroup}/providers/Microsoft.Network/networkInterfaces/aks-gone-abcde`
  world.put({
    id: orphan,
    name: 'aks-gone-abcde',
    type: 'Microsoft.Network/networkInterfaces',
    location: world.location,
    tags: { 'karpenter.azure.com_cluster': 'test', 'karpenter.sh_nodepool': 'general' },
    properties: {},
  })
  await made.clock.advance(3_600_000)
  for (const name of (made.provider.tasks ?? []).map((task) => task.name).filter((one) => one !== 'prices'))
    note(name, await made.runTask(name))
  await made.clock.advance(60_000)
  if (made.nics().length > 0) complaints.push('interfaces')
  return complaints
}

describe('rights that are taken away', () => {
  test('with all of them nothing fails', async () => {
    expect(await life('vms')).toEqual([])
    expect(await life('machines')).toEqual([])
  })

  const actions = [...new Set(allRights.map(({ action }) => action))].sort((a, b) => (a < b ? -1 : 1))
  test.each(actions)('without %s something does', async (action) => {
    const way = action.startsWith('Microsoft.ContainerService') ? 'machines' : 'vms'
    expect([action, (await life(way, action)).length > 0]).toEqual([action, true])
  })
})
