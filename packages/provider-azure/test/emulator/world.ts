import { defaultSizes, type Size } from './sizes.ts'

/** A resource as ARM keeps it. */
export interface Resource {
  readonly id: string
  readonly name: string
  /** `Microsoft.Compute/virtualMachines`. */
  readonly type: string
  location?: string
  zones?: ReadonlyArray<string>
  tags: Readonly<Record<string, string>>
  identity?: unknown
  properties: Record<string, unknown>
  readonly createdAtMs: number
  /** When its creation, or the last change, is done. */
  doneAtMs: number
  /** Set: it is on its way out. */
  deletedAtMs?: number
  /** How its creation will end, if not well. */
  failure?: ServiceError
}

export interface ServiceError {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly details?: ReadonlyArray<{ readonly code: string; readonly message: string; readonly target?: string }>
  readonly headers?: Readonly<Record<string, string>>
}

/** Launches that fail. What is left out matches everything. */
export interface LaunchFault {
  readonly size?: string
  readonly zone?: string
  readonly priority?: 'Spot' | 'Regular'
  /** `request`: refused; `operation`: accepted, and failed afterwards. */
  readonly phase: 'request' | 'operation'
  readonly error: ServiceError
  /** How many launches it meets; left out: all. */
  times?: number
}

/** An answer of an action in place of its own. */
export interface ActionFault {
  readonly error: ServiceError
  /** How many calls it meets; left out: all. */
  times?: number
  /** How many pass before. */
  skip?: number
  /** The call takes effect all the same. */
  readonly isAfter?: true
}

export interface WorldOptions {
  readonly location?: string
  readonly sizes?: ReadonlyArray<Size>
  readonly nowMs?: () => number
  /** How long creations and deletions take. */
  readonly operationMs?: number
  /** How far Resource Graph is behind. */
  readonly graphLagMs?: number
  /** vCPUs: of the region, of spot, and of families by name; a family left out has 350. */
  readonly quotas?: {
    readonly cores?: number
    readonly spot?: number
    readonly families?: Readonly<Record<string, number>>
  }
  /** Addresses of each subnet. */
  readonly subnetSize?: number
  readonly pageSize?: number
}

export interface Operation {
  readonly doneAtMs: number
  readonly error?: ServiceError
}

export const subscription = '00000000-0000-0000-0000-000000000001'
export const clusterGroup = 'cluster'
export const nodeGroup = 'MC_cluster_test_region'
export const managedCluster = 'test'
export const agentPool = 'machines'
/** The subnet that AKS made for nodes. */
export const networkOf = `/subscriptions/${subscription}/resourceGroups/${nodeGroup}/providers/Microsoft.Network`
export const subnetId = `${networkOf}/virtualNetworks/aks-vnet-12345678/subnets/aks-subnet`

/** The state behind the emulator: one subscription with one AKS cluster, its network and what is launched into it. */
export class World {
  readonly location: string
  readonly sizes: ReadonlyArray<Size>
  readonly nowMs: () => number
  readonly operationMs: number
  readonly graphLagMs: number
  readonly pageSize: number
  readonly subnetSize: number
  /** By id in lower case: ARM does not tell cases apart. */
  readonly resources = new Map<string, Resource>()
  /** Keys of what hangs below a resource, such as the extensions of a machine. */
  readonly #below = new Map<string, Set<string>>()
  /** What is gone, for a Resource Graph that has not noticed yet. */
  readonly #gone = new Map<string, Resource>()
  readonly operations = new Map<string, Operation>()
  readonly launchFaults: Array<LaunchFault> = []
  /** How the extensions that are made from now on end, if not well. */
  extensionFailure: ServiceError | undefined
  /** Answers of single actions, in place of theirs: `Microsoft.Compute/virtualMachines/read`. */
  readonly actionFaults = new Map<string, ActionFault>()
  /** Refusals of batches do not say which of their machines they are about. */
  hidesBatchDetails = false
  /** Actions that the caller's role allows; unset: all. */
  allowedActions: ReadonlySet<string> | undefined
  #quotas: NonNullable<WorldOptions['quotas']>
  #operationCount = 0
  /** When the next deletion ends. */
  #nextEndMs = Infinity

