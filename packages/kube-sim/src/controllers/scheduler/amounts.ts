import { Quantity } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'

import type { AmountsByResource, Container, PodSpec } from '../objects.ts'

/**
 * Amounts as kube-scheduler counts them: CPU in milli, everything else in whole units, each rounded up, so that sums are
 * exact in safe integers (nine petabytes, nine million cores).
 */
export type Amounts = ReadonlyMap<string, number>

const milliCache = new Map<string, number>()
const unitCache = new Map<string, number>()
const cacheSize = 8192

/**
 * One amount: milli for `cpu`, whole units otherwise.
 *
 * Text that is no quantity counts as 0; the API server does not store such. Cost: a map look-up for a text seen before.
 */
export const amountOf = (resource: string, text: string | number): number => {
  const isCpu = resource === 'cpu'
  const cache = isCpu ? milliCache : unitCache
  const key = typeof text === 'number' ? String(text) : text
  const known = cache.get(key)
  if (known !== undefined) return known
  const parsed = Quantity.parse(key)
  const nano = E.isRight(parsed) ? Quantity.toNano(parsed.right) : 0n
  const step = isCpu ? 1_000_000n : 1_000_000_000n
  const amount = Number(nano > 0n ? (nano + step - 1n) / step : nano / step)
  if (cache.size >= cacheSize) cache.clear()
  cache.set(key, amount)
  return amount
}

export const amountsOf = (list: AmountsByResource | undefined): Map<string, number> => {
  const amounts = new Map<string, number>()
  for (const [name, text] of Object.entries(list ?? {})) amounts.set(name, amountOf(name, text))
  return amounts
}

const addTo = (total: Map<string, number>, amounts: Amounts) => {
  for (const [name, amount] of amounts) total.set(name, (total.get(name) ?? 0) + amount)
}

const raiseTo = (total: Map<string, number>, amounts: Amounts) => {
  for (const [name, amount] of amounts) total.set(name, Math.max(total.get(name) ?? 0, amount))
}

const requestsOf = (container: Container): Map<string, number> => {
  const requests = amountsOf(container.resources?.requests)
  // The API server copies limits to missing requests on creation; objects stored without that still count so.
  for (const [name, amount] of amountsOf(container.resources?.limits))
    if (!requests.has(name)) requests.set(name, amount)
  return requests
}

// What the pod-level `resources` of a pod may state; they replace what its containers sum up to.
const podLevelResources = ['cpu', 'memory']

/**
 * What a pod needs on a node.
 *
 * The larger of its containers together and the peak while its init containers run one by one; sidecars (init containers
 * that always restart) count in both from their start on; the overhead of the runtime class is added.
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
 */
export const podRequests = (spec: PodSpec): Amounts => {
  const running = new Map<string, number>()
  for (const container of spec.containers ?? []) addTo(running, requestsOf(container))
  const sidecars = new Map<string, number>()
  const peak = new Map<string, number>()
  for (const container of spec.initContainers ?? []) {
    const requests = requestsOf(container)
    if (container.restartPolicy === 'Always') {
      addTo(sidecars, requests)
      raiseTo(peak, sidecars)
    } else {
      const during = new Map(sidecars)
      addTo(during, requests)
      raiseTo(peak, during)
    }
  }
  addTo(running, sidecars)
  raiseTo(running, peak)
  const stated = amountsOf(spec.resources?.requests)
  for (const name of podLevelResources) {
    const amount = stated.get(name)
    if (amount !== undefined) running.set(name, amount)
  }
  addTo(running, amountsOf(spec.overhead))
  return running
}

/** What scoring assumes of a container that requests nothing, so that such pods spread, too. */
export const assumedRequests = { cpuMilli: 100, memoryBytes: 200 * 1024 * 1024 } as const
