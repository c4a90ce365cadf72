/** A version of Kubernetes; what follows the patch (a pre-release, a build) decides nothing here. */
type Version = readonly [major: number, minor: number, patch: number]

const parse = (text: string): Version | undefined => {
  const match = /^v?(\d+)\.(\d+)(?:\.(\d+))?(?:[-+].*)?$/.exec(text)
  return match === null ? undefined : [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)]
}

const compare = (left: Version, right: Version): number =>
  left[0] - right[0] || left[1] - right[1] || left[2] - right[2]

/** Whether a version is the other or newer. One that cannot be read counts as old (Z-IMG-01). */
export const isAtLeast = (version: string, least: string): boolean => {
  const [one, other] = [parse(version), parse(least)]
  return one !== undefined && other !== undefined && compare(one, other) >= 0
}

/** Whether a version is older than the other. One that cannot be read is not. */
export const isBefore = (version: string, bound: string): boolean => {
  const [one, other] = [parse(version), parse(bound)]
  return one !== undefined && other !== undefined && compare(one, other) < 0
}

/**
 * The Kubernetes version of new nodes, from what the status has and what the API server runs (Z-K8S-01, Z-K8S-02).
 *
 * The first is adopted, and so is a newer one: that is an upgrade, and takes the latest images with it. An older one is
 * not, since nodes are not downgraded.
 */
export const resolveKubernetesVersion = (
  current: string | undefined,
  server: string,
): { readonly version: string; readonly isUpgrade: boolean } => {
  const version = server.replace(/^v/, '')
  if (current === undefined || current === '') return { version, isUpgrade: false }
  if (isBefore(current, version)) return { version, isUpgrade: true }
  return { version: current, isUpgrade: false }
}
