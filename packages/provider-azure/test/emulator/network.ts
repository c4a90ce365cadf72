import { accepted, inGroup, notFound, paged, refused, route, shown, type Route } from './route.ts'
import type { IpConfiguration, Resource, World } from './world.ts'

const interfaces = 'Microsoft.Network/networkInterfaces'
const networks = 'Microsoft.Network/virtualNetworks'
// How long a NIC stays with a machine that failed to be made.
const reservedMs = 180_000

/** Networks, load balancers, security groups and network interfaces. */
export const networkRoutes: ReadonlyArray<Route> = [
  route('GET', inGroup(`${networks}/{name}`), `${networks}/read`, ({ path }, world) => found(world, path)),
  route(
    'GET',
    inGroup(`${networks}/{network}/subnets/{name}`),
    `${networks}/subnets/read`,
    ({ path }, world, parts) => {
      const network = world.get(path.replace(/\/subnets\/.*$/i, ''))
      const subnets = (network?.properties['subnets'] ?? []) as ReadonlyArray<{ readonly name: string }>
      const subnet = subnets.find(({ name }) => name.toLowerCase() === parts['name']?.toLowerCase())
      return subnet === undefined ? notFound(path) : { status: 200, body: subnet }
    },
  ),
  ...(['loadBalancers', 'networkSecurityGroups'] as const).map((type) =>
    route(
      'GET',
      inGroup(`Microsoft.Network/${type}`),
      `Microsoft.Network/${type}/read`,
      (request, world, { group = '' }) =>
        paged(
          request,
          world.list(group, `Microsoft.Network/${type}`).map((one) => shown(world, one)),
          world.pageSize,
        ),
    ),
  ),
  route('GET', inGroup(interfaces), `${interfaces}/read`, (request, world, { group = '' }) =>
    paged(
      request,
      world.list(group, interfaces).map((one) => shown(world, one)),
      world.pageSize,
    ),
  ),
  route('GET', inGroup(`${interfaces}/{name}`), `${interfaces}/read`, ({ path }, world) => found(world, path)),
  route('PUT', inGroup(`${interfaces}/{name}`), `${interfaces}/write`, (request, world, { name = '' }) => {
    const { path, body } = request
    const properties = (body['properties'] ?? {}) as { readonly ipConfigurations?: ReadonlyArray<IpConfiguration> }
    const configurations = properties.ipConfigurations ?? []
    for (const { properties: how } of configurations) {
      for (const { id } of how.loadBalancerBackendAddressPools ?? []) {
        if (!isKnownPool(world, id))
          return refused({
            status: 400,
            code: 'InvalidResourceReference',
            message: `Resource ${id} referenced by resource ${path} was not found.`,
          })
      }
    }
    const subnet = configurations[0]?.properties.subnet?.id ?? ''
    if (world.get(path) === undefined && world.freeAddresses(subnet) < configurations.length)
      return refused({
        status: 400,
        code: 'SubnetIsFull',
        message: `Subnet ${subnet} with address prefix 10.224.0.0/16 does not have enough capacity for ${configurations.length} IP addresses.`,
      })
    const nic = world.put({
      id: path,
      name,
      type: interfaces,
      ...(typeof body['location'] === 'string' ? { location: body['location'] } : {}),
      tags: (body['tags'] ?? {}) as Resource['tags'],
      properties: { ...properties, virtualMachine: world.get(path)?.properties['virtualMachine'] },
      doneAtMs: world.nowMs() + world.operationMs,
    })
    return accepted(request, world, world.begin(), 201, shown(world, nic))
  }),
  route('PATCH', inGroup(`${interfaces}/{name}`), `${interfaces}/write`, ({ path, body }, world) => {
    const nic = world.get(path)
    if (nic === undefined) return notFound(path)
    nic.tags = (body['tags'] ?? {}) as Resource['tags']
    return { status: 200, body: shown(world, nic) }
  }),
  route('DELETE', inGroup(`${interfaces}/{name}`), `${interfaces}/delete`, (request, world) => {
    const { path } = request
    const nic = world.get(path)
    if (nic === undefined) return { status: 204 }
    const owner = nic.properties['virtualMachine'] as { readonly id: string } | undefined
    const machine = owner === undefined ? undefined : world.get(owner.id)
    if (machine !== undefined && machine.deletedAtMs === undefined)
      return refused(
        machine.failure !== undefined && world.nowMs() < machine.createdAtMs + reservedMs
          ? {
              status: 400,
              code: 'NicReservedForAnotherVm',
              message: `Nic(s) in request is reserved for another Virtual Machine for 180 seconds. Please provide another nic(s) or retry after 180 seconds. Reserved VM: ${machine.id}`,
            }
          : {
              status: 400,
              code: 'NicInUse',
              message: `Network Interface ${path} is used by existing resource ${machine.id}.`,
            },
      )
    world.remove(nic)
    return accepted(request, world, world.begin(), 202)
  }),
]

const found = (world: World, path: string) => {
  const resource = world.get(path)
  return resource === undefined ? notFound(path) : { status: 200, body: shown(world, resource) }
}

const isKnownPool = (world: World, id: string): boolean => {
  const balancer = world.get(id.replace(/\/backendAddressPools\/.*$/i, ''))
  const pools = (balancer?.properties['backendAddressPools'] ?? []) as ReadonlyArray<{ readonly id: string }>
  return pools.some((pool) => pool.id.toLowerCase() === id.toLowerCase())
}
