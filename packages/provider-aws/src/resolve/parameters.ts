import type { CancelSignal, MaintenanceTask } from '@scantling/core'
import { memoize } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { isNotFound, providerErrorOf } from '../error-codes.ts'
import type { Ec2NodeClass } from '../node-class/index.ts'
import { everyPage, type AwsError, type AwsPorts } from '../sdk/index.ts'

const publishedForMs = 86_400_000
const customForMs = 300_000
/** A parameter that cannot be read for a while is still what it was (W-26). */
const lastGoodForMs = 86_400_000
const invalidationEveryMs = 1_800_000
const pageSize = 1000

/** A parameter to look up. */
export interface ParameterName {
  /** A path, or an ARN. */
  readonly name: string
  /** AWS publishes another image under it from time to time. */
  readonly isMutable: boolean
  /** The user's own, which may change at any time. */
  readonly isCustom: boolean
}

/** Parameters of Systems Manager that hold images. */
export interface Parameters {
  /** `undefined`: there is none of the name. Errors: it cannot be read, and has not been read lately. */
  readonly get: (parameter: ParameterName, signal: CancelSignal) => TE.TaskEither<AwsError, string | undefined>
  /** Looks up anew what holds an image that its publisher has deprecated. */
  readonly task: MaintenanceTask<Ec2NodeClass>
}

export const parameters = (options: {
  readonly ports: Pick<AwsPorts, 'ssm' | 'ec2'>
  readonly nowMs: () => number
}): Parameters => {
  const { ports, nowMs } = options
  const cacheOf = (ttlMs: number) =>
    memoize<{ readonly name: string; readonly signal: CancelSignal }, AwsError, string>({
      idOf: ({ name }) => name,
      ttlMs,
      staleMs: lastGoodForMs,
      nowMs,
      load: ({ name, signal }) =>
        pipe(
          ports.ssm.getParameter({ Name: name }, signal),
          TE.map(({ Parameter }) => Parameter?.Value ?? ''),
        ),
    })
  const published = cacheOf(publishedForMs)
  const custom = cacheOf(customForMs)
  const mutable = new Set<string>()

  return {
    get:
      ({ name, isMutable, isCustom }, signal) =>
      async () => {
        const cache = isCustom ? custom : published
        if (isMutable) mutable.add(name)
        const found = await cache.get({ name, signal })()
        // Absent is an answer too, and is asked for again the next time.
        return E.isLeft(found) && isNotFound(found.left) ? E.right(undefined) : found
      },
    task: {
      name: 'ssm-parameters',
      everyMs: invalidationEveryMs,
      runsOn: 'leader',
      run:
        (_view, { signal }) =>
        async () => {
          const held = [...mutable].flatMap((name) => {
            const image = published.peek({ name, signal })
            return image === undefined || image === '' ? [] : [{ name, image }]
          })
          if (held.length === 0) return E.right({})
          const ids = [...new Set(held.map(({ image }) => image))]
          const described = await everyPage(
            ports.ec2.describeImages,
            { Filters: [{ Name: 'image-id', Values: ids }], IncludeDeprecated: true, MaxResults: pageSize },
            signal,
            ({ Images }) => Images,
          )()
          if (E.isLeft(described)) return E.left(providerErrorOf(described.left))
          const deprecated = new Set(
            described.right
              .filter(({ DeprecationTime = '' }) => Date.parse(DeprecationTime) <= nowMs())
              .map(({ ImageId }) => ImageId),
          )
          for (const { name, image } of held) if (deprecated.has(image)) published.drop({ name, signal })
          return E.right({})
        },
    },
  }
}
