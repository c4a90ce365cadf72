import { type Instance } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { ToyDetails } from '../toy/toy-provider.ts'
import { gone, onlyListed, withCloud, withLive, type Mutant } from './mutant.ts'

export const instanceMutants: ReadonlyArray<Mutant> = [
  {
    mistake: 'the first page alone',
    caughtBy: 'launch/many',
    ...withCloud((cloud) => ({
      page: async (...input) =>
        E.map(({ machines }: { readonly machines: ReadonlyArray<never> }) => ({ machines }))(
          (await cloud.page(...input)) as never,
        ),
    })),
  },
  {
    mistake: 'what there is of a list whose second page fails',
    caughtBy: 'list/half',
    ...withCloud((cloud) => ({
      page: async (cluster, from, signal) => {
        const page = await cloud.page(cluster, from, signal)
        return E.isLeft(page) && from !== undefined ? E.right({ machines: [] }) : page
      },
    })),
  },
  {
    mistake: 'an empty list when it is throttled',
    caughtBy: 'list/throttled',
    ...withLive((live) => ({
      list: (call) =>
        pipe(
          live.list(call),
          TE.orElseW(() => TE.right({ instances: [], unreadable: [] })),
        ),
    })),
  },
  {
    mistake: 'a cluster name matched by its beginning',
    caughtBy: 'list/other-cluster',
    ...withCloud((cloud) => ({
      page: (cluster, from, signal) => cloud.page(cluster.replace(/-2$/, ''), from, signal),
    })),
  },
  {
    mistake: 'the machines of every cluster',
    caughtBy: 'list/foreign',
    ...withLive((live, cloud) => ({
      list: (call) =>
        pipe(
          live.list(call),
          TE.chain((own) =>
            pipe(
              live.list({ ...call, cluster: { ...call.cluster, name: 'theirs' } }),
              TE.map((theirs) => ({
                ...own,
                instances: cloud.present().length === 0 ? own.instances : [...own.instances, ...theirs.instances],
              })),
            ),
          ),
        ),
    })),
  },
  {
    mistake: 'silence about what it cannot read',
    caughtBy: 'list/unreadable',
    ...withLive((live) => ({
      list: (call) =>
        pipe(
          live.list(call),
          TE.map(({ instances }) => ({ instances, unreadable: [] })),
        ),
    })),
  },
  {
    mistake: 'only what runs',
    caughtBy: 'launch/listed',
    live: (live) => onlyListed(live, ({ phase }) => phase === 'running'),
  },
  {
    mistake: 'a Date among the data',
    caughtBy: 'list/json',
    ...withLive((live) => ({
      list: (call) =>
        pipe(
          live.list(call),
          TE.map((list) => ({
            ...list,
            instances: list.instances.map((instance) => ({ ...instance, details: { image: '', at: new Date(0) } })),
          })),
        ),
    })),
  },
  {
    mistake: 'get from a memory',
    caughtBy: 'get/fresh',
    ...withLive((live) => {
      const known = new Map<string, Instance<ToyDetails>>()
      return {
        get: (target, call) => {
          const present = known.get(target.providerId)
          return present !== undefined
            ? TE.right(present)
            : pipe(
                live.get(target, call),
                TE.map((instance) => (known.set(target.providerId, instance), instance)),
              )
        },
      }
    }),
  },
  {
    mistake: 'InstanceNotFound for whatever goes wrong',
    caughtBy: 'get/throttled',
    ...withLive((live) => ({
      get: (target, call) =>
        pipe(
          live.get(target, call),
          TE.mapLeft(({ message }) => ({ _tag: 'InstanceNotFound' as const, message })),
        ),
    })),
  },
  {
    mistake: 'InstanceNotFound for what the cloud cannot see yet',
    caughtBy: 'get/just-launched',
    ...withLive((live) => ({
      get: (target, call) =>
        pipe(
          live.get(target, call),
          TE.mapLeft((error) =>
            error.code === 'NoSuchMachine' ? { ...error, _tag: 'InstanceNotFound' as const } : error,
          ),
        ),
    })),
  },

  {
    mistake: 'Gone as soon as it was asked',
    caughtBy: 'terminate/begins',
    ...withLive((live) => ({
      terminate: (target, call) =>
        pipe(
          live.terminate(target, call),
          TE.map(() => 'Gone' as const),
        ),
    })),
  },
  {
    mistake: 'Started for ever',
    caughtBy: 'terminate/gone',
    ...withLive((live) => ({
      terminate: (target, call) =>
        pipe(
          live.terminate(target, call),
          TE.map(() => 'Started' as const),
        ),
    })),
  },
  {
    mistake: 'a failure for what is gone already',
    caughtBy: 'terminate/never-was',
    ...withLive((live) => ({
      terminate: (target, call) =>
        pipe(
          live.terminate(target, call),
          TE.chain((answer) => (answer === 'Gone' ? TE.left(gone) : TE.right(answer))),
        ),
    })),
  },
  {
    mistake: 'Gone for whatever goes wrong',
    caughtBy: 'terminate/unauthorized',
    ...withLive((live) => ({
      terminate: (target, call) =>
        pipe(
          live.terminate(target, call),
          TE.orElseW(() => TE.right('Gone' as const)),
        ),
    })),
  },
  {
    mistake: 'an end for whatever machine is named',
    caughtBy: 'terminate/foreign',
    ...withLive((live, cloud) => ({
      terminate: (target, call) => async () => {
        await cloud.end(target.providerId.replace('toy:///', ''), call.signal)
        return live.terminate(target, call)()
      },
    })),
  },
  {
    mistake: 'the end of everything',
    caughtBy: 'terminate/one',
    ...withLive((live, cloud) => ({
      terminate: (target, call) => async () => {
        for (const id of cloud.present()) await cloud.end(id, call.signal)
        return live.terminate(target, call)()
      },
    })),
  },
  {
    mistake: 'Gone for what the cloud cannot see yet',
    caughtBy: 'terminate/just-launched',
    ...withLive((live) => ({
      terminate: (target, call) =>
        pipe(
          live.terminate(target, call),
          TE.orElseW((error) => (error.code === 'NoSuchMachine' ? TE.right('Gone' as const) : TE.left(error))),
        ),
    })),
  },
  {
    mistake: 'an exception over an id of another form',
    caughtBy: 'terminate/foreign-id',
    ...withLive((live) => ({
      terminate: (target, call) => {
        if (!target.providerId.startsWith('toy:///')) throw new Error('Not mine')
        return live.terminate(target, call)
      },
    })),
  },
]
