import { createHash } from 'node:crypto'
import { accepted, inGroup, notFound, paged, refused, route, type ArmRequest, type Route } from './route.ts'
import { machineType, nodeGroup, subscription, type Resource, type World } from './world.ts'

const pools = 'Microsoft.ContainerService/managedClusters/{cluster}/agentPools/{pool}'
const poolAction = 'Microsoft.ContainerService/managedClusters/agentPools'

interface Batch {
  readonly batchMachines: ReadonlyArray<{
    readonly machineName: string
    readonly zones: ReadonlyArray<string>
    readonly tags: Readonly<Record<string, string>>
  }>
}

interface MachineProperties {
  readonly hardware?: { readonly vmSize?: string }
  readonly priority?: string
  readonly tags?: Readonly<Record<string, string>>
  readonly nodeImageVersion?: string
}

/** Machines of an agent pool, and the versions of node images. */
export const containerServiceRoutes: ReadonlyArray<Route> = [
  route(
    'GET',
    '/subscriptions/{subscription}/providers/Microsoft.ContainerService/locations/{location}/nodeImageVersions',
    'Microsoft.ContainerService/locations/nodeImageVersions/read',
    (request, world) => paged(request, nodeImageVersions, world.pageSize),
  ),
  route('GET', inGroup(`${pools}/machines`), `${poolAction}/machines/read`, (request, world, { group = '' }) =>
    poolOf(request, world) === undefined
      ? notFound(request.path)
      : paged(
          request,
          world.list(group, machineType).map((machine) => machineShown(world, machine)),
          world.pageSize,
        ),
  ),
  route('GET', inGroup(`${pools}/machines/{name}`), `${poolAction}/machines/read`, ({ path }, world) => {
    const machine = world.get(path)
    return machine === undefined ? notFound(path) : { status: 200, body: machineShown(world, machine) }
  }),
  route('PUT', inGroup(`${pools}/machines/{name}`), `${poolAction}/machines/write`, (request, world, { name = '' }) => {
    if (poolOf(request, world) === undefined) return notFound(request.path)
    const known = world.get(request.path)
    const match = request.headers['if-match']
    if (known !== undefined && match !== undefined && match !== known.properties['eTag'])
      return refused({ status: 412, code: 'PreconditionFailed', message: 'The etag does not match the machine.' })
    const header = request.headers['batchputmachine']
    if (header === undefined)
      return putMachine(request, world, name, (request.body['zones'] ?? []) as ReadonlyArray<string>)
    const { batchMachines } = JSON.parse(header) as Batch
    const failures = batchMachines.flatMap(({ machineName, zones, tags }) => {
      const path = request.path.replace(/[^/]+$/, machineName)
      const properties = { ...(request.body['properties'] as MachineProperties), tags }
      const { status, body } = putMachine({ ...request, path, body: { properties, zones } }, world, machineName, zones)
      const { error } = (body ?? {}) as { readonly error?: { readonly code: string; readonly message: string } }
      return status < 400 || error === undefined ? [] : [{ ...error, target: machineName }]
    })
    if (failures.length > 0)
      return refused({
        status: 400,
        code: 'BatchMachineClientError',
        message: `${failures.length} of ${batchMachines.length} machines were refused`,
        details: world.hidesBatchDetails ? [] : failures,
      })
    const first = world.get(request.path)
    return first === undefined
      ? notFound(request.path)
      : accepted(request, world, world.begin(), 201, machineShown(world, first))
  }),
  route('POST', inGroup(`${pools}/deleteMachines`), `${poolAction}/deleteMachines/action`, (request, world) => {
    if (poolOf(request, world) === undefined) return notFound(request.path)
    const names = (request.body['machineNames'] ?? []) as ReadonlyArray<string>
    const base = request.path.replace(/\/deleteMachines$/i, '/machines/')
    const machines = names.flatMap((name) => world.get(`${base}${name}`) ?? [])
    if (machines.length === 0)
      return refused({ status: 400, code: 'InvalidParameter', message: 'Cannot find any valid machines to delete.' })
    for (const machine of machines) world.remove(machine)
    return accepted(request, world, world.begin(), 202)
  }),
]

