import type { CancelSignal, Delivery, InterruptionSource, ProviderHost } from '@scantling/core'
import { memoize } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { isNotFound, providerErrorOf } from '../error-codes.ts'
import type { AwsError, SqsPort } from '../sdk/index.ts'
import { deliveryOf, parseMessage } from './message.ts'

const messagesAtOnce = 10
const hiddenSeconds = 20
const waitSeconds = 20
const addressKnownMs = 86_400_000

/**
 * The SQS queue to which EventBridge sends what happens to instances.
 *
 * Messages that are no events are dropped at once; all others stay on the queue until they are acknowledged.
 */
export const interruptionQueue = (options: {
  readonly sqs: SqsPort
  readonly name: string
  readonly rebalance: 'notify' | 'drain'
  readonly host: Pick<ProviderHost, 'clock' | 'log'>
}): InterruptionSource => {
  const { sqs, name, rebalance, host } = options
  const address = memoize<CancelSignal, AwsError, string>({
    idOf: () => name,
    ttlMs: addressKnownMs,
    nowMs: host.clock.nowMs,
    load: (signal) =>
      pipe(
        sqs.getQueueUrl({ QueueName: name }, signal),
        TE.map(({ QueueUrl = '' }) => QueueUrl),
      ),
  })
  const failed = (signal: CancelSignal) => (error: AwsError) => {
    // The queue may have been made anew, at another address.
    if (isNotFound(error)) address.drop(signal)
    const found = providerErrorOf(error)
    return isNotFound(error)
      ? { ...found, message: `Cannot read queue ${name}: it is not there; make it, or unset interruption-queue` }
      : found
  }
  const remove = (url: string, receipts: ReadonlyArray<string>, signal: CancelSignal): TE.TaskEither<AwsError, void> =>
    receipts.length === 0
      ? TE.right(undefined)
      : pipe(
          sqs.deleteMessageBatch(
            {
              QueueUrl: url,
              Entries: receipts
                .slice(0, messagesAtOnce)
                .map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle })),
            },
            signal,
          ),
          TE.chain(() => remove(url, receipts.slice(messagesAtOnce), signal)),
        )

  return {
    receive: ({ signal }) =>
      pipe(
        address.get(signal),
        TE.chain((url) =>
          pipe(
            sqs.receiveMessage(
              {
                QueueUrl: url,
                MaxNumberOfMessages: messagesAtOnce,
                VisibilityTimeout: hiddenSeconds,
                WaitTimeSeconds: waitSeconds,
                MessageSystemAttributeNames: ['SentTimestamp'],
                MessageAttributeNames: ['All'],
              },
              signal,
            ),
            TE.chain(({ Messages = [] }) => async () => {
              const deliveries: Array<Delivery> = []
              const unreadable: Array<string> = []
              for (const { Body = '', ReceiptHandle: receipt = '', Attributes } of Messages) {
                const message = parseMessage(Body)
                if (message === undefined) {
                  host.log('error', 'Message on the interruption queue dropped: it is not an event of EventBridge', {
                    queue: name,
                    body: Body.slice(0, 200),
                  })
                  unreadable.push(receipt)
                  continue
                }
                const sentAtMs = Number(Attributes?.SentTimestamp)
                deliveries.push(
                  deliveryOf(message, { receipt, rebalance, ...(Number.isFinite(sentAtMs) && { sentAtMs }) }),
                )
              }
              const removed = await remove(url, unreadable, signal)()
              if (E.isLeft(removed))
                host.log('warn', 'Messages that are no events stay on the queue', { error: removed.left.message })
              return E.right(deliveries)
            }),
          ),
        ),
        TE.mapLeft(failed(signal)),
      ),
    acknowledge: (receipts, { signal }) =>
      pipe(
        address.get(signal),
        TE.chain((url) => remove(url, receipts, signal)),
        TE.mapLeft(failed(signal)),
      ),
  }
}
