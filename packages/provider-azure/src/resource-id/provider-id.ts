const scheme = 'azure://'

/**
 * The provider id of a machine: its resource ID with the resource group in lower case, as the cloud controller manager
 * writes it on Nodes. An ID without a resource group stays as it is (Z-CP-10).
 */
export const providerIdOf = (resourceId: string): string =>
  scheme +
  resourceId.replace(
    /^(\/subscriptions\/[^/]+\/resourceGroups\/)([^/]+)(?=\/providers\/)/i,
    (_, before: string, group: string) => before + group.toLowerCase(),
  )

/** The resource ID that a provider id holds; `undefined` for another provider's. */
export const resourceIdOf = (providerId: string): string | undefined =>
  providerId.startsWith(scheme) && providerId.length > scheme.length ? providerId.slice(scheme.length) : undefined