const nodeImageVersions = [
  ['AKSUbuntu', '2204gen2containerd'],
  ['AKSUbuntu', '2204containerd'],
  ['AKSUbuntu', '2204gen2arm64containerd'],
  ['AKSUbuntu', '2404gen2containerd'],
  ['AKSAzureLinux', 'V3gen2'],
].flatMap(([os = '', sku = '']) =>
  ['202510.15.0', '202511.11.0'].map((version) => ({ os, sku, version, fullName: `${os}-${sku}-${version}` })),
)

const poolOf = ({ path }: ArmRequest, world: World): Resource | undefined =>
  world.get(path.replace(/(\/agentPools\/[^/]+)\/.*$/i, '$1'))

const putMachine = (request: ArmRequest, world: World, name: string, zones: ReadonlyArray<string>) => {
  const { path, body } = request
  const properties = (body['properties'] ?? {}) as MachineProperties
  const known = world.get(path)
  const size = world.sizes.find((one) => one.name === properties.hardware?.vmSize)
  if (size === undefined)
    return refused({
      status: 400,
      code: 'VMSizeNotSupported',
      message: `The VM size of ${properties.hardware?.vmSize} is not allowed in your subscription in location '${world.location}'.`,
    })
  if (known !== undefined && (known.properties as MachineProperties).hardware?.vmSize !== size.name)
    return refused({ status: 400, code: 'PropertyChangeNotAllowed', message: 'hardware.vmSize is immutable' })
  const priority = properties.priority ?? 'Regular'
  const fault = known === undefined ? world.faultOf(size.name, zones[0], priority) : undefined
  if (fault?.phase === 'request') return refused(fault.error)
  const quota = known === undefined ? world.quotaRefusal(size, priority === 'Spot') : undefined
  const failure = quota ?? fault?.error
  const made = world.put({
    id: path,
    name,
    type: machineType,
    zones,
    tags: {},
    properties: {
      ...properties,
      nodeImageVersion: properties.nodeImageVersion ?? 'AKSUbuntu-2204gen2containerd-202511.11.0',
      eTag: etagOf({ ...properties, at: world.nowMs() }),
      resourceId: machineIdOf(path, name),
      creationTimestamp: known?.properties['creationTimestamp'] ?? new Date(world.nowMs()).toISOString(),
    },
    doneAtMs: known === undefined ? world.nowMs() + world.operationMs : world.nowMs(),
    ...(failure === undefined ? {} : { failure }),
  })
  return accepted(request, world, world.begin(failure), known === undefined ? 201 : 200, machineShown(world, made))
}

const machineShown = (world: World, machine: Resource) => {
  const { creationTimestamp, priority, ...properties } = machine.properties
  const { failure } = machine
  const isOver = failure !== undefined && world.stateOf(machine) === 'Failed'
  return {
    id: machine.id,
    name: machine.name,
    ...(machine.zones === undefined || machine.zones.length === 0 ? {} : { zones: machine.zones }),
    properties: {
      ...properties,
      // As on the wire: what is regular is not said.
      ...(priority === 'Spot' ? { priority } : {}),
      provisioningState: world.stateOf(machine),
      status: {
        creationTimestamp,
        vmState: 'Running',
        ...(isOver
          ? {
              provisioningError: {
                code: 'VMExtensionProvisioningError',
                message: 'The machine could not be provisioned',
                details: [{ code: failure.code, message: failure.message }],
              },
            }
          : {}),
      },
    },
  }
}

const machineIdOf = (path: string, name: string): string => {
  const [, pool = ''] = /\/agentPools\/([^/]+)\//i.exec(path) ?? []
  const suffix = createHash('sha256').update(path).digest('hex').slice(0, 8)
  return `/subscriptions/${subscription}/resourceGroups/${nodeGroup}/providers/Microsoft.Compute/virtualMachines/aks-${pool}-${name}-${suffix}-vm`
}

const etagOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16)
