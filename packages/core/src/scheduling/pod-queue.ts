import type { Pod } from '../cluster/index.ts'
import { compareText, sortInSteps } from '../internal/index.ts'

/** What decides which pods come first. */
export interface PodSize {
  readonly cpu: number
  readonly memory: number
}

/** Pods whose sizes are sorted into classes between two pauses. */
const podsPerStep = 1000

/**
 * Pods by index, first to be placed first: most CPU, then most memory, then the oldest, then by UID; nothing else
 * matters, priority least (P-QUE-01).
 *
 * Yields after bounded pieces of work. Pods that share a `PodSize` object are of one size.
 */
export function* queueOrder(
  pods: ReadonlyArray<Pod>,
  sizeOf: (pod: number) => PodSize,
): Generator<void, ReadonlyArray<number>, void> {
  const bySize = new Map<PodSize, Array<number>>()
  for (let pod = 0; pod < pods.length; pod += 1) {
    if (pod % podsPerStep === podsPerStep - 1) yield
    const size = sizeOf(pod)
    const members = bySize.get(size)
    if (members === undefined) bySize.set(size, [pod])
    else members.push(pod)
  }
  const order: Array<number> = []
  const sizes = [...bySize].sort(([a], [b]) => b.cpu - a.cpu || b.memory - a.memory)
  for (let from = 0; from < sizes.length;) {
    const [{ cpu, memory }, members] = sizes[from]!
    let to = from + 1
    for (; sizes[to]?.[0].cpu === cpu && sizes[to]?.[0].memory === memory; to += 1) {
      for (const pod of sizes[to]![1]) members.push(pod)
    }
    from = to
    const sorted = yield* sortInSteps(members, (a, b) => compareTurns(pods[a]!, pods[b]!))
    for (const pod of sorted) order.push(pod)
    yield
  }
  return order
}

/** The same order with placeholder pods of capacity buffers after all others, so that spare room is made last (W32). */
export const buffersLast = (order: ReadonlyArray<number>, pods: ReadonlyArray<Pod>): ReadonlyArray<number> => [
  ...order.filter((pod) => pods[pod]!.buffer === undefined),
  ...order.filter((pod) => pods[pod]!.buffer !== undefined),
]

// Names decide where two pods claim one UID.
const compareTurns = (a: Pod, b: Pod): number =>
  a.createdAtMs - b.createdAtMs ||
  compareText(a.uid, b.uid) ||
  compareText(a.namespace, b.namespace) ||
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
