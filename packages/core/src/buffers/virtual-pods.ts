import type { Pod } from '../cluster/index.ts'

/**
 * The placeholders of a buffer: pods that no API server knows, and that planners place as any other (P-CBC-05).
 *
 * They share everything but name and UID with `template`, so that a thousand of them are one class of pods.
 *
 * @example
 * import { pendingPod } from '@scantling/core/testing'
 * const template = pendingPod('spare', { cpu: '1' }, {}, { buffer: 'default/spare' })
 * virtualPods(template, 3).length // => 3
 */
export const virtualPods = (template: Pod, count: number): ReadonlyArray<Pod> =>
  Array.from({ length: count }, (_, index) => ({
    ...template,
    name: `${template.name}-${index}`,
    uid: `${template.uid}-${index}`,
  }))

/**
 * Whether the pod is a placeholder of a CapacityBuffer.
 *
 * @example
 * import { pendingPod } from '@scantling/core/testing'
 * isVirtual(pendingPod('web-0')) // => false
 */
export const isVirtual = ({ buffer }: Pod): boolean => buffer !== undefined
