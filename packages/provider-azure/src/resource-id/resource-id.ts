/** A resource as its ID names it. */
export interface ResourceId {
  readonly subscription: string
  readonly resourceGroup: string
  /** `Microsoft.Compute/virtualMachines`; parents and children joined by slashes. */
  readonly type: string
  /** The resource's own name, without those of its parents. */
  readonly name: string
}

/**
 * Reads the ID of a resource in a resource group; `undefined` for other text.
 *
 * @example
 * parseResourceId('/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm')?.name // => 'vm'
 */
export const parseResourceId = (text: string): ResourceId | undefined => {
  const [empty, subscriptions, subscription = '', groups, resourceGroup = '', providers, namespace = '', ...rest] =
    text.split('/')
  const isRight =
    empty === '' &&
    isSame(subscriptions ?? '', 'subscriptions') &&
    isSame(groups ?? '', 'resourceGroups') &&
    isSame(providers ?? '', 'providers') &&
    rest.length >= 2 &&
    rest.length % 2 === 0 &&
    [subscription, resourceGroup, namespace, ...rest].every((part) => part !== '')
  if (!isRight) return undefined
  const types = rest.filter((_, index) => index % 2 === 0)
  return { subscription, resourceGroup, type: [namespace, ...types].join('/'), name: rest[rest.length - 1] ?? '' }
}

/** Whether two parts of an ID, or two IDs, name the same thing: ARM pays no heed to case. */
export const isSame = (left: string, right: string): boolean => left.toLowerCase() === right.toLowerCase()
