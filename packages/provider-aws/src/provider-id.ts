/** Provider ids are `aws:///ZONE/INSTANCE`, as the cloud provider of Kubernetes has them (A-CLP-05). */
export const providerIdOf = (zone: string, instanceId: string): string => `aws:///${zone}/${instanceId}`

/** The instance that a provider id names; `undefined` for another provider's. */
export const instanceIdOf = (providerId: string): string | undefined =>
  /^[^:]*:\/\/\/.*\/(i-[0-9a-z]+)$/.exec(providerId)?.[1]

/** The zone that a provider id names. */
export const zoneOfProviderId = (providerId: string): string | undefined =>
  /^[^:]*:\/\/\/(.*)\/[^/]+$/.exec(providerId)?.[1]
