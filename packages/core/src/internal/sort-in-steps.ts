// Few enough to take well under a millisecond or two.
const itemsPerStep = 1000

/**
 * A sorted copy, made in pieces: a stable merge sort that yields after each bounded piece of work.
 *
 * Cost: O(n log n) comparisons; a short list is sorted at once, without a pause.
 */
export function* sortInSteps<A>(
  items: ReadonlyArray<A>,
  compare: (a: A, b: A) => number,
): Generator<void, Array<A>, void> {
  let runs: Array<Array<A>> = []
  for (let from = 0; from < items.length; from += itemsPerStep) {
    if (from > 0) yield
    runs.push(items.slice(from, from + itemsPerStep).sort(compare))
  }
  while (runs.length > 1) {
    const merged: Array<Array<A>> = []
    for (let run = 0; run < runs.length; run += 2) {
      const [left, right] = [runs[run]!, runs[run + 1]]
      merged.push(right === undefined ? left : yield* merge(left, right, compare))
    }
    runs = merged
  }
  return runs[0] ?? []
}

function* merge<A>(
  left: ReadonlyArray<A>,
  right: ReadonlyArray<A>,
  compare: (a: A, b: A) => number,
): Generator<void, Array<A>, void> {
  const merged: Array<A> = []
  let [fromLeft, fromRight] = [0, 0]
  while (fromLeft < left.length || fromRight < right.length) {
    if (merged.length % itemsPerStep === itemsPerStep - 1) yield
    const takesLeft =
      fromRight === right.length || (fromLeft < left.length && compare(left[fromLeft]!, right[fromRight]!) <= 0)
    merged.push(takesLeft ? left[fromLeft]! : right[fromRight]!)
    if (takesLeft) fromLeft += 1
    else fromRight += 1
  }
  return merged
}
