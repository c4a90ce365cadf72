import { labelKeys } from '@scantling/core'
import { tokenBucket, type TokenBucket } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { seededFraction, type CatalogEntry, type CatalogOffering } from '../catalog/index.ts'
import { billOf, type Bill } from './bill.ts'
import type { CapacityRule, CloudState, FaultRule, Operation, PriceChange, StoredInstance } from './cloud-state.ts'
import { emptyState } from './cloud-state.ts'
import type {
  CatalogPage,
  CloudError,
  CloudInstance,
  CloudMessage,
  InstancePage,
  LaunchInput,
  ListInput,
  MessageKind,
} from './kwok-cloud.ts'
import { selects, type OfferingKey } from './selector.ts'

/** How the cloud behaves. Times are the cloud's own. */
export interface CloudOptions {
  readonly catalog: ReadonlyArray<CatalogEntry>
  readonly nowMs: () => number
  /** Decides latencies, addresses and ids. */
  readonly seed: string
  /** From launch to a booted machine, and from there to a registered node: the least and the most. */
  readonly bootMs?: readonly [least: number, most: number]
  readonly registrationMs?: readonly [least: number, most: number]
  readonly shutdownMs?: number
  /** Calls that launch or terminate, and calls that only read. `undefined`: no limit. */
  readonly writeLimit?: RateLimit | undefined
  readonly readLimit?: RateLimit | undefined
  /** An earlier cloud's state. */
  readonly state?: CloudState
}

export interface RateLimit {
  readonly burst: number
  readonly perSecond: number
}

/** Like a large cloud's: twenty to forty seconds from launch to a node that has joined, launches well above one per second. */
export const defaultCloudOptions = {
  bootMs: [12_000, 24_000],
  registrationMs: [8_000, 16_000],
  shutdownMs: 10_000,
  writeLimit: { burst: 200, perSecond: 20 },
  readLimit: { burst: 500, perSecond: 100 },
} as const

/** The latencies of a cloud whose machines take this share of the ordinary time. */
export const scaledLatencies = (share: number) => {
  const { bootMs, registrationMs, shutdownMs } = defaultCloudOptions
  const scaled = ([least, most]: readonly [number, number]) => [least * share, most * share] as const
  return { bootMs: scaled(bootMs), registrationMs: scaled(registrationMs), shutdownMs: shutdownMs * share }
}

type Answer<A> = E.Either<CloudError, A>

/**
 * The simulated cloud: machines, capacity, prices, interruptions, faults and a bill.
 *
 * A plain object without timers or I/O: what a machine is doing follows from its times and the clock, so the cloud may
 * be stopped and started again at any moment. The first group of members is the API that providers call; the second is
 * the simulation's.
 */
export interface SimulatedCloud {
  readonly launch: (input: LaunchInput) => Answer<CloudInstance>
  readonly terminate: (id: string) => Answer<CloudInstance>
  readonly get: (id: string) => Answer<CloudInstance>
  readonly list: (input: ListInput) => Answer<InstancePage>
  readonly catalog: (known?: string) => Answer<CatalogPage>
  readonly receive: () => Answer<ReadonlyArray<CloudMessage>>
  readonly acknowledge: (receipts: ReadonlyArray<string>) => Answer<void>

  /**
   * Does to a machine, by id or name, what clouds do to theirs, with a message now.
   *
   * `spot` and `maintenance` take it away after `noticeMs` (two and ten minutes); `stop` and `terminate` at once, unless
   * `noticeMs` says otherwise; `rebalance` only warns.
   */
  readonly interrupt: (id: string, options?: InterruptOptions) => Answer<CloudInstance>
  readonly setCapacity: (rules: ReadonlyArray<CapacityRule>) => void
  /** Prices from now on. Spot machines that run are billed at the new price, others keep theirs. */
  readonly changePrices: (changes: ReadonlyArray<PriceChange>) => void
  readonly setFaults: (rules: ReadonlyArray<FaultRule>) => void
  /** Takes up a running machine that an earlier process launched, billed from now on. Known tokens are left alone. */
  readonly adopt: (input: LaunchInput & { readonly name: string; readonly launchedAtMs: number }) => void
  readonly bill: () => Bill
  /** Every machine ever launched, those that ended included. */
  readonly everything: () => ReadonlyArray<CloudInstance & { readonly token: string }>
  readonly state: () => CloudState
}

export type InterruptKind = 'spot' | 'rebalance' | 'maintenance' | 'stop' | 'terminate'

export interface InterruptOptions {
  /** Default: `spot`. */
  readonly kind?: InterruptKind
  readonly noticeMs?: number
}

const messageTimeoutMs = 30_000
const largestPage = 1000

/** How each kind of interruption is announced, and how long before the machine goes. */
const interruptKinds: Readonly<
  Record<
    InterruptKind,
    { readonly message: MessageKind; readonly noticeMs: number; readonly then: 'ends' | 'stops' | 'goes on' }
  >
