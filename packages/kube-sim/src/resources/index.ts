import type { ResourceType } from '../server/registry.ts'
import { clusterTypes } from './cluster.ts'
import { eventType } from './events.ts'
import { keptTypes } from './kept-types.ts'
import { workloadTypes } from './workloads.ts'

export { customType, definitionType } from './custom.ts'
export { eventsAlias } from './events.ts'

/** Every built-in resource but CustomResourceDefinition, which needs a clock. */
export const builtInTypes: ReadonlyArray<ResourceType> = [...workloadTypes, ...clusterTypes, ...keptTypes, eventType]
