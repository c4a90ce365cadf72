import type { KubeObject } from '../face.ts'
import { customType, definitionType } from '../resources/index.ts'
import type { Core } from './core.ts'
import { keyOf } from './registry.ts'

const definitionsKey = 'customresourcedefinitions.apiextensions.k8s.io'

/** Serves what CustomResourceDefinitions define, from the commit that creates or changes one to the one that removes it. */
export const startDefining = (core: Core): void => {
  core.registry.register(definitionType(core.clock.nowMs))
  core.store.onCommit((key, { type, object, previous }) => {
    if (key !== definitionsKey) return
    if (type === 'DELETED') withdraw(core, object)
    // A change of its status alone defines nothing new.
    else if (previous === undefined || previous['spec'] !== object['spec']) core.registry.register(customType(object))
  })
}

// The objects of a resource go with its definition.
const withdraw = (core: Core, definition: KubeObject): void => {
  const key = keyOf(customType(definition))
  for (const object of [...core.store.collection(key).view.values()]) core.store.remove(key, object)
  core.registry.unregister(key)
}
