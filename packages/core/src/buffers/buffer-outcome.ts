import { Conditions, type CapacityBuffer, type ConditionChange, type Pod } from '../cluster/index.ts'
import type { ProvisioningPlan } from '../scheduling/index.ts'

/** What a pass says of the buffers. */
export interface BufferOutcome {
  /** By `namespace/name`: the change of the condition Provisioning; absent where the pass tells nothing new. */
  readonly conditions: ReadonlyMap<string, ConditionChange>
  /** Placeholders by node that exists; such a node is not empty (P-CBC-08). */
  readonly podsByNode: ReadonlyMap<string, number>
}

/**
 * What became of the placeholders (P-CBC-07, P-CBC-08).
 *
 * `sizes`: how many placeholders each buffer has, by `namespace/name`. Those that a pass left out, because a machine
 * is being launched for them, leave the condition as it is.
 *
 * @example
 * const outcome = bufferOutcome([], new Map(), { launches: [], placements: [], rejections: [] })
 * outcome.conditions.size // => 0
 */
export const bufferOutcome = (
  buffers: ReadonlyArray<CapacityBuffer>,
  sizes: ReadonlyMap<string, number>,
  plan: Pick<ProvisioningPlan, 'launches' | 'placements' | 'rejections'>,
): BufferOutcome => {
  const fitting = new Map<string, number>()
  const needing = new Set<string>()
  const podsByNode = new Map<string, number>()
  for (const { pods } of plan.launches) for (const pod of pods) mark(needing, pod)
  for (const { pod } of plan.rejections) mark(needing, pod)
  for (const { node, pods } of plan.placements)
    for (const { buffer } of pods) {
      if (buffer === undefined) continue
      fitting.set(buffer, (fitting.get(buffer) ?? 0) + 1)
      podsByNode.set(node, (podsByNode.get(node) ?? 0) + 1)
    }
  const conditions = new Map<string, ConditionChange>()
  for (const buffer of buffers) {
    const key = `${buffer.namespace}/${buffer.name}`
    const change = provisioningOf(buffer, {
      size: sizes.get(key) ?? 0,
      fitting: fitting.get(key) ?? 0,
      needsMore: needing.has(key),
    })
    if (change !== undefined) conditions.set(key, change)
  }
  return { conditions, podsByNode }
}

const mark = (marked: Set<string>, { buffer }: Pod): void => {
  if (buffer !== undefined) marked.add(buffer)
}

const provisioningOf = (
  buffer: CapacityBuffer,
  { size, fitting, needsMore }: { readonly size: number; readonly fitting: number; readonly needsMore: boolean },
): ConditionChange | undefined => {
  const no = (reason: string, message: string): ConditionChange => ({
    type: 'Provisioning',
    status: 'False',
    reason,
    message,
  })
  if (!Conditions.isTrue(buffer.conditions, 'ReadyForProvisioning'))
    return no('NotReadyForProvisioning', 'The buffer is not ready; see the condition ReadyForProvisioning')
  if (size === 0) return no('BufferEmpty', 'The buffer asks for no capacity')
  if (needsMore) return no('RequiresNewCapacity', 'New nodes are needed for some of the buffer')
  if (fitting < size) return undefined
  return {
    type: 'Provisioning',
    status: 'True',
    reason: 'FitsExistingCapacity',
    message: `All ${size} units fit on nodes that exist`,
  }
}
