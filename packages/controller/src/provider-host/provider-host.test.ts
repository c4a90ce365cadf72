import { describe, expect, test } from '@jest/globals'
import type { CloudProvider, MetricSpec, NodeClassObject } from '@scantling/core'
import { virtualClock } from '@scantling/provider-kit'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { silentLog } from '../../test/silent-log.ts'
import { makeMetrics } from '../observability/index.ts'
import { defaultFeatureGates } from '../settings/feature-gates.ts'
import { observeProvider } from './observe-provider.ts'
import { makeProviderHost } from './provider-host.ts'

const arg = {} as never

describe('makeProviderHost()', () => {
  const declared: ReadonlyArray<MetricSpec> = [
    { name: 'toy_launches_total', type: 'counter', help: 'h', labels: ['result'] },
    { name: 'toy_size', type: 'gauge', help: 'h', labels: ['kind'] },
    { name: 'toy_seconds', type: 'histogram', help: 'h', labels: [], buckets: [1, 10] },
  ]
  const [counter, gauge, histogram] = declared as [MetricSpec, MetricSpec, MetricSpec]

  test('records the metrics that the provider declared, drops series, and refuses others', async () => {
    const metrics = makeMetrics()
    const host = makeProviderHost({
      clock: virtualClock(0),
      random: () => 0.5,
      metrics,
      log: silentLog,
      gates: defaultFeatureGates,
      declared,
      shutdown: new AbortController().signal,
    })
    host.record(counter, 2, { result: 'ok' })
    host.record(counter, 3, { result: 'ok' })
    host.record(gauge, 7, { kind: 'a' })
    host.record(gauge, 8, { kind: 'b' })
    host.record(gauge, undefined, { kind: 'a' })
    host.record(histogram, 5, {})
    const text = await metrics.render()
    expect(text).toContain('toy_launches_total{result="ok"} 5')
    expect(text).toContain('toy_size{kind="b"} 8')
    expect(text).not.toContain('kind="a"')
    expect(text).toContain('toy_seconds_bucket{le="10"} 1')
    expect(() => host.record({ ...counter, name: 'other' }, 1, {})).toThrow('Metric other is not declared')
  })
})

describe('observeProvider()', () => {
  test('M-CP-01 P-CPI-07: times every call and counts failures under the names of the reference', async () => {
    const metrics = makeMetrics()
    const clock = virtualClock(0)
    const provider: CloudProvider<NodeClassObject> = {
      instanceTypes: () => TE.right([]),
      launch: () =>
        TE.left({ error: { _tag: 'InsufficientCapacity', message: 'none' }, reason: 'InsufficientCapacity' }),
      terminate: () => TE.left({ _tag: 'InstanceNotFound', message: 'gone' }),
      list: () => TE.left({ _tag: 'Throttled', message: 'slow down' }),
    }
    const observed = observeProvider(provider, 'toy', metrics, clock)
    await observed.instanceTypes(arg, arg)()
    await observed.launch(arg, arg)()
    await observed.terminate(arg, arg)()
    await observed.list(arg)()
    const text = await metrics.render()
    const of = (method: string) =>
      new RegExp(`errors_total\\{[^}]*method="${method}"[^}]*error="([^"]*)"\\} 1`).exec(text)
    expect(['Create', 'Delete', 'List', 'GetInstanceTypes'].map((method) => of(method)?.[1])).toEqual([
      'InsufficientCapacityError',
      'NodeClaimNotFoundError',
      '',
      undefined,
    ])
    expect(text).toMatch(
      /^karpenter_cloudprovider_duration_seconds_count\{controller="provisioner",method="GetInstanceTypes",provider="toy"\} 1$/m,
    )
    const noClass = { error: { _tag: 'NodeClassNotReady', message: 'no' }, reason: 'NodeClassNotReady' } as const
    await observeProvider({ ...provider, launch: () => TE.left(noClass) }, 'toy', metrics, clock).launch(arg, arg)()
    expect(await metrics.render()).toMatch(
      /^karpenter_cloudprovider_errors_total\{controller="nodeclaim.lifecycle",method="Create",provider="toy",error="NodeClassNotReadyError"\} 1$/m,
    )
    expect(observed.get).toBeUndefined()
  })
})
