import { describe, expect, test } from '@jest/globals'
import type { ClusterFacts } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { localDns, nodeClass } from '../../test/builders.ts'
import { localDnsReads, resolveLocalDns } from './index.ts'

const withMode = (mode: string, more: Readonly<Record<string, unknown>> = {}, status = {}) =>
  nodeClass({ localDNS: localDns(mode), ...more }, status)

type Objects = ClusterFacts['objects']
const nothing: Objects = Object.fromEntries(localDnsReads.map(({ as }) => [as, E.right([])]))
const object = (namespace: string, name: string) => E.right([{ metadata: { namespace, name } }])

const resolve = (
  subject: ReturnType<typeof nodeClass>,
  changes: {
    readonly version?: string
    readonly plugin?: string
    readonly policy?: string
    readonly objects?: Objects
  } = {},
) =>
  resolveLocalDns({
    nodeClass: subject,
    kubernetesVersion: changes.version ?? '1.36.0',
    settings: { networkPlugin: changes.plugin ?? 'azure', networkPolicy: changes.policy ?? '' },
    objects: { ...nothing, ...changes.objects },
  })

describe('local DNS', () => {
  test('Z-DNS-01: unset and Disabled are off, Required is on, whatever the cluster has', () => {
    expect(resolve(nodeClass())).toEqual(E.right({ state: 'Disabled' }))
    expect(resolve(withMode('Disabled'), { objects: {} })).toEqual(E.right({ state: 'Disabled' }))
    expect(resolve(withMode('Required'), { version: '1.20.0', plugin: 'none' })).toEqual(E.right({ state: 'Enabled' }))
  })

  const policy = object('shop', 'deny-all')
  test.each([
    ['a new enough cluster', {}, 'Enabled'],
    ['an older one', { version: '1.35.9' }, 'Disabled'],
    ['no network plugin', { plugin: 'none' }, 'Disabled'],
    ['a policy where no kind of policy counts', { objects: { networkPolicies: policy } }, 'Enabled'],
    ['a policy under cilium', { policy: 'cilium', objects: { networkPolicies: policy } }, 'Disabled'],
    ['a policy under Calico', { policy: 'Calico', objects: { networkPolicies: policy } }, 'Disabled'],
    [
      'the policy of AKS itself',
      { policy: 'cilium', objects: { networkPolicies: object('kube-system', 'konnectivity-agent') } },
      'Enabled',
    ],
    ['a policy of cilium', { policy: 'cilium', objects: { ciliumNetworkPolicies: policy } }, 'Disabled'],
    ['one for the cluster', { policy: 'cilium', objects: { ciliumClusterwideNetworkPolicies: policy } }, 'Disabled'],
    ['a policy of calico', { policy: 'calico', objects: { calicoNetworkPolicies: policy } }, 'Disabled'],
    ['a global one', { policy: 'calico', objects: { calicoGlobalNetworkPolicies: policy } }, 'Disabled'],
    ['a policy of calico under cilium', { policy: 'cilium', objects: { calicoNetworkPolicies: policy } }, 'Enabled'],
    ['the DaemonSet', { objects: { nodeLocalDns: object('kube-system', 'node-local-dns') } }, 'Disabled'],
  ])('Z-DNS-02: Preferred with %s', (_, changes: Parameters<typeof resolve>[1], state) => {
    expect(resolve(withMode('Preferred'), changes)).toEqual(E.right({ state, recheckAfterMs: 300_000 }))
  })

  test('Z-DNS-02: Preferred stays on once it is on, and is off on 20.04', () => {
    const conflict = { objects: { nodeLocalDns: object('kube-system', 'node-local-dns') } }
    expect(resolve(withMode('Preferred', {}, { localDNSState: 'Enabled' }), conflict)).toEqual(
      E.right({ state: 'Enabled' }),
    )
    expect(resolve(withMode('Preferred', { fipsMode: 'FIPS' }))).toMatchObject({ right: { state: 'Disabled' } })
  })

  test('Z-DNS-03: a read that failed is an error, not an answer', () => {
    const failed = { objects: { nodeLocalDns: E.left('denied') } }
    expect(resolve(withMode('Preferred'), failed)).toEqual(E.left('Cannot tell whether local DNS may be on: denied'))
    expect(resolve(withMode('Preferred'), { ...failed, version: '1.35.0' })).toMatchObject({ _tag: 'Right' })
  })
})
