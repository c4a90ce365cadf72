/** A binary heap; `pop` and `peek` give the item that is before all others. */
export interface Heap<A> {
  readonly size: () => number
  readonly push: (item: A) => void
  readonly peek: () => A | undefined
  readonly pop: () => A | undefined
  readonly clear: () => void
}

export const heap = <A>(isBefore: (a: A, b: A) => boolean): Heap<A> => {
  const items: Array<A> = []
  const swapUp = (start: number) => {
    let index = start
    const item = items[index] as A
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!isBefore(item, items[parent] as A)) break
      items[index] = items[parent] as A
      index = parent
    }
    items[index] = item
  }
  const swapDown = () => {
    let index = 0
    const item = items[0] as A
    for (;;) {
      const left = 2 * index + 1
      if (left >= items.length) break
      const right = left + 1
      const child = right < items.length && isBefore(items[right] as A, items[left] as A) ? right : left
      if (!isBefore(items[child] as A, item)) break
      items[index] = items[child] as A
      index = child
    }
    items[index] = item
  }
  return {
    size: () => items.length,
    peek: () => items[0],
    push: (item) => {
      items.push(item)
      swapUp(items.length - 1)
    },
    pop: () => {
      const first = items[0]
      const last = items.pop()
      if (items.length > 0 && last !== undefined) {
        items[0] = last
        swapDown()
      }
      return first
    },
    clear: () => void (items.length = 0),
  }
}
