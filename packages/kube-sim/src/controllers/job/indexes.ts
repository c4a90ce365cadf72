/**
 * The numbers in a list of intervals such as `0-2,5`, as a Job tells its completed indexes.
 *
 * Text that is no such list counts as empty, as do numbers at or above `limit`.
 */
export const parseIndexes = (text: string, limit: number): ReadonlySet<number> => {
  const indexes = new Set<number>()
  for (const part of text.split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part)
    if (match === null) continue
    const first = Number(match[1])
    const last = Math.min(Number(match[2] ?? first), limit - 1)
    for (let index = first; index <= last; index += 1) indexes.add(index)
  }
  return indexes
}

/** Three and more in a row as an interval, others one by one. */
export const renderIndexes = (indexes: Iterable<number>): string => {
  const parts: Array<string> = []
  let run: Array<number> = []
  const close = () => {
    const [first, last] = [run[0], run.at(-1)]
    parts.push(run.length > 2 ? `${first}-${last}` : run.join(','))
    run = []
  }
  for (const index of [...indexes].sort((a, b) => a - b)) {
    const last = run.at(-1)
    if (last !== undefined && index !== last + 1) close()
    run.push(index)
  }
  if (run.length > 0) close()
  return parts.join(',')
}
