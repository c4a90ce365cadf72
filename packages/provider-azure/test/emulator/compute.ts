import { randomUUID } from 'node:crypto'
import { accepted, inGroup, notFound, paged, refused, route, shown, type Route } from './route.ts'
import { skuOf } from './sizes.ts'
import { diskIdOf, type Resource, type ServiceError, type World } from './world.ts'

const machines = 'Microsoft.Compute/virtualMachines'

interface MachineProperties {
  readonly hardwareProfile?: { readonly vmSize?: string }
  readonly priority?: string
  readonly osProfile?: Readonly<Record<string, unknown>>
  readonly storageProfile?: { readonly osDisk?: { readonly name?: string } }
  readonly networkProfile?: { readonly networkInterfaces?: ReadonlyArray<{ readonly id: string }> }
}

/** Sizes, quotas, virtual machines and their extensions. */
export const computeRoutes: ReadonlyArray<Route> = [
  route(
    'GET',
    '/subscriptions/{subscription}/providers/Microsoft.Compute/skus',
    'Microsoft.Compute/skus/read',
    (request, world) =>
      paged(
        request,
        world.sizes.map((size) => skuOf(size, world.location)),
        world.pageSize,
      ),
  ),
  route(
    'GET',
    '/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}/usages',
    'Microsoft.Compute/locations/usages/read',
    (request, world) =>
      paged(
        request,
        world.usages().map(({ name, used, limit }) => ({
          unit: 'Count',
          currentValue: used,
          limit,
          name: { value: name, localizedValue: name },
        })),
        world.pageSize,
      ),
  ),
  route(
    'GET',
    '/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}/communityGalleries/{gallery}/images/{image}/versions',
    'Microsoft.Compute/locations/communityGalleries/images/versions/read',
    (request, world) =>
      paged(
        request,
        ['202509.01.0', '202510.15.0', '202511.11.0'].map((name, index) => ({
          name,
          location: world.location,
          properties: {
            publishedDate: `2025-${String(9 + index).padStart(2, '0')}-15T00:00:00Z`,
            excludeFromLatest: false,
          },
        })),
        world.pageSize,
      ),
  ),
  route(
    'GET',
    inGroup('Microsoft.Compute/diskEncryptionSets/{name}'),
    'Microsoft.Compute/diskEncryptionSets/read',
    ({ path }, world, { name = '' }) => ({
      status: 200,
      body: { id: path, name, location: world.location, properties: {} },
    }),
  ),
  route('GET', inGroup(`${machines}/{name}`), `${machines}/read`, ({ path, query }, world) => {
    const machine = world.get(path)
    return machine === undefined
      ? notFound(path)
      : { status: 200, body: machineShown(world, machine, query.get('$expand')?.toLowerCase() === 'instanceview') }
  }),
  route('GET', inGroup(machines), `${machines}/read`, (request, world, { group = '' }) =>
    paged(
      request,
      world.list(group, machines).map((machine) => machineShown(world, machine)),
      world.pageSize,
    ),
  ),
  route('PUT', inGroup(`${machines}/{name}`), `${machines}/write`, (request, world, { name = '' }) => {
    const { path, body } = request
    const properties = (body['properties'] ?? {}) as MachineProperties
    const zones = (body['zones'] ?? []) as ReadonlyArray<string>
    const known = world.get(path)
    if (known !== undefined && request.headers['if-none-match'] === '*')
      return refused({
        status: 412,
        code: 'PreconditionFailed',
        message: `There is a virtual machine ${name} already.`,
      })
    if (known !== undefined) {
      const changed = changedProperty(known, properties, zones)
      if (changed !== undefined)
        return refused({
          status: 409,
          code: 'PropertyChangeNotAllowed',
          message: `Changing property '${changed}' is not allowed.`,
          details: [{ code: 'PropertyChangeNotAllowed', message: changed, target: changed }],
        })
      return { status: 200, body: shown(world, known) }
    }
    const size = world.sizes.find((one) => one.name === properties.hardwareProfile?.vmSize)
    if (size === undefined)
      return refused({
        status: 400,
        code: 'InvalidParameter',
        message: `The value ${properties.hardwareProfile?.vmSize} provided for the VM size is not valid.`,
      })
    const priority = properties.priority ?? 'Regular'
    const absent = properties.networkProfile?.networkInterfaces?.find(({ id }) => world.get(id) === undefined)
    if (absent !== undefined)
      return refused({
        status: 404,
        code: 'NotFound',
        message: `The network interface ${absent.id} was not found.`,
      })
    const fault = world.faultOf(size.name, zones[0], priority)
    if (fault?.phase === 'request') return refused(fault.error)
    const quota = world.quotaRefusal(size, priority === 'Spot')
    if (quota !== undefined) return refused(quota)
    const { customData: _, ...osProfile } = properties.osProfile ?? {}
    const machine = world.put({
      id: path,
      name,
      type: machines,
      ...(typeof body['location'] === 'string' ? { location: body['location'] } : {}),
      zones,
      tags: (body['tags'] ?? {}) as Resource['tags'],
      identity: body['identity'],
      properties: {
        ...properties,
        priority,
        osProfile,
        // Kept for kubelets of tests, under a name that no answer of ARM has.
        bootData: properties.osProfile?.['customData'],
        vmId: randomUUID(),
        timeCreated: new Date(world.nowMs()).toISOString(),
      },
      doneAtMs: world.nowMs() + world.operationMs,
      ...(fault === undefined ? {} : { failure: fault.error }),
    })
    attach(world, machine, properties)
    return accepted(request, world, world.begin(fault?.error), 201, machineShown(world, machine))
  }),
  route('PATCH', inGroup(`${machines}/{name}`), `${machines}/write`, (request, world) => {
    const machine = world.get(request.path)
    if (machine === undefined) return notFound(request.path)
    // Tags are replaced, identities are added.
    if (request.body['tags'] !== undefined) machine.tags = request.body['tags'] as Resource['tags']
    if (request.body['identity'] !== undefined)
      machine.identity = mergedIdentity(machine.identity, request.body['identity'])
    return accepted(request, world, world.begin(), 200, machineShown(world, machine))
  }),
  route('DELETE', inGroup(`${machines}/{name}`), `${machines}/delete`, (request, world) => {
    const machine = world.get(request.path)
    if (machine === undefined) return { status: 204 }
    world.remove(machine)
    return accepted(request, world, world.begin(), 202)
  }),
  ...(['PUT', 'PATCH'] as const).map((method) =>
    route(
      method,
      inGroup(`${machines}/{machine}/extensions/{name}`),
      `${machines}/extensions/write`,
      (request, world, { machine = '', name = '' }) => {
        const { path, body } = request
        if (world.get(path.replace(/\/extensions\/.*$/i, '')) === undefined) return notFound(machine)
        if (method === 'PATCH' && world.get(path) === undefined) return notFound(path)
        const { protectedSettings: _, ...properties } = (body['properties'] ?? {}) as Record<string, unknown>
        const extension = world.put({
          id: path,
          name,
          type: `${machines}/extensions`,
          location: world.location,
          tags: (body['tags'] ?? {}) as Resource['tags'],
          properties: { ...world.get(path)?.properties, ...properties },
          doneAtMs: world.nowMs() + world.operationMs,
          ...(world.extensionFailure === undefined ? {} : { failure: world.extensionFailure }),
        })
        const operation = world.begin(world.extensionFailure)
        return accepted(request, world, operation, method === 'PUT' ? 201 : 200, shown(world, extension))
      },
    ),
  ),
]

