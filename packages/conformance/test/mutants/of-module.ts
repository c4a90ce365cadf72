import type { ToyClass } from '../toy/toy-provider.ts'
import { bySpec, kindWith, type Mutant } from './mutant.ts'

export const moduleMutants: ReadonlyArray<Mutant> = [
  { mistake: 'a name with a capital', caughtBy: 'module/name', module: (module) => ({ ...module, name: 'Toy' }) },
  { mistake: 'a group without a dot', caughtBy: 'module/node-classes', ...kindWith({ group: 'toy' }) },
  {
    mistake: 'a metric recorded and not declared',
    caughtBy: 'host/metrics',
    module: (module) => ({ ...module, metrics: [] }),
  },
  {
    mistake: 'a counter without _total',
    caughtBy: 'module/metrics',
    module: (module) => ({ ...module, metrics: [{ name: 'toy_launches', type: 'counter', help: 'x', labels: [] }] }),
  },
  {
    mistake: 'a wish to read Secrets',
    caughtBy: 'module/reads',
    module: (module) => ({ ...module, reads: [{ as: 'all', apiVersion: 'v1', plural: 'secrets' }] }),
  },
  {
    mistake: 'a label of its types that its policy does not name',
    caughtBy: 'module/label-keys-of-types',
    module: (module) => ({ ...module, labels: { wellKnown: [] } }),
  },
  {
    mistake: 'a hash that includes the status',
    caughtBy: 'hash/stable',
    ...kindWith({ hash: { version: '1', of: ({ status }: ToyClass) => status?.image ?? 'none' } }),
  },
  {
    mistake: 'a hash of the name alone',
    caughtBy: 'hash/sensitive',
    ...kindWith({ hash: { version: '1', of: ({ metadata }: ToyClass) => metadata.name } }),
  },
  {
    mistake: 'a hash that includes the generation',
    caughtBy: 'hash/stable',
    ...kindWith({ hash: { version: '1', of: (own: ToyClass) => `${bySpec(own)}-${own.metadata.generation}` } }),
  },
  {
    mistake: 'a well-known key listed twice',
    caughtBy: 'module/labels',
    module: (module) => ({
      ...module,
      labels: { wellKnown: [{ key: 'toy.example.com/cpu' }, { key: 'toy.example.com/cpu' }] },
    }),
  },
]
