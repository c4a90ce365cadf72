import type { CancelSignal } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { isNotFound } from '../error-codes.ts'
import { readTogether } from '../read-together.ts'
import type { AksMachine, ArmError, ContainerServicePort } from '../sdk/index.ts'

/** How old a list may be by which a launch tells that its machine is not there yet (Z-BAT-07). */
export const machinesKnownMs = 30_000

const machinesRead = 'Microsoft.ContainerService/managedClusters/agentPools/machines/read'

/** Machines by name, in lower case. */
export type MachinesByName = ReadonlyMap<string, AksMachine>

export interface MachineListOptions {
  readonly port: Pick<ContainerServicePort, 'getMachine' | 'listMachines'>
  readonly clock: {
    readonly nowMs: () => number
    readonly sleep: (ms: number, signal: CancelSignal) => Promise<void>
  }
  /** A list is everybody's: only the end of the process cancels it. */
  readonly shutdown: CancelSignal
}

/**
 * The machines of the pool, read together for all who ask.
 *
 * AKS allows few reads, and the reference's one for each poll of each machine ends in 429 (Z-BAT-07, W-11). A list that
 * is under way when something is asked for does not answer it: it may have passed that machine already.
 */
export interface MachineList {
  /** All of them, from a list begun after the call. A pool that is not there has none (Z-MACH-20). */
  readonly all: (signal: CancelSignal) => TE.TaskEither<ArmError, MachinesByName>
  /** One of them as it is now; asked for alone, or with others that are asked for at the same time. */
  readonly now: (name: string, signal: CancelSignal) => TE.TaskEither<ArmError, AksMachine | undefined>
  /** One of them from a list that is at most so old, and younger than its last `touch`. */
  readonly recent: (
    name: string,
    maxAgeMs: number,
    signal: CancelSignal,
  ) => TE.TaskEither<ArmError, AksMachine | undefined>
  /** These are no longer what they were. */
  readonly touch: (names: ReadonlyArray<string>) => void
}

interface Read {
  /** Counts reads and touches, for clocks are too coarse to tell which came first. */
  readonly turn: number
  readonly startedMs: number
  readonly result: Promise<E.Either<ArmError, MachinesByName>>
}

/** Nothing is read until somebody asks. */
export const createMachineList = ({ port, clock, shutdown }: MachineListOptions): MachineList => {
  let turns = 0
  const touched = new Map<string, number>()
  let latest: Read | undefined

  const start = (): Read => {
    const turn = ++turns
    const load = async (): Promise<E.Either<ArmError, MachinesByName>> => {
      const listed = await port.listMachines({}, shutdown)()
      if (E.isLeft(listed)) {
        if (isNotFound(listed.left)) return E.right(new Map())
        // The next one to ask tries again.
        if (latest === own) latest = undefined
        return listed
      }
      for (const [name, at] of touched) if (at < turn) touched.delete(name)
      return E.right(new Map(listed.right.map((machine) => [(machine.name ?? '').toLowerCase(), machine])))
    }
    const own: Read = { turn, startedMs: clock.nowMs(), result: load() }
    latest = own
    return own
  }

  // Those who wait for one list to end so that theirs may begin share theirs.
  let queued: Promise<Read> | undefined
  const startNext = (): Promise<Read> => {
    if (queued !== undefined) return queued
    const next = () => {
      queued = undefined
      return start()
    }
    queued = Promise.resolve(latest?.result).then(next, next)
    return queued
  }
  const all = (signal: CancelSignal): TE.TaskEither<ArmError, MachinesByName> =>
    orCancelled(signal, async () => (await startNext()).result)

  const now = readTogether<AksMachine>({
    action: machinesRead,
    get: (name, signal) => port.getMachine({ name }, signal),
    list: (signal) => TE.map((machines: MachinesByName) => [...machines.values()])(all(signal)),
    isListWhole: true,
    clock,
  })

  return {
    all,
    now,
    recent: (name, maxAgeMs, signal) => {
      const key = name.toLowerCase()
      return orCancelled(signal, async () => {
        const isUsable = (read: Read | undefined): read is Read =>
          read !== undefined && read.startedMs >= clock.nowMs() - maxAgeMs && read.turn > (touched.get(key) ?? 0)
        const read = isUsable(latest) ? latest : await startNext()
        return E.map((machines: MachinesByName) => machines.get(key))(await read.result)
      })
    },
    touch: (names) => {
      turns += 1
      for (const name of names) touched.set(name.toLowerCase(), turns)
    },
  }
}

const cancelled = (): ArmError => ({
  action: machinesRead,
  code: 'Cancelled',
  message: 'Nobody waits for the machines any more',
  phase: 'request',
})

/** The task, or `Cancelled` as soon as the signal aborts; what the task does goes on. */
const orCancelled =
  <A>(signal: CancelSignal, run: () => Promise<E.Either<ArmError, A>>): TE.TaskEither<ArmError, A> =>
  () =>
    new Promise((resolve, reject) => {
      const abort = () => resolve(E.left(cancelled()))
      if (signal.aborted) return abort()
      signal.addEventListener('abort', abort)
      run()
        .then(resolve, reject)
        .finally(() => signal.removeEventListener('abort', abort))
    })
