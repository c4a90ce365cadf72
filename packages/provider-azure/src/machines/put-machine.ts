import type { CancelSignal } from '@scantling/core'
import { batch } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { AksMachine, ArmError, ContainerServicePort } from '../sdk/index.ts'
import type { AzureSettings } from '../settings.ts'
import { batchKeyOf, batchRequestOf, errorsOfBatch, type BatchEntry } from './batch-request.ts'

export interface PutMachineOptions {
  readonly port: Pick<ContainerServicePort, 'putMachine'>
  /** Resource group, cluster and pool, with slashes. */
  readonly pool: string
  readonly settings: Pick<AzureSettings, 'provisionMode' | 'batchIdleMs' | 'batchMaxMs' | 'batchMaxSize'>
  readonly clock: {
    readonly nowMs: () => number
    readonly sleep: (ms: number, signal: CancelSignal) => Promise<void>
  }
  readonly shutdown: CancelSignal
}

/** Asks AKS for a machine: the machine as AKS accepted it; `undefined` where the answer tells of another of its batch. */
type Put<A> = (entry: BatchEntry, signal: CancelSignal) => TaskEither<ArmError, A>

export interface PutMachine {
  /** With others, where the provision mode says so. */
  readonly together: Put<AksMachine | undefined>
  readonly alone: Put<AksMachine>
}

const action = 'Microsoft.ContainerService/managedClusters/agentPools/machines/write'

/** The code of our own for a batch of which nobody can tell what became of its machines. */
export const inDoubt = 'BatchInDoubt'

/**
 * Makes machines one by one or, where the provision mode says so, those in one request that came together and share all
 * but name, zone and tags (Z-BAT-02, Z-BAT-03).
 *
 * A batch that has left is carried out, whoever still waits for it: nobody could take it back (Z-BAT-05). Machines that
 * came alone are put as such.
 *
 * Errors: of a batch each machine's own (Z-BAT-04); `BatchInDoubt` where AKS does not tell them apart.
 */
export const createPutMachine = (options: PutMachineOptions): PutMachine => {
  const { port, pool, settings, clock, shutdown } = options
  const alone: PutMachine['alone'] =
    ({ name, body }, signal) =>
    async () =>
      E.map(({ resource }: { readonly resource: AksMachine }) => resource)(
        await port.putMachine({ name, body }, signal)(),
      )
  if (settings.provisionMode !== 'aksmachineapiheaderbatch') return { together: alone, alone }

  const failure = (code: string, message: string): ArmError => ({ action, code, message, phase: 'request' })
  const together = batch<BatchEntry, ArmError, AksMachine | undefined>({
    keyOf: ({ body }) => batchKeyOf(pool, body),
    idleMs: settings.batchIdleMs,
    maxMs: settings.batchMaxMs,
    maxItems: settings.batchMaxSize,
    clock,
    cancelled: () => failure('Cancelled', 'Nobody waits for the machine any more'),
    unanswered: () => failure('UnreadableAnswer', 'The batch ended without a result for the machine'),
    run: (entries) => async () => {
      const [first, ...rest] = entries
      if (first === undefined) return E.right([])
      if (rest.length === 0) return E.right([await alone(first, shutdown)()])
      const { name, body, header } = batchRequestOf([first, ...rest])
      const sent = await port.putMachine({ name, body, batch: header }, shutdown)()
      if (E.isRight(sent))
        return E.right(entries.map((entry) => E.right(entry === first ? sent.right.resource : undefined)))
      const errors = errorsOfBatch(
        sent.left,
        entries.map((entry) => entry.name),
      )
      if (E.isLeft(errors))
        return E.left({ ...sent.left, code: inDoubt, message: `${errors.left}: ${sent.left.message}` })
      return E.right(
        entries.map((entry) => {
          const error = errors.right.get(entry.name)
          return error === undefined ? E.right(undefined) : E.left(error)
        }),
      )
    },
  })
  return { together, alone }
}