> = {
  spot: { message: 'SpotInterruption', noticeMs: 120_000, then: 'ends' },
  rebalance: { message: 'RebalanceRecommendation', noticeMs: 0, then: 'goes on' },
  maintenance: { message: 'ScheduledMaintenance', noticeMs: 600_000, then: 'ends' },
  stop: { message: 'InstanceStopped', noticeMs: 0, then: 'stops' },
  terminate: { message: 'InstanceTerminated', noticeMs: 0, then: 'ends' },
}

export const simulatedCloud = (options: CloudOptions): SimulatedCloud => {
  const { nowMs, seed } = options
  const settings = { ...defaultCloudOptions, ...options }
  const region = regionOf(options.catalog)
  const initial = options.state ?? emptyState
  const byToken = new Map(initial.instances.map((instance) => [instance.token, instance]))
  const tokenById = new Map<string, string>()
  for (const { token, id, name } of byToken.values()) tokenById.set(id, token).set(name, token)
  let messages = initial.messages
  let capacity = initial.capacity
  let prices = initial.prices
  let faults = initial.faults
  const hiddenUntilMs = new Map<string, number>()
  let entries = pricedCatalog(options.catalog, prices)
  let version = versionOf(seed, prices)
  const offerings = new Map(options.catalog.map((entry) => [entry.name, entry.offerings]))
  const bucketOf = (limit: RateLimit | undefined): TokenBucket | undefined => limit && tokenBucket({ ...limit, nowMs })
  const writes = bucketOf(settings.writeLimit)
  const reads = bucketOf(settings.readLimit)

  const stateAt = (instance: StoredInstance, now: number): CloudInstance['state'] => {
    if (instance.endsAtMs !== undefined && now >= instance.endsAtMs) return 'terminated'
    if (instance.terminatingAtMs !== undefined) return 'terminating'
    if (instance.stopsAtMs !== undefined && now >= instance.stopsAtMs) return 'stopped'
    return now >= instance.runningAtMs ? 'running' : 'pending'
  }
  const shown = (instance: StoredInstance): CloudInstance => {
    const { token: _token, charges: _charges, terminatingAtMs: _terminatingAtMs, ...rest } = instance
    return { ...rest, state: stateAt(instance, nowMs()) }
  }
  const store = (instance: StoredInstance): StoredInstance => {
    byToken.set(instance.token, instance)
    tokenById.set(instance.id, instance.token).set(instance.name, instance.token)
    return instance
  }
  const find = (id: string): StoredInstance | undefined => {
    const instance = byToken.get(tokenById.get(id) ?? '')
    return instance && stateAt(instance, nowMs()) !== 'terminated' ? instance : undefined
  }
  const notFound = (id: string): CloudError => ({
    code: 'InstanceNotFound',
    message: `There is no instance ${id}, or it has ended`,
  })

  // Limits and faults stand before every call, and an `after` fault loses the answer of a call that took effect.
  const call = <A>(operation: Operation, run: () => Answer<A>): Answer<A> => {
    const bucket = operation === 'launch' || operation === 'terminate' ? writes : reads
    const admission = bucket?.take()
    if (admission?._tag === 'Refused')
      return E.left({
        code: 'RequestLimitExceeded',
        message: 'Request limit exceeded',
        retryAfterMs: admission.retryAfterMs,
      })
    const fault = takeFault(operation)
    if (fault === undefined) return run()
    if (fault.when === 'after') run()
    const { code, message = `${operation} was made to fail`, retryAfterMs } = fault
    return E.left({ code, message, ...(retryAfterMs !== undefined && { retryAfterMs }) })
  }
  const takeFault = (operation: Operation): FaultRule | undefined => {
    let hit: FaultRule | undefined
    faults = faults.flatMap((rule): ReadonlyArray<FaultRule> => {
      if (rule.operation !== operation || hit !== undefined) return [rule]
      if (rule.skip !== undefined && rule.skip > 0) return [{ ...rule, skip: rule.skip - 1 }]
      hit = rule
      if (rule.times === undefined) return [rule]
      return rule.times > 1 ? [{ ...rule, times: rule.times - 1 }] : []
    })
    return hit
  }

  const launch = (input: LaunchInput): Answer<CloudInstance> => {
    const present = byToken.get(input.token)
    if (present !== undefined)
      return stateAt(present, nowMs()) === 'terminated'
        ? E.left({ code: 'InstanceEnded', message: `The instance of token ${input.token} has ended already` })
        : E.right(shown(present))
    const price = priceOf(offerings, prices, input)
    if (price === undefined)
      return E.left({
        code: 'InvalidParameter',
        message: `Cannot launch ${input.instanceType} as ${input.capacityType} in ${input.zone}: there is no such offering`,
      })
    const rules = capacity.filter((rule) => selects(rule, input))
    if (rules.some(({ remaining }) => remaining <= 0))
      return E.left({
        code: 'InsufficientInstanceCapacity',
        message: `There is no ${input.capacityType} capacity for ${input.instanceType} in ${input.zone} at the moment`,
      })
    capacity = shiftCapacity(capacity, input, -1)
    return E.right(shown(store(machine(input, price, nowMs()))))
  }
  const machine = (input: LaunchInput, pricePerHour: number, launchedAtMs: number, name?: string): StoredInstance => {
    const { token, instanceType, zone, capacityType, tags } = input
    const latency = ([least, most]: readonly [number, number], what: string) =>
      Math.round(least + (most - least) * seededFraction(seed, token, what))
    return {
      token,
      id: idOf(seed, token),
      name: name ?? unusedName(token),
      instanceType,
      zone,
      capacityType,
      pricePerHour,
      tags,
      launchedAtMs,
      runningAtMs:
        launchedAtMs +
        latency(settings.bootMs, 'boot') +
        latency(settings.registrationMs, 'registration') +
        (input.registrationDelayMs ?? 0),
      charges: [{ fromMs: launchedAtMs, pricePerHour }],
    }
  }
  const unusedName = (token: string): string => {
    for (let attempt = 0; ; attempt++) {
      const name = hostName(region, seededFraction(seed, token, 'address', String(attempt)))
      if (!tokenById.has(name)) return name
    }
  }

  const endAt = (instance: StoredInstance, endsAtMs: number, terminatingAtMs?: number): StoredInstance => {
    if (instance.endsAtMs === undefined) capacity = shiftCapacity(capacity, instance, 1)
    return store({
      ...instance,
      endsAtMs: Math.min(endsAtMs, instance.endsAtMs ?? Infinity),
      ...(terminatingAtMs !== undefined && { terminatingAtMs }),
    })
  }
  const terminate = (id: string): Answer<CloudInstance> => {
    const instance = find(id)
    if (instance === undefined) return E.left(notFound(id))
    if (instance.terminatingAtMs !== undefined) return E.right(shown(instance))
    return E.right(shown(endAt(instance, nowMs() + settings.shutdownMs, nowMs())))
  }
  const interrupt = (id: string, { kind = 'spot', ...rest }: InterruptOptions = {}): Answer<CloudInstance> => {
    const instance = find(id)
    if (instance === undefined) return E.left(notFound(id))
    const announced = interruptKinds[kind]
    const deadlineMs = nowMs() + (rest.noticeMs ?? announced.noticeMs)
    const message: CloudMessage = {
      receipt: `${instance.id}/${announced.message}/${deadlineMs}`,
      kind: announced.message,
      instance: instance.id,
      name: instance.name,
      sentAtMs: nowMs(),
      ...(announced.then === 'goes on' ? {} : { deadlineMs }),
    }
    messages = [...messages, message]
    switch (announced.then) {
      case 'goes on':
        return E.right(shown(instance))
      case 'stops':
        return E.right(shown(store({ ...instance, stopsAtMs: Math.min(deadlineMs, instance.stopsAtMs ?? Infinity) })))
      case 'ends':
        return E.right(shown(endAt(instance, deadlineMs)))
    }
  }

  const list = ({ tags, page, limit = largestPage }: ListInput): Answer<InstancePage> => {
    const wanted = Object.entries(tags)
    const now = nowMs()
    const all = [...byToken.values()]
    // A page is named by the last instance on the one before, so that launches in between shift nothing.
    const start = page === undefined ? 0 : all.findIndex(({ id }) => id === page) + 1
    if (start === 0 && page !== undefined)
      return E.left({ code: 'InvalidParameter', message: `There is no page ${page}` })
    const rest = all
      .slice(start)
      .filter(
        (instance) =>
          stateAt(instance, now) !== 'terminated' &&
          wanted.every(([key, value]) => Object.hasOwn(instance.tags, key) && instance.tags[key] === value),
      )
    const most = Math.max(1, Math.min(limit, largestPage))
    const last = rest.length > most ? rest[most - 1] : undefined
    return E.right({ instances: rest.slice(0, most).map(shown), ...(last && { nextPage: last.id }) })
  }

  const receive = (): Answer<ReadonlyArray<CloudMessage>> => {
    const now = nowMs()
    const visible = messages.filter(({ receipt }) => (hiddenUntilMs.get(receipt) ?? 0) <= now).slice(0, 10)
    for (const { receipt } of visible) hiddenUntilMs.set(receipt, now + messageTimeoutMs)
    return E.right(visible)
  }

  return {
    launch: (input) => call('launch', () => launch(input)),
    terminate: (id) => call('terminate', () => terminate(id)),
    get: (id) =>
      call('get', () => {
        const instance = find(id)
        return instance === undefined ? E.left(notFound(id)) : E.right(shown(instance))
      }),
    list: (input) => call('list', () => list(input)),
    catalog: (known) => call('catalog', () => E.right({ version, ...(known !== version && { entries }) })),
    receive: () => call('receive', receive),
    acknowledge: (receipts) =>
      call('acknowledge', () => {
        const done = new Set(receipts)
        messages = messages.filter(({ receipt }) => !done.has(receipt))
        for (const receipt of done) hiddenUntilMs.delete(receipt)
        return E.right(undefined)
      }),

    interrupt,
    setCapacity: (rules) => {
      capacity = rules
    },
    changePrices: (changes) => {
      prices = [...prices, ...changes]
      entries = pricedCatalog(options.catalog, prices)
      version = versionOf(seed, prices)
      const now = nowMs()
      for (const instance of byToken.values()) {
        const pricePerHour = priceOf(offerings, prices, instance)
        if (instance.capacityType !== 'spot' || pricePerHour === undefined) continue
        if (instance.charges.at(-1)?.pricePerHour === pricePerHour || stateAt(instance, now) === 'terminated') continue
        store({ ...instance, pricePerHour, charges: [...instance.charges, { fromMs: now, pricePerHour }] })
      }
    },
    setFaults: (rules) => {
      faults = rules
    },
    adopt: ({ name, launchedAtMs, ...input }) => {
      if (byToken.has(input.token)) return
      const adopted = machine(input, priceOf(offerings, prices, input) ?? 0, launchedAtMs, name)
      store({ ...adopted, runningAtMs: launchedAtMs })
    },
    bill: () => billOf([...byToken.values()], nowMs()),
    everything: () => [...byToken.values()].map((instance) => ({ ...shown(instance), token: instance.token })),
    state: () => ({ instances: [...byToken.values()], messages, capacity, prices, faults }),
  }
}

