/**
 * Text in columns as wide as their widest cell, two spaces apart; the columns in `right` hold numbers.
 *
 * @example
 * renderTable(
 *   [
 *     ['pool', 'nodes'],
 *     ['general', '3'],
 *   ],
 *   new Set([1]),
 * ).split('\n') // => ['pool     nodes', 'general      3']
 */
export const renderTable = (rows: ReadonlyArray<ReadonlyArray<string>>, right: ReadonlySet<number>): string => {
  const widths = (rows[0] ?? []).map((_, column) =>
    rows.reduce((most, row) => Math.max(most, row[column]?.length ?? 0), 0),
  )
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          right.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
