import { describe, expect, test } from '@jest/globals'
import { ingestPod, makePodInterner } from '../ingest/index.ts'
import { podObject, type Overrides } from '../testing/index.ts'
import { isProvisionable } from '../scheduling/index.ts'
import { Pods, type Pod } from './index.ts'

const nowMs = Date.UTC(2026, 0, 1, 1)
const instant = (offsetMs: number) => new Date(nowMs + offsetMs).toISOString()
const interner = makePodInterner()
const pod = (overrides: Overrides = {}): Pod => ingestPod(podObject('pod', {}, overrides), interner)
const owned = (kind: string, apiVersion = 'apps/v1') => ({
  ownerReferences: [{ apiVersion, kind, name: 'owner', uid: 'u', controller: true }],
})
const running = (more: object = {}) => ({ status: { phase: 'Running', startTime: instant(-600_000), ...more } })
const ending = { deletionTimestamp: instant(-1000) }
const asking = (value: string, more: object = running()): Pod =>
  pod({ metadata: { annotations: { 'karpenter.sh/do-not-disrupt': value } }, ...more })

describe('what pods say of themselves', () => {
  test('P-01 active: neither done nor on its way out', () => {
    expect(Pods.isActive(pod(running()))).toBe(true)
    expect(Pods.isActive(pod({ status: { phase: 'Pending' } }))).toBe(true)
    expect(Pods.isActive(pod({ status: { phase: 'Succeeded' } }))).toBe(false)
    expect(Pods.isActive(pod({ status: { phase: 'Failed' } }))).toBe(false)
    expect(Pods.isActive(pod({ ...running(), metadata: ending }))).toBe(false)
  })

  test.each([
    ['true', true],
    ['11m', true],
    ['10m1s', true],
    ['10m', false],
    ['5m', false],
    ['false', false],
    ['', false],
    ['0s', false],
    ['-5m', false],
    ['soon', false],
  ])('P-02 P-03 do-not-disrupt %j ten minutes after the start: %s', (value, expected) => {
    expect(Pods.isDoNotDisruptActive(asking(value), nowMs)).toBe(expected)
  })

  test('P-02 a pod that has not started is protected as long as it has not', () => {
    expect(Pods.isDoNotDisruptActive(asking('1s', { status: { phase: 'Pending' } }), nowMs)).toBe(true)
    expect(Pods.isDoNotDisruptActive(pod(running()), nowMs)).toBe(false)
  })

  test('P-06 evictable: active, not the node’s own, not tolerating the drain, not protected', () => {
    const tolerations = (operator: string, value?: string) => ({
      spec: {
        tolerations: [{ key: 'karpenter.sh/disrupted', operator, effect: 'NoSchedule', ...(value && { value }) }],
      },
    })
    expect(Pods.isEvictable(pod(running()), nowMs)).toBe(true)
    expect(Pods.isEvictable(asking('true'), nowMs)).toBe(false)
    expect(Pods.isEvictable(asking('5m'), nowMs)).toBe(true)
    expect(Pods.isEvictable(pod({ ...running(), ...tolerations('Exists') }), nowMs)).toBe(false)
    expect(Pods.isEvictable(pod({ ...running(), ...tolerations('Equal') }), nowMs)).toBe(false)
    expect(Pods.isEvictable(pod({ ...running(), ...tolerations('Equal', 'other') }), nowMs)).toBe(true)
    expect(Pods.isEvictable(pod({ ...running(), metadata: owned('Node', 'v1') }), nowMs)).toBe(false)
    expect(Pods.isEvictable(pod({ ...running(), metadata: ending }), nowMs)).toBe(false)
  })

  test('P-09 the tolerations that DaemonSets give their pods do not keep them from being drained', () => {
    const daemonTolerations = ['not-ready', 'unreachable', 'unschedulable', 'disk-pressure'].map((name) => ({
      key: `node.kubernetes.io/${name}`,
      operator: 'Exists',
      effect: 'NoExecute',
    }))
    const daemon = pod({ ...running(), metadata: owned('DaemonSet'), spec: { tolerations: daemonTolerations } })
    expect(Pods.isWaitingEviction(daemon, nowMs)).toBe(true)
  })

  test('P-07 P-08 a drain waits for protected pods, not for done, stuck or mirror pods', () => {
    const waits = (overrides: Overrides) => Pods.isWaitingEviction(pod(overrides), nowMs)
    expect(Pods.isWaitingEviction(asking('true'), nowMs)).toBe(true)
    expect(waits({ status: { phase: 'Succeeded' } })).toBe(false)
    expect(waits({ ...running(), metadata: { deletionTimestamp: instant(-60_000) } })).toBe(true)
    expect(waits({ ...running(), metadata: { deletionTimestamp: instant(-60_001) } })).toBe(false)
    expect(waits({ ...running(), metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } } })).toBe(false)
  })

  test('D-CAND-11 D-EMPTY-06 reschedulable: active, or a terminating pod of a StatefulSet, and not bound to its node', () => {
    const moves = (overrides: Overrides) => Pods.isReschedulable(pod({ ...running(), ...overrides }))
    expect(moves({})).toBe(true)
    expect(moves({ metadata: { ...owned('ReplicaSet'), ...ending } })).toBe(false)
    expect(moves({ metadata: { ...owned('StatefulSet'), ...ending } })).toBe(true)
    expect(moves({ metadata: owned('DaemonSet') })).toBe(false)
    expect(moves({ metadata: owned('Node', 'v1') })).toBe(false)
    expect(moves({ status: { phase: 'Failed' } })).toBe(false)
  })

  test('P-10 provisionable: unschedulable, unbound, not preempting, and no node’s own', () => {
    const waiting = {
      status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }] },
    }
    expect(isProvisionable(pod(waiting))).toBe(true)
    expect(isProvisionable(pod({ status: { phase: 'Pending', conditions: [] } }))).toBe(false)
    expect(isProvisionable(pod({ ...waiting, spec: { nodeName: 'n' } }))).toBe(false)
    expect(isProvisionable(pod({ status: { ...waiting.status, nominatedNodeName: 'n' } }))).toBe(false)
    expect(isProvisionable(pod({ ...waiting, metadata: owned('DaemonSet') }))).toBe(false)
    expect(isProvisionable(pod({ ...waiting, metadata: owned('Node', 'v1') }))).toBe(false)
  })

  test('P-15 pods claim devices by themselves or by a container', () => {
    const uses = (spec: object) => pod({ spec }).constraints.usesDynamicResources
    expect(uses({})).toBe(false)
    expect(uses({ resourceClaims: [{ name: 'gpu' }] })).toBe(true)
    const container = { name: 'a', image: 'a', resources: { claims: [{ name: 'gpu' }] } }
    expect(uses({ containers: [container] })).toBe(true)
  })

  test('owners of the same kind in another group are others', () => {
    expect(Pods.isOwnedByDaemonSet(pod({ metadata: owned('DaemonSet', 'apps.example.com/v1') }))).toBe(false)
    expect(Pods.isOwnedByStatefulSet(pod({ metadata: owned('StatefulSet', 'apps.kruise.io/v1beta1') }))).toBe(false)
    expect(Pods.isOwnedByDaemonSet(pod({ metadata: owned('DaemonSet') }))).toBe(true)
  })
})
