import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { withCloud, withLive, type Mutant } from './mutant.ts'

export const otherMutants: ReadonlyArray<Mutant> = [
  {
    mistake: 'absence where it was throttled',
    caughtBy: 'resolve/throttled',
    ...withCloud((cloud) => ({
      images: async (...input) =>
        E.orElse(() => E.right<{ readonly code: string }, Array<string>>([]))(await cloud.images(...input)),
    })),
  },
  {
    mistake: 'Ready although nothing was found',
    caughtBy: 'resolve/missing',
    ...withLive((live) => ({
      resolve: (input, call) =>
        pipe(
          live.resolve(input, call),
          TE.map((resolution) => ({ ...resolution, conditions: {} })),
        ),
    })),
  },
  {
    mistake: 'a condition without a message',
    caughtBy: 'resolve/conditions',
    ...withLive((live) => ({
      resolve: (input, call) =>
        pipe(
          live.resolve(input, call),
          TE.map((resolution) => ({
            ...resolution,
            conditions: {
              ImageReady: { status: input.nodeClass.spec.rack === 'nowhere' ? ('False' as const) : ('True' as const) },
            },
          })),
        ),
    })),
  },
  {
    mistake: 'the end of the machines with their class',
    caughtBy: 'release/machines',
    ...withLive((_live, cloud) => ({ release: () => TE.fromIO(() => cloud.present().forEach(cloud.endNow)) })),
  },
  {
    mistake: 'drift of everything',
    caughtBy: 'drift/in-sync',
    ...withLive(() => ({ drift: () => ({ _tag: 'Drifted', reason: 'Whatever' }) })),
  },
  {
    mistake: 'drift of nothing',
    caughtBy: 'drift/drifted',
    ...withLive(() => ({ drift: () => ({ _tag: 'InSync' }) })),
  },
  {
    mistake: 'drift that counts how often it is asked',
    caughtBy: 'drift/pure',
    ...withLive(() => {
      let asked = 0
      return { drift: () => ({ _tag: 'Unknown', message: `Asked ${++asked} times` }) }
    }),
  },
  {
    mistake: 'tags written again each time',
    caughtBy: 'converge/repeated',
    ...withLive((live) => ({
      converge: (subject, call) => live.converge({ ...subject, claim: { ...subject.claim, annotations: {} } }, call),
    })),
  },
  {
    mistake: 'a failed launch where tagging was throttled',
    caughtBy: 'converge/throttled',
    ...withLive((live) => ({
      converge: (subject, call) =>
        pipe(
          live.converge(subject, call),
          TE.orElseW((error) => TE.right({ _tag: 'Failed' as const, failure: { error, reason: 'Tags' } })),
        ),
    })),
  },

  {
    mistake: 'an id that nobody knows',
    caughtBy: 'interruptions/delivered',
    ...withLive((live) => ({
      interruptions: {
        ...live.interruptions,
        receive: (call) =>
          pipe(
            live.interruptions.receive(call),
            TE.map((all) =>
              all.map((each) => ({
                ...each,
                interruptions: each.interruptions.map((one) => ({ ...one, id: `host-${one.id}` })),
              })),
            ),
          ),
      },
    })),
  },
  {
    mistake: 'an acknowledgement on receipt',
    caughtBy: 'interruptions/again',
    ...withCloud((cloud) => ({
      messages: async (signal) => {
        const received = await cloud.messages(signal)
        if (E.isRight(received))
          await cloud.done(
            received.right.map(({ receipt }) => receipt),
            signal,
          )
        return received
      },
    })),
  },
  {
    mistake: 'an acknowledgement that is none',
    caughtBy: 'interruptions/acknowledged',
    ...withCloud(() => ({ done: async () => E.right(undefined) })),
  },
  {
    mistake: 'a queue that one bad message stops',
    caughtBy: 'interruptions/garbage',
    ...withCloud((cloud) => ({
      messages: async (signal) => {
        const received = await cloud.messages(signal)
        return E.isRight(received) && received.right.some(({ body }) => !body.startsWith('end '))
          ? E.left({ code: 'SyntaxError' })
          : received
      },
    })),
  },
  {
    mistake: 'a wait for messages that never ends',
    caughtBy: 'interruptions/none',
    ...withCloud((cloud) => ({
      messages: async (signal) => {
        const received = await cloud.messages(signal)
        return E.isRight(received) && received.right.length === 0 ? new Promise(() => undefined) : received
      },
    })),
  },
  {
    mistake: 'a sweep of the machines without a claim in a view that is empty',
    caughtBy: 'tasks/standby',
    ...withLive((live, cloud) => ({
      tasks: [
        ...live.tasks,
        {
          name: 'sweep',
          everyMs: 60_000,
          runsOn: 'every-replica',
          run: ({ claims }) =>
            TE.fromIO(() => {
              for (const id of cloud.present())
                if (!claims.some(({ providerId }) => providerId === `toy:///${id}`)) cloud.endNow(id)
              return {}
            }),
        },
      ],
    })),
  },
  {
    mistake: 'a sweep of the machines of others',
    caughtBy: 'tasks/foreign',
    ...withLive((live, cloud) => ({
      tasks: [
        ...live.tasks,
        {
          name: 'sweep',
          everyMs: 60_000,
          runsOn: 'leader',
          run: () => TE.fromIO(() => (cloud.present().forEach(cloud.endNow), {})),
        },
      ],
    })),
  },
]
