/**
 * Whether resourceVersion `a` is newer than `b`.
 *
 * Since Kubernetes 1.35 clients may compare resourceVersions of one kind as decimal numbers; every server before did the
 * same inside. They outgrow safe integers on paper, so length decides before digits. Absent ones are older than any.
 */
export const isNewer = (a: string | undefined, b: string | undefined): boolean => {
  if (a === undefined) return false
  if (b === undefined) return true
  return a.length === b.length ? a > b : a.length > b.length
}