// While an extension is being installed its machine is being updated, and fails with it.
const machineShown = (world: World, machine: Resource, withView = false) => {
  const seen = shown(world, machine)
  const { bootData: _, ...properties } = seen['properties'] as Record<string, unknown>
  const extensions = world.below(machine)
  const states = extensions.map((extension) => world.stateOf(extension))
  const own = world.stateOf(machine)
  const provisioningState =
    own !== 'Succeeded' ? own : states.includes('Failed') ? 'Failed' : states.includes('Creating') ? 'Updating' : own
  const failure = machine.failure ?? extensions.find((one) => one.failure !== undefined)?.failure
  const statuses =
    provisioningState === 'Failed' && failure !== undefined
      ? [{ code: `ProvisioningState/failed/${failure.code}`, level: 'Error', message: failure.message }]
      : [{ code: `ProvisioningState/${provisioningState.toLowerCase()}`, level: 'Info' }]
  return {
    ...seen,
    properties: { ...properties, provisioningState, ...(withView && { instanceView: { statuses } }) },
    ...(extensions.length > 0 && { resources: extensions.map(({ id }) => ({ id })) }),
  }
}

const changedProperty = (
  known: Resource,
  { hardwareProfile, priority, osProfile }: MachineProperties,
  zones: ReadonlyArray<string>,
): string | undefined => {
  const before = known.properties as MachineProperties & { readonly bootData?: unknown }
  if ((known.zones ?? []).join() !== zones.join()) return 'zones'
  if (before.hardwareProfile?.vmSize !== hardwareProfile?.vmSize) return 'hardwareProfile.vmSize'
  if (before.priority !== (priority ?? 'Regular')) return 'priority'
  if (before.bootData !== osProfile?.['customData']) return 'osProfile.customData'
  return undefined
}

