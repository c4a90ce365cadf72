// W-… and S-… are weaknesses and suspected defects of the reference, which tests may name and no row states.
const pattern = /\b(?!W-|S-\d)([A-Z]{1,2}(?:-[A-Z0-9]+)?-)(\d{2})\b(?:…(\d{2})\b)?/g

/** The ids of rows that a title names: `D-QUEUE-01`, and every one of a span such as `D-QUEUE-01…03`. */
export const idsOf = (title: string): ReadonlySet<string> => {
  const found = new Set<string>()
  for (const [, group = '', first = '', last = first] of title.matchAll(pattern)) {
    for (let number = Number(first); number <= Number(last); number++)
      found.add(`${group}${String(number).padStart(2, '0')}`)
  }
  return found
}
