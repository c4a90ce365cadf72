import type { CancelSignal, JsonObject } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Accepted, AksMachine, ArmError, AzureCall, AzurePorts, Named } from '../../src/sdk/index.ts'
import { errorIn } from '../../src/sdk/sdk-error.ts'
import { agentPool, clusterGroup, handle, managedCluster, subscription, type World } from '../emulator/index.ts'

/** One call of a port: what was asked, and how it was answered. */
export interface PortCall {
  readonly method: string
  readonly action: string
  readonly path: string
  readonly body: JsonObject
  readonly code: string
}

/**
 * What becomes of an effect: it happens and is answered, it is refused, it happens and its answer is lost, or the caller
 * is dead before.
 */
export type Fate = 'pass' | 'fail' | 'lost' | 'dead'

export interface FakeAzure {
  readonly ports: AzurePorts
  readonly world: World
  readonly calls: ReadonlyArray<PortCall>
  /** How often each method and action was called. */
  readonly tally: () => Readonly<Record<string, number>>
  /** Decides about each effect; the first is number 1. */
  fateOf: (effect: { readonly action: string; readonly number: number }) => Fate
}

type Body = Readonly<Record<string, unknown>>

const never = new Promise<never>(() => undefined)

/** The emulator's world behind the ports, without SDK, sockets or waiting. Answers come a turn of the loop later. */
export const fakeAzure = (world: World): FakeAzure => {
  const calls: Array<PortCall> = []
  let effects = 0
  const origin = 'https://arm.test'

  const send =
    <A>(
      method: string,
      path: string,
      signal: CancelSignal,
      options: {
        readonly body?: unknown
        readonly headers?: Readonly<Record<string, string>>
        readonly as: (answer: { readonly body: JsonObject; readonly headers: Readonly<Record<string, string>> }) => A
        readonly action: string
      },
    ): TaskEither<ArmError, A> =>
    async () => {
      const failed = (code: string, status?: number): ArmError => ({
        action: options.action,
        code,
        message: `${options.action}: ${code}`,
        phase: 'request',
        ...(status !== undefined && { status }),
      })
      if (signal.aborted) return E.left(failed('Cancelled'))
      const isEffect = method !== 'GET' && !path.includes('ResourceGraph')
      const fate = isEffect
        ? fake.fateOf({ action: options.action, number: ++effects })
        : fake.fateOf({ action: '', number: 0 })
      if (fate === 'dead') return never
      if (fate === 'fail') return E.left(failed('InternalServerError', 500))
      const [pathname = '', search = ''] = path.split('?')
      const { action, answer } = handle(
        {
          method,
          path: pathname,
          query: new URLSearchParams(search),
          headers: options.headers ?? {},
          body: JSON.parse(JSON.stringify(options.body ?? {})) as Body,
          origin,
        },
        world,
      )
      const headers = Object.fromEntries(
        Object.entries(answer.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
      )
      const text = answer.body === undefined ? '' : JSON.stringify(answer.body)
      const error = answer.status >= 400 ? errorIn(options.action, { status: answer.status, headers, text }) : undefined
      const body = (options.body ?? {}) as JsonObject
      calls.push({ method, action, path, body, code: error?.code ?? String(answer.status) })
      if (fate === 'lost') return never
      await Promise.resolve()
      if (error !== undefined) return E.left(error)
      return E.right(options.as({ body: (text === '' ? {} : JSON.parse(text)) as JsonObject, headers }))
    }

  const read =
    <Input, A>(action: string, pathOf: (input: Input) => string): AzureCall<Input, A> =>
    (input, signal) =>
      send('GET', pathOf(input), signal, { action, as: ({ body }) => flat(body) as A })
  const list =
    <Input, A>(action: string, pathOf: (input: Input) => string, items = 'value'): AzureCall<Input, ReadonlyArray<A>> =>
    (input, signal) =>
    async () => {
      const all: Array<A> = []
      for (let url = pathOf(input); url !== '';) {
        const page = await send('GET', url, signal, { action, as: ({ body }) => body })()
        if (E.isLeft(page)) return page
        all.push(...((page.right[items] ?? []) as unknown as ReadonlyArray<JsonObject>).map((one) => flat(one) as A))
        url = String(page.right['nextLink'] ?? page.right['NextPageLink'] ?? '').replace(origin, '')
      }
      return E.right(all)
    }
  const begin =
    <Input, A>(
      method: string,
      action: string,
      pathOf: (input: NoInfer<Input>) => string,
      bodyOf: (input: NoInfer<Input>) => unknown = () => undefined,
      headersOf: (input: NoInfer<Input>) => Readonly<Record<string, string>> = () => ({}),
    ): AzureCall<Input, Accepted<A>> =>
    (input, signal) =>
      send(method, pathOf(input), signal, {
        action,
        body: bodyOf(input),
        headers: headersOf(input),
        as: ({ body, headers }) => ({
          resource: flat(body) as A,
          ...(headers['azure-asyncoperation'] !== undefined && { statusUrl: headers['azure-asyncoperation'] }),
        }),
      })

  const inSubscription = `/subscriptions/${subscription}/providers`
  const inGroup = (group: string) => `/subscriptions/${subscription}/resourceGroups/${group}/providers`
  const vms = 'Microsoft.Compute/virtualMachines'
  const nics = 'Microsoft.Network/networkInterfaces'
  const pools = 'Microsoft.ContainerService/managedClusters/agentPools'
  const pool = `${inGroup(clusterGroup)}/Microsoft.ContainerService/managedClusters/${managedCluster}/agentPools/${agentPool}`
  const resource =
    (type: string) =>
    ({ resourceGroup, name }: Named) =>
      `${inGroup(resourceGroup)}/${type}/${name}`
  const inLocation = (location: string) => `${inSubscription}/Microsoft.Compute/locations/${location}`
  const extension = (input: Named & { readonly extension: string }) =>
    `${resource(vms)(input)}/extensions/${input.extension}`

  const ports: AzurePorts = {
    compute: {
      getVm: read(
        `${vms}/read`,
        (input) => `${resource(vms)(input)}${input.withInstanceView ? '?$expand=instanceView' : ''}`,
      ),
      putVm: begin(
        'PUT',
        `${vms}/write`,
        resource(vms),
        ({ body: { networkProfile, ...body } }) =>
          nested({
            ...body,
            networkProfile: {
              networkInterfaces: networkProfile?.networkInterfaces?.map(({ id, ...properties }) => ({
                id,
                properties,
              })),
            },
          }),
        ({ onlyIfAbsent }) => (onlyIfAbsent === true ? { 'if-none-match': '*' } : {}),
      ),
      updateVm: begin('PATCH', `${vms}/write`, resource(vms), ({ body }) => nested(body)),
      deleteVm: begin('DELETE', `${vms}/delete`, (input) => `${resource(vms)(input)}?forceDeletion=true`),
      listVms: list(`${vms}/read`, ({ resourceGroup }) => `${inGroup(resourceGroup)}/${vms}`),
      putExtension: begin('PUT', `${vms}/extensions/write`, extension, ({ body }) => nested(body)),
      updateExtension: begin('PATCH', `${vms}/extensions/write`, extension, ({ body }) => nested(body)),
      listSkus: list('Microsoft.Compute/skus/read', () => `${inSubscription}/Microsoft.Compute/skus`),
      listUsages: list('Microsoft.Compute/locations/usages/read', ({ location }) => `${inLocation(location)}/usages`),
      listCommunityImageVersions: (input, signal) => async () =>
        E.map((versions: ReadonlyArray<{ readonly publishedDate?: unknown }>) =>
          versions.map((one) => ({ ...one, publishedDate: new Date(String(one.publishedDate)) }) as never),
        )(
          await list<typeof input, { readonly publishedDate?: unknown }>(
            'Microsoft.Compute/locations/communityGalleries/images/versions/read',
            ({ location, gallery, definition }) =>
              `${inLocation(location)}/communityGalleries/${gallery}/images/${definition}/versions`,
          )(input, signal)(),
        ),
      getDiskEncryptionSet: read(
        'Microsoft.Compute/diskEncryptionSets/read',
        resource('Microsoft.Compute/diskEncryptionSets'),
      ),
    },
    network: {
      getNic: read(`${nics}/read`, resource(nics)),
      putNic: begin('PUT', `${nics}/write`, resource(nics), ({ body: { ipConfigurations = [], ...body } }) =>
        nested({
          ...body,
          ipConfigurations: ipConfigurations.map(({ name, ...properties }) => ({ name, properties })),
        }),
      ),
      updateNicTags: (input, signal) =>
        send('PATCH', resource(nics)(input), signal, {
          action: `${nics}/write`,
          body: { tags: input.tags },
          as: ({ body }) => flat(body) as never,
        }),
      deleteNic: begin('DELETE', `${nics}/delete`, resource(nics)),
      listNics: list(`${nics}/read`, ({ resourceGroup }) => `${inGroup(resourceGroup)}/${nics}`),
      getSubnet: read(
        'Microsoft.Network/virtualNetworks/subnets/read',
        ({ resourceGroup, name, subnet }) =>
          `${inGroup(resourceGroup)}/Microsoft.Network/virtualNetworks/${name}/subnets/${subnet}`,
      ),
      getVnet: read('Microsoft.Network/virtualNetworks/read', resource('Microsoft.Network/virtualNetworks')),
      listLoadBalancers: list(
        'Microsoft.Network/loadBalancers/read',
        ({ resourceGroup }) => `${inGroup(resourceGroup)}/Microsoft.Network/loadBalancers`,
      ),
      listSecurityGroups: list(
        'Microsoft.Network/networkSecurityGroups/read',
        ({ resourceGroup }) => `${inGroup(resourceGroup)}/Microsoft.Network/networkSecurityGroups`,
      ),
    },
    containerService: {
      getMachine: (input, signal) =>
        send('GET', `${pool}/machines/${input.name}`, signal, {
          action: `${pools}/machines/read`,
          as: ({ body }) => body as never,
        }),
      listMachines: (_, signal) => async () => {
        const all: Array<AksMachine> = []
        for (let url = `${pool}/machines`; url !== '';) {
          const page = await send('GET', url, signal, { action: `${pools}/machines/read`, as: ({ body }) => body })()
          if (E.isLeft(page)) return page
          all.push(...((page.right['value'] ?? []) as unknown as ReadonlyArray<AksMachine>))
          url = String(page.right['nextLink'] ?? '').replace(origin, '')
        }
        return E.right(all)
      },
      putMachine: ({ name, body, ifMatch, batch }, signal) =>
        send('PUT', `${pool}/machines/${name}`, signal, {
          action: `${pools}/machines/write`,
          body,
          headers: {
            ...(ifMatch !== undefined && { 'if-match': ifMatch }),
            ...(batch !== undefined && { batchputmachine: batch }),
          },
          as: ({ body: made }) => ({ resource: made as never }),
        }),
      deleteMachines: begin(
        'POST',
        `${pools}/deleteMachines/action`,
        () => `${pool}/deleteMachines`,
        ({ names }) => ({ machineNames: names }),
      ),
      listNodeImageVersions: list(
        'Microsoft.ContainerService/locations/nodeImageVersions/read',
        ({ location }) => `${inSubscription}/Microsoft.ContainerService/locations/${location}/nodeImageVersions`,
      ),
    },
    resourceGraph: {
      query: ({ query }, signal) =>
        send('POST', '/providers/Microsoft.ResourceGraph/resources', signal, {
          action: 'Microsoft.ResourceGraph/resources/read',
          body: { subscriptions: [subscription], query },
          as: ({ body }) => body['data'] as never,
        }),
    },
    others: {
      listPrices: list('retail prices', () => '/api/retail/prices', 'Items'),
      nodeBootstrapping: () => async () =>
        E.left({ action: 'node bootstrapping', code: 'Unreachable', message: 'There is none', phase: 'request' }),
    },
    signIn: () => async () => E.right({ expiresAtMs: world.nowMs() + 3_600_000 }),
    operation: ({ statusUrl, action }, signal) =>
      send('GET', statusUrl.replace(origin, ''), signal, {
        action,
        as: ({ body }) => {
          const { status, error } = body as unknown as { readonly status: string; readonly error?: ArmError }
          if (status === 'Failed' && error !== undefined)
            return { _tag: 'Failed', error: { ...error, action, phase: 'operation' } }
          return status === 'Succeeded' ? { _tag: 'Succeeded' } : { _tag: 'Running' }
        },
      }),
  }
  const fake: FakeAzure = {
    ports,
    world,
    calls,
    tally: () => {
      const counts: Record<string, number> = {}
      for (const { method, action, path } of calls) {
        const name = `${method} ${action === '' ? path.replace(/.*\/(operations|token|prices).*/i, '$1') : action}`
        counts[name] = (counts[name] ?? 0) + 1
      }
      return counts
    },
    fateOf: () => 'pass',
  }
  return fake
}

/** As the SDKs have resources: `properties` are part of what they belong to. */
const flat = (value: unknown): unknown => {
  if (Array.isArray(value)) return (value as ReadonlyArray<unknown>).map(flat)
  if (typeof value !== 'object' || value === null) return value
  const { properties, ...rest } = value as Readonly<Record<string, unknown>>
  const own = Object.fromEntries(Object.entries(rest).map(([key, one]) => [key, flat(one)]))
  const inner = flat(properties) as Readonly<Record<string, unknown>> | undefined
  const { timeCreated } = (inner ?? {}) as { readonly timeCreated?: string }
  return { ...own, ...inner, ...(timeCreated !== undefined && { timeCreated: new Date(timeCreated) }) }
}

/** As ARM has them. */
const nested = (resource: object): Body => {
  const { location, zones, tags, identity, ...properties } = resource as Body
  return {
    ...(location !== undefined && { location }),
    ...(zones !== undefined && { zones }),
    ...(tags !== undefined && { tags }),
    ...(identity !== undefined && { identity }),
    properties,
  }
}