const shiftCapacity = (rules: ReadonlyArray<CapacityRule>, key: OfferingKey, change: 1 | -1) =>
  rules.map((rule) => (selects(rule, key) ? { ...rule, remaining: rule.remaining + change } : rule))

const idOf = (seed: string, token: string): string => {
  const digits = (what: string) =>
    Math.floor(seededFraction(seed, token, what) * 2 ** 32)
      .toString(16)
      .padStart(8, '0')
  return `i-0${digits('id')}${digits('more of the id')}`
}

const regionOf = (catalog: ReadonlyArray<CatalogEntry>) => catalog[0]?.labels?.[labelKeys.region]

// Addresses of 10.0.0.0/8, written as clouds name their hosts.
const hostName = (region: string | undefined, fraction: number): string => {
  const address = Math.floor(fraction * 2 ** 24)
  const host = `ip-10-${address >>> 16}-${(address >>> 8) & 255}-${address & 255}`
  return region === undefined ? host : `${host}.${region}.compute.internal`
}

const keyOf = (instanceType: string, offering: CatalogOffering): OfferingKey => {
  const valueOf = (key: string) => offering.Requirements.find((one) => one.key === key)?.values[0] ?? ''
  return { instanceType, zone: valueOf(labelKeys.zone), capacityType: valueOf(labelKeys.capacityType) }
}

