import { labelKeys, Requirements } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { ToyCloud } from '../toy/toy-cloud.ts'
import type { ToyProvider } from '../toy/toy-provider.ts'
import { withCloud, withLive, type Mutant } from './mutant.ts'

export const instanceTypeMutants: ReadonlyArray<Mutant> = [
  {
    mistake: 'a new array each time',
    caughtBy: 'types/same',
    ...withLive((live) => ({
      instanceTypes: (own, call) =>
        pipe(
          live.instanceTypes(own, call),
          TE.map((types) => [...types]),
        ),
    })),
  },
  {
    mistake: 'types remembered by the object of their NodeClass',
    caughtBy: 'types/same-for-equal-class',
    ...withLive((live) => {
      const known = new WeakMap<object, ReturnType<ToyProvider['instanceTypes']>>()
      return {
        instanceTypes: (own, call) => {
          const present = known.get(own)
          if (present !== undefined) return present
          let result: ReturnType<typeof live.instanceTypes> extends () => Promise<infer R> ? R | undefined : never
          const made: ReturnType<ToyProvider['instanceTypes']> = async () =>
            (result ??= await pipe(
              live.instanceTypes(own, call),
              TE.map((types) => [...types]),
            )())
          known.set(own, made)
          return made
        },
      }
    }),
  },
  {
    mistake: 'every type made anew when one price changes',
    caughtBy: 'types/change',
    ...withLive((live) => {
      let from: unknown
      let made: ReadonlyArray<never> | undefined
      return {
        instanceTypes: (own, call) =>
          pipe(
            live.instanceTypes(own, call),
            TE.map((types) => {
              if (from !== types) made = types.map((type) => ({ ...type })) as unknown as ReadonlyArray<never>
              from = types
              return made ?? types
            }),
          ),
      }
    }),
  },
  {
    mistake: 'prices that never change',
    caughtBy: 'types/change',
    ...withCloud((cloud) => {
      let first: ReturnType<ToyCloud['prices']> | undefined
      return { prices: (signal) => (first ??= cloud.prices(signal)) }
    }),
  },
  {
    mistake: 'an offering without a zone',
    caughtBy: 'types/offerings',
    ...withCloud((cloud) => ({
      prices: async (signal) =>
        E.map(
          (rows: ReadonlyArray<never>) =>
            rows.map((row: { readonly prices: ReadonlyArray<object> }) => ({
              ...row,
              prices: row.prices.map((price) => ({ ...price, zone: '' })),
            })) as never,
        )((await cloud.prices(signal)) as never),
    })),
  },
  {
    mistake: 'machines without pods',
    caughtBy: 'types/capacity',
    ...withLive((live) => {
      const made = new WeakMap<object, object>()
      return {
        instanceTypes: (own, call) =>
          pipe(
            live.instanceTypes(own, call),
            TE.map((types) => {
              const present = made.get(types)
              if (present !== undefined) return present as typeof types
              const changed = types.map((type) => ({ ...type, capacity: { ...type.capacity, pods: '0' as never } }))
              made.set(types, changed)
              return changed
            }),
          ),
      }
    }),
  },
  {
    mistake: 'types that vanish while they are sold out',
    caughtBy: 'types/sold-out',
    ...withLive((live, cloud) => ({
      instanceTypes: (own, call) =>
        pipe(
          live.instanceTypes(own, call),
          TE.map((types) => (cloud.soldOut.size === 0 ? types : types.filter(({ name }) => !cloud.soldOut.has(name)))),
        ),
    })),
  },
  {
    mistake: 'types that do not say their names',
    caughtBy: 'types/labels',
    ...withLive((live) => ({
      instanceTypes: (own, call) =>
        pipe(
          live.instanceTypes(own, call),
          TE.map((types) =>
            types.map((type) => ({
              ...type,
              requirements: Requirements.without(type.requirements, [labelKeys.instanceType]),
            })),
          ),
        ),
    })),
  },
]
