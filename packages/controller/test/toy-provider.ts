import * as TE from 'fp-ts/lib/TaskEither.js'
import { type NodeClassObject, nodeClassSchema } from '@scantling/core'
import type { AnyProviderModule } from '../src/provider-loader/index.ts'

/** A provider without a cloud: its NodeClass exists, its types are none. */
export const toyProvider: AnyProviderModule = {
  name: 'toy',
  nodeClasses: [
    {
      group: 'toy.example',
      kind: 'ToyClass',
      names: { plural: 'toyclasses' },
      versions: [{ name: 'v1', schema: nodeClassSchema<NodeClassObject>('ToyClass', { size: 'integer?' }) }],
    },
  ],
  create: () =>
    TE.right({
      instanceTypes: () => TE.right([]),
      launch: () => TE.left({ error: { _tag: 'InsufficientCapacity', message: 'toys only' }, reason: 'NoToys' }),
      terminate: () => TE.right('Gone'),
      list: () => TE.right({ instances: [], unreadable: [] }),
    }),
}