  constructor(options: WorldOptions = {}) {
    this.location = options.location ?? 'westeurope'
    this.sizes = options.sizes ?? defaultSizes
    this.nowMs = options.nowMs ?? Date.now
    this.operationMs = options.operationMs ?? 20
    this.graphLagMs = options.graphLagMs ?? 0
    this.pageSize = options.pageSize ?? 5
    this.subnetSize = options.subnetSize ?? 4000
    this.#quotas = options.quotas ?? {}
    this.#furnish()
  }

  /** What is there now, whatever it is. */
  all(): ReadonlyArray<Resource> {
    this.#sweep()
    return [...this.resources.values()]
  }

  /** From now on the family may have so many vCPUs. */
  setQuota(family: string, limit: number): void {
    this.#quotas = { ...this.#quotas, families: { ...this.#quotas.families, [family]: limit } }
  }

  get(id: string): Resource | undefined {
    this.#sweep()
    return this.resources.get(id.toLowerCase())
  }

  /** Resources of a type in a group, those that are being deleted included. */
  list(group: string, type: string): ReadonlyArray<Resource> {
    this.#sweep()
    const prefix = `/subscriptions/${subscription}/resourcegroups/${group}/`.toLowerCase()
    return [...this.resources.values()].filter(
      (one) => one.type.toLowerCase() === type.toLowerCase() && one.id.toLowerCase().startsWith(prefix),
    )
  }

  /** As Resource Graph sees it: some time ago. */
  graph(type: string): ReadonlyArray<Resource> {
    this.#sweep()
    const seenMs = this.nowMs() - this.graphLagMs
    return [...this.resources.values(), ...this.#gone.values()].filter(
      (one) =>
        one.type.toLowerCase() === type.toLowerCase() &&
        one.createdAtMs <= seenMs &&
        (one.deletedAtMs === undefined || one.deletedAtMs > seenMs),
    )
  }

  put(resource: Omit<Resource, 'createdAtMs' | 'doneAtMs'> & { readonly doneAtMs?: number }): Resource {
    const now = this.nowMs()
    const known = this.resources.get(resource.id.toLowerCase())
    const made = { createdAtMs: known?.createdAtMs ?? now, doneAtMs: now, ...resource }
    const key = resource.id.toLowerCase()
    this.resources.set(key, made)
    const above = key.replace(/\/[^/]+\/[^/]+$/, '')
    if (this.resources.has(above)) this.#below.set(above, (this.#below.get(above) ?? new Set()).add(key))
    return made
  }

