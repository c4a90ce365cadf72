import { accessOf } from '@scantling/controller'
import { resource, startKubeSim, type DraftObject } from '@scantling/kube-sim'
import { systemClock } from '@scantling/provider-kit'
import { expect, test } from '@jest/globals'
import { holdToRole } from '../src/testing/index.ts'

const leases = resource('coordination.k8s.io/v1', 'leases')
const namespace = 'kube-system'
const lease = (name: string) => ({ metadata: { name, namespace }, spec: {} }) as DraftObject

test('a client does what its role allows and nothing else, and what it has no need of is told', async () => {
  const sim = await startKubeSim({ clock: systemClock })
  const access = accessOf({ nodeClasses: [] } as never)
  const role = holdToRole(sim.server, { client: 'karpenter/', namespace, access })
  const [ours, other] = [sim.server.face('karpenter/scantling'), sim.server.face('kubelet')]
  const own = { ...leases, namespace, name: 'karpenter-leader-election' }
  await ours.create({ ...leases, namespace }, lease(own.name))
  await other.create({ ...leases, namespace }, lease('kube-scheduler'))
  expect((await ours.get(own)).metadata.name).toBe(own.name)
  expect(role.refused()).toEqual([])
  expect(role.unused()).not.toContain('get coordination.k8s.io/leases')
  expect(role.unused()).toContain('patch coordination.k8s.io/leases')

  await expect(ours.get({ ...own, name: 'kube-scheduler' })).rejects.toMatchObject({ code: 403 })
  await expect(ours.list(resource('v1', 'secrets'))).rejects.toMatchObject({ code: 403 })
  expect(role.refused()).toEqual(['get coordination.k8s.io/leases', 'list /secrets'])
  await sim.stop()
})
