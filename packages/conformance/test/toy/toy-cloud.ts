import type { CancelSignal } from '@scantling/core'
import type { Clock } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'

/** A machine of the toy cloud. */
export interface Machine {
  readonly id: string
  readonly token: string
  readonly type: string
  readonly zone: string
  readonly market: string
  readonly image: string
  readonly tags: Readonly<Record<string, string>>
  readonly launchedAtMs: number
  readonly endsAtMs?: number
}

export interface ToyError {
  readonly code: string
  readonly retryAfterMs?: number
}
export type Answer<A> = E.Either<ToyError, A>
export interface Message {
  readonly receipt: string
  readonly body: string
}
interface Page {
  readonly machines: ReadonlyArray<Machine>
  readonly next?: string
}
export interface Row {
  readonly name: string
  readonly cpu: number
  readonly prices: ReadonlyArray<{ readonly zone: string; readonly market: string; readonly price: number }>
}

export type ToyOperation = 'run' | 'end' | 'find' | 'page' | 'images' | 'tag' | 'messages' | 'done' | 'prices'

const pageSize = 3
const bootMs = 30_000
const endMs = 20_000
const hiddenMs = 5_000
const visibilityMs = 60_000
const latencyMs = 1

/** A small cloud with an API of nine calls, and the levers of one. Every call takes a millisecond of the given clock. */
export const toyCloud = (clock: Clock) => {
  const machines = new Map<string, Machine>()
  let rows: ReadonlyArray<Row> = ['small', 'medium', 'large'].map((name, index) => ({
    name,
    cpu: 2 ** (index + 1),
    prices: ['a', 'b'].flatMap((zone) => [
      { zone, market: 'on-demand', price: 0.1 * 2 ** index },
      { zone, market: 'spot', price: 0.04 * 2 ** index },
    ]),
  }))
  const soldOut = new Set<string>()
  const faults: Array<{
    readonly operation: ToyOperation
    readonly code: string
    readonly after: boolean
    skip: number
  }> = []
  const messages = new Map<string, { readonly body: string; hiddenUntilMs: number }>()
  let hidesNew = false
  let calls = 0
  let sequence = 0

  const isThere = ({ endsAtMs }: Machine) => endsAtMs === undefined || endsAtMs > clock.nowMs()
  const isVisible = (machine: Machine) =>
    isThere(machine) && !(hidesNew && clock.nowMs() - machine.launchedAtMs < hiddenMs)

  const call = async <A>(operation: ToyOperation, signal: CancelSignal, run: () => Answer<A>): Promise<Answer<A>> => {
    if (signal.aborted) return E.left({ code: 'Cancelled' })
    calls++
    const due = faults.findIndex((fault) => fault.operation === operation && fault.skip-- <= 0)
    const [fault] = due < 0 ? [] : faults.splice(due, 1)
    const answer = fault === undefined || fault.after ? run() : undefined
    const isAwake = await clock.sleep(latencyMs, signal).then(
      () => true,
      () => false,
    )
    if (!isAwake) return E.left({ code: 'Cancelled' })
    if (fault !== undefined)
      return E.left({ code: fault.code, ...(fault.code === 'SlowDown' && { retryAfterMs: 500 }) })
    return answer ?? E.left({ code: 'Broken' })
  }
  const start = (input: Omit<Machine, 'id' | 'launchedAtMs'>): Machine => {
    const machine = { ...input, id: `m-${String(++sequence).padStart(6, '0')}`, launchedAtMs: clock.nowMs() }
    machines.set(machine.id, machine)
    return machine
  }
  const end = (id: string, afterMs = endMs) => {
    const machine = machines.get(id)
    if (machine?.endsAtMs === undefined && machine) machines.set(id, { ...machine, endsAtMs: clock.nowMs() + afterMs })
  }

  return {
    // ---- the API ----
    run: (input: Omit<Machine, 'id' | 'launchedAtMs'>, signal: CancelSignal) =>
      call('run', signal, (): Answer<Machine> => {
        const present = [...machines.values()].find(({ token }) => token === input.token)
        if (present !== undefined) return isThere(present) ? E.right(present) : E.left({ code: 'TokenUsed' })
        const offers = rows.find(({ name }) => name === input.type)?.prices ?? []
        if (!offers.some(({ zone, market }) => zone === input.zone && market === input.market))
          return E.left({ code: 'BadInput' })
        return soldOut.has(input.type) ? E.left({ code: 'SoldOut' }) : E.right(start(input))
      }),
    end: (id: string, signal: CancelSignal) =>
      call('end', signal, (): Answer<void> => {
        const machine = machines.get(id)
        if (machine === undefined || !isVisible(machine)) return E.left({ code: 'NoSuchMachine' })
        return E.right(end(id))
      }),
    find: (id: string, signal: CancelSignal) =>
      call('find', signal, (): Answer<Machine> => {
        const machine = machines.get(id)
        return machine !== undefined && isVisible(machine) ? E.right(machine) : E.left({ code: 'NoSuchMachine' })
      }),
    page: (cluster: string, from: string | undefined, signal: CancelSignal) =>
      call('page', signal, (): Answer<Page> => {
        const own = [...machines.values()].filter(
          (machine) => isVisible(machine) && machine.tags['cluster'] === cluster,
        )
        const rest = from === undefined ? own : own.filter(({ id }) => id > from)
        const page = rest.slice(0, pageSize)
        const last = rest.length > pageSize ? page.at(-1)?.id : undefined
        return E.right({ machines: page, ...(last !== undefined && { next: last }) })
      }),
    images: (rack: string, signal: CancelSignal) =>
      call('images', signal, () => E.right(rack === 'nowhere' ? [] : [`image-${rack}`])),
    tag: (id: string, tags: Readonly<Record<string, string>>, signal: CancelSignal) =>
      call('tag', signal, (): Answer<void> => {
        const machine = machines.get(id)
        if (machine === undefined) return E.left({ code: 'NoSuchMachine' })
        machines.set(id, { ...machine, tags: { ...machine.tags, ...tags } })
        return E.right(undefined)
      }),
    messages: (signal: CancelSignal) =>
      call('messages', signal, () => {
        const now = clock.nowMs()
        const waiting = [...messages].filter(([, { hiddenUntilMs }]) => hiddenUntilMs <= now)
        for (const [, message] of waiting) message.hiddenUntilMs = now + visibilityMs
        return E.right(waiting.map(([receipt, { body }]): Message => ({ receipt, body })))
      }),
    done: (receipts: ReadonlyArray<string>, signal: CancelSignal) =>
      call('done', signal, () => {
        for (const receipt of receipts) messages.delete(receipt)
        return E.right(undefined)
      }),
    prices: (signal: CancelSignal) => call('prices', signal, () => E.right(rows)),
    phaseOf: ({ endsAtMs, launchedAtMs }: Machine): 'pending' | 'running' | 'terminating' =>
      endsAtMs !== undefined ? 'terminating' : clock.nowMs() >= launchedAtMs + bootMs ? 'running' : 'pending',

    // ---- the levers ----
    fail: (operation: ToyOperation, code: string, after: boolean, skip: number) =>
      void faults.push({ operation, code, after, skip }),
    soldOut,
    start,
    send: (body: string) => void messages.set(`r-${++sequence}`, { body, hiddenUntilMs: 0 }),
    endNow: (id: string) => end(id, 0),
    strip: (id: string) => {
      const machine = machines.get(id)
      if (machine) machines.set(id, { ...machine, type: '' })
    },
    hideNew: () => {
      hidesNew = true
    },
    raise: (type: string) => {
      rows = rows.map((row) =>
        row.name === type
          ? {
              ...row,
              prices: row.prices.map((price, index) => (index === 0 ? { ...price, price: price.price + 1 } : price)),
            }
          : row,
      )
    },
    present: () => [...machines.values()].filter(isThere).map(({ id }) => id),
    calls: () => calls,
  }
}

export type ToyCloud = ReturnType<typeof toyCloud>