  /** What hangs below a resource. */
  below(resource: Resource): ReadonlyArray<Resource> {
    return [...(this.#below.get(resource.id.toLowerCase()) ?? [])].flatMap((key) => this.resources.get(key) ?? [])
  }

  /** Begins a deletion that takes its time; at the end what hangs on the resource by `deleteOption: Delete` goes too. */
  remove(resource: Resource, afterMs = this.operationMs): void {
    resource.deletedAtMs ??= this.nowMs() + afterMs
    this.#nextEndMs = Math.min(this.#nextEndMs, resource.deletedAtMs)
  }

  /** The id of an operation that ends when the work is done. */
  begin(error?: ServiceError): string {
    const id = `op-${++this.#operationCount}`
    const doneAtMs = this.nowMs() + this.operationMs
    this.operations.set(id, error === undefined ? { doneAtMs } : { doneAtMs, error })
    return id
  }

  stateOf(resource: Resource): string {
    const now = this.nowMs()
    if (resource.deletedAtMs !== undefined) return 'Deleting'
    if (now < resource.doneAtMs) return 'Creating'
    return resource.failure === undefined ? 'Succeeded' : 'Failed'
  }

  /** The fault that a launch meets, used up by it. */
  faultOf(size: string, zone: string | undefined, priority: string): LaunchFault | undefined {
    const fault = this.launchFaults.find(
      (one) =>
        (one.size === undefined || one.size === size) &&
        (one.zone === undefined || one.zone === zone) &&
        (one.priority === undefined || one.priority === priority) &&
        one.times !== 0,
    )
    if (fault?.times !== undefined) fault.times -= 1
    return fault
  }

  /** Use and limit of the region, of spot and of each family, in vCPUs. */
  usages(): ReadonlyArray<{ readonly name: string; readonly used: number; readonly limit: number }> {
    const used = new Map<string, number>()
    const use = (name: string, vCPUs: number) => used.set(name, (used.get(name) ?? 0) + vCPUs)
    for (const one of this.resources.values()) {
      const size = this.#sizeOf(one)
      if (size === undefined) continue
      if (one.properties['priority'] === 'Spot') use('lowPriorityCores', size.vCPUs)
      else {
        use('cores', size.vCPUs)
        use(size.family, size.vCPUs)
      }
    }
    const families = [...new Set(this.sizes.map(({ family }) => family))]
    return [
      { name: 'cores', used: used.get('cores') ?? 0, limit: this.#quotas.cores ?? 10_000 },
      { name: 'lowPriorityCores', used: used.get('lowPriorityCores') ?? 0, limit: this.#quotas.spot ?? 10_000 },
      ...families.map((family) => ({
        name: family,
        used: used.get(family) ?? 0,
        limit: this.#quotas.families?.[family] ?? 5000,
      })),
    ]
  }

  /** Why the quotas do not let one more machine in, in ARM's words. */
  quotaRefusal(size: Size, isSpot: boolean): ServiceError | undefined {
    const usages = new Map(this.usages().map((usage) => [usage.name, usage]))
    const exceeded = (name: string) => {
      const usage = usages.get(name)
      return usage !== undefined && usage.used + size.vCPUs > usage.limit ? usage : undefined
    }
    const numbers = ({ used, limit }: { readonly used: number; readonly limit: number }) =>
      `Current Limit: ${limit}, Current Usage: ${used}, Additional Required: ${size.vCPUs}`
    const refuse = (what: string, usage: { readonly used: number; readonly limit: number }): ServiceError => ({
      status: 409,
      code: 'OperationNotAllowed',
      message: `Operation could not be completed as it results in exceeding approved ${what} quota. Additional details - Deployment Model: Resource Manager, Location: ${this.location}, ${numbers(usage)}`,
    })
    if (isSpot) {
      const spot = exceeded('lowPriorityCores')
      return spot && refuse('LowPriorityCores', spot)
    }
    const family = exceeded(size.family)
    if (family !== undefined) return refuse(`${size.family} Cores`.replace(/Family Cores$/, ' Family Cores'), family)
    const region = exceeded('cores')
    return region && refuse('Total Regional Cores', region)
  }

  /** Free addresses of a subnet. */
  freeAddresses(subnetId: string): number {
    const taken = [...this.resources.values()]
      .filter(({ type }) => type === 'Microsoft.Network/networkInterfaces')
      .flatMap(({ properties }) => (properties['ipConfigurations'] ?? []) as ReadonlyArray<IpConfiguration>)
      .filter(({ properties }) => properties.subnet?.id.toLowerCase() === subnetId.toLowerCase()).length
    return this.subnetSize - taken
  }

  #sizeOf({ type, properties }: Resource): Size | undefined {
    const hardware = (
      type === 'Microsoft.Compute/virtualMachines'
        ? properties['hardwareProfile']
        : type === machineType
          ? properties['hardware']
          : undefined
    ) as { readonly vmSize?: string } | undefined
    return hardware && this.sizes.find(({ name }) => name === hardware.vmSize)
  }

  // Deletions end by the clock, whoever looks next.
  #sweep(): void {
    const now = this.nowMs()
    if (now < this.#nextEndMs) return
    this.#nextEndMs = Infinity
    for (const [key, resource] of this.resources) {
      if (resource.deletedAtMs === undefined) continue
      if (resource.deletedAtMs > now) {
        this.#nextEndMs = Math.min(this.#nextEndMs, resource.deletedAtMs)
        continue
      }
      this.resources.delete(key)
      this.#gone.set(key, resource)
      for (const id of attachmentsOf(resource)) {
        const attached = this.resources.get(id.toLowerCase())
        if (attached === undefined) continue
        this.resources.delete(id.toLowerCase())
        this.#gone.set(id.toLowerCase(), { ...attached, deletedAtMs: now })
      }
      for (const child of this.#below.get(key) ?? []) this.resources.delete(child)
      this.#below.delete(key)
    }
  }

  #furnish(): void {
    const base = (group: string) => `/subscriptions/${subscription}/resourceGroups/${group}/providers`
    const add = (group: string, type: string, name: string, properties: Record<string, unknown>) =>
      this.put({ id: `${base(group)}/${type}/${name}`, name, type, location: this.location, tags: {}, properties })
    const subnet = {
      id: subnetId,
      name: 'aks-subnet',
      properties: { addressPrefix: '10.224.0.0/16' },
    }
    add(nodeGroup, 'Microsoft.Network/virtualNetworks', 'aks-vnet-12345678', {
      resourceGuid: 'a519e60a-cac0-40b2-b883-084477fe6f5c',
      subnets: [subnet],
    })
    const pool = (balancer: string, name: string) => ({
      id: `${base(nodeGroup)}/Microsoft.Network/loadBalancers/${balancer}/backendAddressPools/${name}`,
      name,
      properties: { loadBalancerBackendAddresses: [] },
    })
    add(nodeGroup, 'Microsoft.Network/loadBalancers', 'kubernetes', {
      backendAddressPools: [pool('kubernetes', 'aksOutboundBackendPool'), pool('kubernetes', 'kubernetes')],
    })
    add(nodeGroup, 'Microsoft.Network/networkSecurityGroups', 'aks-agentpool-12345678-nsg', {})
    add(clusterGroup, 'Microsoft.ContainerService/managedClusters', managedCluster, {})
    this.put({
      id: `${base(clusterGroup)}/Microsoft.ContainerService/managedClusters/${managedCluster}/agentPools/${agentPool}`,
      name: agentPool,
      type: 'Microsoft.ContainerService/managedClusters/agentPools',
      tags: {},
      properties: { mode: 'Machines' },
    })
  }
}

export const machineType = 'Microsoft.ContainerService/managedClusters/agentPools/machines'

export interface IpConfiguration {
  readonly name: string
  readonly properties: {
    readonly subnet?: { readonly id: string }
    readonly primary?: boolean
    readonly loadBalancerBackendAddressPools?: ReadonlyArray<{ readonly id: string }>
  }
}

/** Ids of what goes with a machine: its NIC and its disk where they say so. */
const attachmentsOf = ({ type, id, properties }: Resource): ReadonlyArray<string> => {
  if (type !== 'Microsoft.Compute/virtualMachines') return []
  const { networkInterfaces = [] } = (properties['networkProfile'] ?? {}) as {
    readonly networkInterfaces?: ReadonlyArray<{
      readonly id: string
      readonly properties?: { readonly deleteOption?: string }
    }>
  }
  const { osDisk } = (properties['storageProfile'] ?? {}) as {
    readonly osDisk?: { readonly name?: string; readonly deleteOption?: string }
  }
  const disks = osDisk?.deleteOption === 'Delete' ? [diskIdOf(id, osDisk.name ?? '')] : []
  const interfaces = networkInterfaces.filter(({ properties: how }) => how?.deleteOption === 'Delete')
  return [...interfaces.map((one) => one.id), ...disks]
}

export const diskIdOf = (machineId: string, name: string): string =>
  machineId.replace(/virtualMachines\/[^/]+$/i, `disks/${name}`)
