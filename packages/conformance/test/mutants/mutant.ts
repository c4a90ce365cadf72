import { type Instance, type ProviderError } from '@scantling/core'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { ToyCloud } from '../toy/toy-cloud.ts'
import type { ToyClass, ToyDetails, ToyProvider } from '../toy/toy-provider.ts'
import type { Change } from '../toy/toy-subject.ts'

/** A toy provider with one fault that somebody could make, and the check that is there to find it. */
export interface Mutant extends Change {
  readonly mistake: string
  readonly caughtBy: string
}

export const bySpec = ({ spec }: ToyClass) => spec.rack

export const onlyListed = (
  live: ToyProvider,
  keep: (instance: Instance<ToyDetails>, index: number) => boolean,
): ToyProvider => ({
  ...live,
  list: (call) =>
    pipe(
      live.list(call),
      TE.map((list) => ({ ...list, instances: list.instances.filter(keep) })),
    ),
})
export const withCloud = (change: (cloud: ToyCloud) => Partial<ToyCloud>): Pick<Mutant, 'cloud'> => ({
  cloud: (cloud) => ({ ...cloud, ...change(cloud) }),
})
export const withLive = (
  change: (live: ToyProvider, cloud: ToyCloud, nowMs: () => number) => Partial<ToyProvider>,
): Pick<Mutant, 'live'> => ({
  live: (live, cloud, nowMs) => ({ ...live, ...change(live, cloud, nowMs) }),
})
export const kindWith = (change: object): Pick<Mutant, 'module'> => ({
  module: (module) => ({ ...module, nodeClasses: [{ ...module.nodeClasses[0], ...change }] }),
})

export const gone: ProviderError = { _tag: 'InstanceNotFound', message: 'It is gone' }
