import {
  bufferOutcome,
  ingestCapacityBuffer,
  virtualPods,
  type BufferOutcome,
  type CapacityBuffer,
  type CapacityBufferObject,
  type Pod,
  type ProvisioningPlan,
} from '@scantling/core'
import type { ObjectCache } from '../cache/index.ts'

/** CapacityBuffers as planners meet them: placeholder pods, and nodes that hold room for them. */
export interface BufferCell {
  readonly buffers: () => ReadonlyArray<CapacityBuffer>
  readonly get: (key: string) => CapacityBuffer | undefined
  /** The shape and number of a buffer's placeholders; `undefined` once it has none. */
  readonly resolve: (key: string, unit: { readonly template: Pod; readonly size: number } | undefined) => void
  readonly pods: () => ReadonlyArray<Pod>
  /** Takes in what a pass made of the placeholders. */
  readonly settle: (plan: Pick<ProvisioningPlan, 'launches' | 'placements' | 'rejections'>) => BufferOutcome
  /** Placeholders that the last pass put on a node. */
  readonly podsOn: (node: string) => number
}

export const makeBufferCell = (objects: ObjectCache<CapacityBufferObject>): BufferCell => {
  const views = new WeakMap<CapacityBufferObject, CapacityBuffer>()
  const view = (object: CapacityBufferObject): CapacityBuffer => {
    const known = views.get(object) ?? ingestCapacityBuffer(object)
    views.set(object, known)
    return known
  }
  const byBuffer = new Map<string, ReadonlyArray<Pod>>()
  let podsByNode: ReadonlyMap<string, number> = new Map()
  const buffers = () => [...objects.values()].map(view)
  objects.onChange(({ _tag, key }) => {
    if (_tag === 'Deleted') byBuffer.delete(key)
  })
  return {
    buffers,
    get: (key) => {
      const object = objects.get(key)
      return object === undefined ? undefined : view(object)
    },
    resolve: (key, unit) => {
      if (unit === undefined) byBuffer.delete(key)
      else byBuffer.set(key, virtualPods(unit.template, unit.size))
    },
    pods: () => [...byBuffer.values()].flat(),
    settle: (plan) => {
      const sizes = new Map([...byBuffer].map(([key, pods]) => [key, pods.length]))
      const outcome = bufferOutcome(buffers(), sizes, plan)
      podsByNode = outcome.podsByNode
      return outcome
    },
    podsOn: (node) => podsByNode.get(node) ?? 0,
  }
}
