import * as TE from 'fp-ts/lib/TaskEither.js'
import { type NodeClassObject, nodeClassSchema } from '@scantling/core'
import { systemClock } from '@scantling/provider-kit'
import type { AnyProviderModule } from '../src/provider-loader/index.ts'
import type { ControllerOptions } from '../src/run-controller.ts'
import { silentLog } from './silent-log.ts'

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

/** What a controller with that provider runs with; tests add its settings and its reconcilers. */
export const toyController = {
  providerModule: toyProvider,
  providerSettings: {},
  clock: systemClock,
  log: silentLog,
  env: {},
  build: { version: '0.0.0', commit: 'abcdef0' },
} satisfies Partial<ControllerOptions>
