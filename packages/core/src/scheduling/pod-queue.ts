import { compareText } from '../internal/index.ts'

/** What decides a pod's turn. */
export interface QueuedPod {
  readonly cpu: number
  readonly memory: number
  readonly createdAtMs: number
  readonly uid: string
  /** `namespace/name`, in case two pods claim one UID. */
  readonly name: string
}

/** Most CPU first, then most memory, then the oldest, then by UID; nothing else matters, priority least (P-QUE-01). */
export const comparePods = (a: QueuedPod, b: QueuedPod): number =>
  b.cpu - a.cpu ||
  b.memory - a.memory ||
  a.createdAtMs - b.createdAtMs ||
  compareText(a.uid, b.uid) ||
  compareText(a.name, b.name)

/**
 * The pods still to place, first come first served, until a whole turn brings no progress (P-QUE-02).
 *
 * A pod that fails goes to the end with the length of the queue at that moment. When it comes up again at the same
 * length, every other pod has failed since as well.
 */
export class PodQueue {
  readonly #entries: Array<number>
  #head = 0
  readonly #lengthAtPush: Array<number>

  /** `order`: pods by index, first to be placed first. */
  constructor(order: ReadonlyArray<number>) {
    this.#entries = [...order]
    this.#lengthAtPush = order.map(() => 0)
  }

  /** The next pod, or `undefined` once there is none or no progress. */
  pop(): number | undefined {
    const pod = this.#entries[this.#head]
    if (pod === undefined || this.#lengthAtPush[pod] === this.#entries.length - this.#head) return undefined
    this.#head += 1
    return pod
  }

  push(pod: number): void {
    this.#entries.push(pod)
    this.#lengthAtPush[pod] = this.#entries.length - this.#head
  }
}