// The disk is a resource of its own, and the NIC knows its machine.
const attach = (world: World, machine: Resource, properties: MachineProperties): void => {
  const diskName = properties.storageProfile?.osDisk?.name
  if (diskName !== undefined) {
    const { location, tags } = machine
    world.put({
      id: diskIdOf(machine.id, diskName),
      name: diskName,
      type: 'Microsoft.Compute/disks',
      ...(location === undefined ? {} : { location }),
      tags,
      properties: { managedBy: machine.id },
    })
  }
  for (const { id } of properties.networkProfile?.networkInterfaces ?? []) {
    const nic = world.get(id)
    if (nic !== undefined) nic.properties['virtualMachine'] = { id: machine.id }
  }
}

const mergedIdentity = (before: unknown, change: unknown): unknown => {
  const of = (identity: unknown) =>
    ((identity ?? {}) as { readonly userAssignedIdentities?: object }).userAssignedIdentities ?? {}
  return { ...(change as object), userAssignedIdentities: { ...of(before), ...of(change) } }
}

/** Errors of launches with the words of ARM, for tests that want one. */
export const launchErrors = {
  zonalAllocationFailed: {
    status: 409,
    code: 'ZonalAllocationFailed',
    message: 'Allocation failed. We do not have sufficient capacity for the requested VM size in this zone.',
  },
  allocationFailed: {
    status: 409,
    code: 'AllocationFailed',
    message: 'Allocation failed. We do not have sufficient capacity for the requested VM size in this region.',
  },
  overconstrained: {
    status: 409,
    code: 'OverconstrainedAllocationRequest',
    message:
      'Allocation failed. VM(s) with the following constraints cannot be allocated, because the condition is too restrictive.',
  },
  overconstrainedZonal: {
    status: 409,
    code: 'OverconstrainedZonalAllocationRequest',
    message: 'Allocation failed. VM(s) with the following constraints cannot be allocated in this zone.',
  },
  skuNotAvailable: {
    status: 409,
    code: 'SkuNotAvailable',
    message: 'The requested VM size for resource is currently not available in the location.',
  },
  throttled: {
    status: 429,
    code: 'TooManyRequests',
    message: 'The request is being throttled as the limit has been reached for operation type.',
    headers: { 'Retry-After': '1' },
  },
  policy: {
    status: 403,
    code: 'RequestDisallowedByPolicy',
    message: "Resource was disallowed by policy. Policy identifiers: 'no-public-images'.",
  },
} satisfies Readonly<Record<string, ServiceError>>