const priced = (price: number, key: OfferingKey, changes: ReadonlyArray<PriceChange>): number =>
  changes.reduce(
    (now, change) => (selects(change, key) ? (change.pricePerHour ?? now * (change.factor ?? 1)) : now),
    price,
  )

const priceOf = (
  offerings: ReadonlyMap<string, ReadonlyArray<CatalogOffering>>,
  changes: ReadonlyArray<PriceChange>,
  { instanceType, zone, capacityType }: OfferingKey,
): number | undefined => {
  for (const offering of offerings.get(instanceType) ?? []) {
    const key = keyOf(instanceType, offering)
    if (key.zone === zone && key.capacityType === capacityType) return priced(offering.Price, key, changes)
  }
  return undefined
}

const pricedCatalog = (
  catalog: ReadonlyArray<CatalogEntry>,
  changes: ReadonlyArray<PriceChange>,
): ReadonlyArray<CatalogEntry> =>
  changes.length === 0
    ? catalog
    : catalog.map((entry) => {
        const offerings = entry.offerings.map((offering) => {
          const Price = priced(offering.Price, keyOf(entry.name, offering), changes)
          return Price === offering.Price ? offering : { ...offering, Price }
        })
        return offerings.every((offering, index) => offering === entry.offerings[index])
          ? entry
          : { ...entry, offerings }
      })

const versionOf = (seed: string, changes: ReadonlyArray<PriceChange>): string =>
  `${seed}-${changes.length}-${Math.floor(seededFraction(JSON.stringify(changes)) * 2 ** 32).toString(16)}`
