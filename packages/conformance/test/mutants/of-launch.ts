import { labelKeys, Requirements } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { ToyCloud } from '../toy/toy-cloud.ts'
import { withCloud, withLive, type Mutant } from './mutant.ts'

export const launchMutants: ReadonlyArray<Mutant> = [
  {
    mistake: 'a token of its own for every call',
    caughtBy: 'launch/retried',
    ...withCloud((cloud) => {
      let count = 0
      return { run: (input, signal) => cloud.run({ ...input, token: `${input.token}-${count++}` }, signal) }
    }),
  },
  {
    mistake: 'a look for the instance first, and a race after it',
    caughtBy: 'launch/raced',
    ...withCloud((cloud) => {
      const known = new Map<string, Awaited<ReturnType<ToyCloud['run']>>>()
      let count = 0
      return {
        run: async (input, signal) => {
          const present = known.get(input.token)
          if (present !== undefined) return present
          const ran = await cloud.run({ ...input, token: `${input.token}-${count++}` }, signal)
          if (E.isRight(ran)) known.set(input.token, ran)
          return ran
        },
      }
    }),
  },
  {
    mistake: 'tokens that only this process remembers',
    caughtBy: 'launch/restarted',
    ...withCloud((cloud) => {
      const life = String(Math.floor(cloud.calls() * 7 + cloud.present().length))
      return { run: (input, signal) => cloud.run({ ...input, token: `${input.token}-${life}` }, signal) }
    }),
  },
  {
    mistake: 'a token that hangs on the type',
    caughtBy: 'launch/retried-otherwise',
    ...withCloud((cloud) => ({
      run: (input, signal) => cloud.run({ ...input, token: `${input.token}-${input.type}` }, signal),
    })),
  },
  {
    mistake: 'one token for all',
    caughtBy: 'launch/two-tokens',
    ...withCloud((cloud) => ({ run: (input, signal) => cloud.run({ ...input, token: 'same' }, signal) })),
  },
  {
    mistake: 'the answer that was lost taken for a failure, and a new token',
    caughtBy: 'launch/answer-lost',
    ...withCloud((cloud) => {
      const failed = new Map<string, number>()
      return {
        run: async (input, signal) => {
          const count = failed.get(input.token) ?? 0
          const ran = await cloud.run({ ...input, token: `${input.token}-${count}` }, signal)
          if (E.isLeft(ran)) failed.set(input.token, count + 1)
          return ran
        },
      }
    }),
  },
  {
    mistake: 'one zone for all',
    caughtBy: 'launch/offering',
    ...withCloud((cloud) => ({ run: (input, signal) => cloud.run({ ...input, zone: 'b' }, signal) })),
  },
  {
    mistake: 'the last candidate first',
    caughtBy: 'launch/cheapest',
    ...withLive((live) => ({
      launch: (request, call) =>
        live.launch({ ...request, candidates: [request.candidates.at(-1) ?? request.candidates[0]] }, call),
    })),
  },
  {
    mistake: 'no mark of the NodePool',
    caughtBy: 'launch/owner',
    ...withCloud((cloud) => ({
      run: ({ tags: { pool: _pool, ...tags }, ...input }, signal) => cloud.run({ ...input, tags }, signal),
    })),
  },
  {
    mistake: 'a NodePool named undefined',
    caughtBy: 'launch/standalone',
    ...withCloud((cloud) => ({
      run: (input, signal) =>
        cloud.run({ ...input, tags: { ...input.tags, pool: String(input.tags['pool']) } }, signal),
    })),
  },
  {
    mistake: 'capacity marked for every type',
    caughtBy: 'launch/marks',
    ...withLive((live) => ({
      launch: (request, call) =>
        pipe(
          live.launch(request, call),
          TE.mapLeft((failure) => ({
            ...failure,
            unavailable: (failure.unavailable ?? []).map((mark) => ({
              ...mark,
              match: Requirements.fromLabels({ [labelKeys.zone]: 'a' }),
            })),
          })),
        ),
    })),
  },
  {
    mistake: 'no marks at all',
    caughtBy: 'launch/sold-out',
    ...withLive((live) => ({
      launch: (request, call) =>
        pipe(
          live.launch(request, call),
          TE.mapLeft(({ error, reason }) => ({ error, reason })),
        ),
    })),
  },
  {
    mistake: 'surrender at the first that is sold out',
    caughtBy: 'launch/next',
    ...withLive((live) => ({
      launch: (request, call) => live.launch({ ...request, candidates: [request.candidates[0]] }, call),
    })),
  },
  {
    mistake: 'a memory of its own of what was sold out',
    caughtBy: 'launch/restocked',
    ...withCloud((cloud) => {
      const known = new Set<string>()
      return {
        run: async (input, signal) => {
          if (known.has(input.type)) return E.left({ code: 'SoldOut' })
          const ran = await cloud.run(input, signal)
          if (E.isLeft(ran) && ran.left.code === 'SoldOut') known.add(input.type)
          return ran
        },
      }
    }),
  },
  {
    mistake: 'throttling taken for a lack of capacity',
    caughtBy: 'launch/throttled',
    ...withLive((live) => ({
      launch: (request, call) =>
        pipe(
          live.launch(request, call),
          TE.mapLeft((failure) => ({ ...failure, error: { ...failure.error, _tag: 'InsufficientCapacity' as const } })),
        ),
    })),
  },
  {
    mistake: 'a refusal of rights taken for one of the request',
    caughtBy: 'launch/unauthorized',
    ...withLive((live) => ({
      launch: (request, call) =>
        pipe(
          live.launch(request, call),
          TE.mapLeft((failure) => ({
            ...failure,
            error:
              failure.error._tag === 'Unauthorized'
                ? { ...failure.error, _tag: 'InvalidRequest' as const }
                : failure.error,
          })),
        ),
    })),
  },
  {
    mistake: 'a message that ends in a period',
    caughtBy: 'launch/quota',
    ...withLive((live) => ({
      launch: (request, call) =>
        pipe(
          live.launch(request, call),
          TE.mapLeft((failure) => ({ ...failure, error: { ...failure.error, message: `${failure.error.message}.` } })),
        ),
    })),
  },
  {
    mistake: 'a reason with spaces',
    caughtBy: 'launch/invalid',
    ...withLive((live) => ({
      launch: (request, call) =>
        pipe(
          live.launch(request, call),
          TE.mapLeft((failure) => ({ ...failure, reason: 'it did not work' })),
        ),
    })),
  },
  {
    mistake: 'a signal that nobody listens to',
    caughtBy: 'launch/aborted',
    ...withCloud((cloud) => ({ run: (input) => cloud.run(input, new AbortController().signal) })),
  },
  {
    mistake: 'one signal for the calls of all',
    caughtBy: 'launch/one-aborted',
    ...withCloud((cloud) => {
      const seen: Array<Parameters<ToyCloud['run']>[1]> = []
      return {
        run: (input, signal) => {
          seen.push(signal)
          return cloud.run(input, seen[0] ?? signal)
        },
      }
    }),
  },
  {
    mistake: 'a rejection instead of a Left',
    caughtBy: 'host/left',
    ...withCloud((cloud) => ({
      page: async (...input) => {
        const page = await cloud.page(...input)
        if (E.isLeft(page)) throw new Error(page.left.code)
        return page
      },
    })),
  },
  {
    mistake: 'the dead instance for a token used before',
    caughtBy: 'launch/after-end',
    ...withCloud((cloud) => {
      const known = new Map<string, Awaited<ReturnType<ToyCloud['run']>>>()
      return {
        run: async (input, signal) => {
          const ran = known.get(input.token) ?? (await cloud.run(input, signal))
          if (E.isRight(ran)) known.set(input.token, ran)
          return ran
        },
      }
    }),
  },
]
