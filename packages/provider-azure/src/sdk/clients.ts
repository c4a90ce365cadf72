import { ComputeManagementClient } from '@azure/arm-compute'
import { ContainerServiceClient } from '@azure/arm-containerservice'
import { NetworkManagementClient } from '@azure/arm-network'
import { ResourceGraphClient } from '@azure/arm-resourcegraph'
import {
  bearerTokenAuthenticationPolicy,
  createDefaultHttpClient,
  createHttpHeaders,
  createPipelineFromOptions,
  createPipelineRequest,
  type HttpMethods,
  type PipelineOptions,
} from '@azure/core-rest-pipeline'
import { CredentialUnavailableError, DefaultAzureCredential } from '@azure/identity'
import type { CancelSignal, JsonObject } from '@scantling/core'
import { withAbortSignal } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { NodeImageVersion } from '../image/index.ts'

import { priceListUrl, type RetailPrice } from '../pricing/index.ts'
import type { ArmError } from './arm-error.ts'
import { capped } from './capped-credential.ts'
import type { ConnectOptions, TokenSource } from './connect-options.ts'
import type { Accepted, AksMachine, AzureCall, AzurePorts, Named, OperationState } from './ports.ts'
import { armErrorOf, errorIn, type Answered } from './sdk-error.ts'

const publicEndpoint = 'https://management.azure.com'
// What the stable SDK does not have yet is asked for by hand.
const machinesVersion = '2026-02-02-preview'
const mostRetries = 3

/** What the SDKs tell of an answer, whichever of them it is. */
interface RawAnswer {
  readonly status: number
  readonly headers: Iterable<readonly [string, string]>
  readonly bodyAsText?: string | null
}

/** What a call is given to pass on: cancellation, headers, and the ear for the answer. */
interface CallOptions {
  readonly abortSignal: AbortSignal
  readonly onResponse: (raw: RawAnswer) => void
}

interface Poller {
  readonly submitted: () => Promise<void>
}

/**
 * The ports over the SDKs of Azure.
 *
 * Operations that go on after they were accepted are begun here and asked for by `operation`, not waited for: how long
 * to wait is the provider's to say, and what it waits for outlives the process.
 */
export const portsOverSdk = (options: ConnectOptions): AzurePorts => {
  const { subscriptionId, observe, nowMs } = options
  const credential = capped(options.credential ?? chainOf(options), nowMs)
  const endpoint = options.endpoint === '' ? publicEndpoint : options.endpoint
  const transport: PipelineOptions = {
    retryOptions: { maxRetries: mostRetries },
    userAgentOptions: { userAgentPrefix: options.userAgent },
    ...(options.trustedCa !== undefined && { tlsOptions: { ca: options.trustedCa } }),
  }
  const scope = options.scope === '' ? `${publicEndpoint}/.default` : options.scope
  const common = { ...transport, endpoint, credentials: { scopes: [scope] } }
  const compute = new ComputeManagementClient(credential, subscriptionId, common)
  const network = new NetworkManagementClient(credential, subscriptionId, common)
  const containers = new ContainerServiceClient(credential, subscriptionId, common)
  const graph = new ResourceGraphClient(credential, common)
  const httpClient = createDefaultHttpClient()
  const authorized = createPipelineFromOptions(transport)
  authorized.addPolicy(bearerTokenAuthenticationPolicy({ credential, scopes: scope }))
  const anonymous = createPipelineFromOptions(transport)
  const machines = `/subscriptions/${subscriptionId}/resourceGroups/${options.clusterResourceGroup}/providers/Microsoft.ContainerService/managedClusters/${options.clusterName}/agentPools/${options.machinesPool}`

  const call =
    <Input, Output>(
      action: string,
      run: (input: Input, call: CallOptions, answered: () => Answered | undefined) => Promise<Output>,
    ): AzureCall<Input, Output> =>
    (input, signal) =>
    async () => {
      const startedMs = nowMs()
      let last: Answered | undefined
      const onResponse = (raw: RawAnswer) => {
        last = { status: raw.status, headers: Object.fromEntries(raw.headers), text: raw.bodyAsText ?? '' }
      }
      const report = (code: string) => observe?.({ action, code, durationMs: nowMs() - startedMs })
      try {
        const output = await withAbortSignal(signal, (abortSignal) =>
          run(input, { abortSignal, onResponse }, () => last),
        )
        report(String(last?.status ?? 200))
        return E.right(output)
      } catch (thrown) {
        const error = armErrorOf(action, thrown, last)
        if (error === undefined) throw thrown
        report(error.code)
        return E.left(error)
      }
    }

  /** A call that goes on after it was accepted. `known` is what the answer need not say again. */
  const begin = <Input, A>(
    action: string,
    start: (input: Input, call: CallOptions) => unknown,
    known: (input: Input, raw: JsonObject) => A,
  ): AzureCall<Input, Accepted<A>> =>
    call(action, async (input, callOptions, answered) => {
      // A poller is a promise of the end as well; awaiting that one, or catching its errors, begins to poll.
      const poller = start(input, callOptions) as Poller
      await poller.submitted()
      return acceptedIn(answered(), (raw) => known(input, raw))
    })

  const list = <Input, A>(
    action: string,
    pages: (input: Input, call: CallOptions) => AsyncIterable<A>,
  ): AzureCall<Input, ReadonlyArray<A>> =>
    call(action, async (input, callOptions) => {
      const all: Array<A> = []
      for await (const one of pages(input, callOptions)) all.push(one)
      return all
    })

  /** A request by hand, for what the SDKs do not have. */
  const send =
    (
      action: string,
      request: { readonly method: HttpMethods; readonly url: string; readonly body?: unknown },
      signal: CancelSignal,
      {
        headers = {},
        isAnonymous = false,
      }: { readonly headers?: Record<string, string>; readonly isAnonymous?: boolean } = {},
    ): TaskEither<ArmError, Answered> =>
    async () => {
      const sent = await call<undefined, Answered>(action, async (_, { abortSignal, onResponse }) => {
        const answer = await (isAnonymous ? anonymous : authorized).sendRequest(
          httpClient,
          createPipelineRequest({
            method: request.method,
            url: request.url,
            abortSignal,
            ...(isAnonymous && request.url.startsWith('http:') && { allowInsecureConnection: true }),
            headers: createHttpHeaders({
              ...headers,
              ...(request.body !== undefined && { 'content-type': 'application/json' }),
            }),
            ...(request.body !== undefined && { body: JSON.stringify(request.body) }),
          }),
        )
        onResponse({ status: answer.status, headers: answer.headers, bodyAsText: answer.bodyAsText ?? '' })
        return { status: answer.status, headers: Object.fromEntries(answer.headers), text: answer.bodyAsText ?? '' }
      })(undefined, signal)()
      return E.isRight(sent) && sent.right.status >= 400 ? E.left(errorIn(action, sent.right)) : sent
    }

  /** All pages of a list that is asked for by hand. */
  const sendList =
    <A>(
      action: string,
      first: string,
      signal: CancelSignal,
      names: { readonly items: string; readonly next: string },
      isAnonymous = false,
    ): TaskEither<ArmError, ReadonlyArray<A>> =>
    async () => {
      const all: Array<A> = []
      for (let url: string | undefined = first; url !== undefined;) {
        const page = await send(action, { method: 'GET', url }, signal, { isAnonymous })()
        if (E.isLeft(page)) return page
        const body = JSON.parse(page.right.text) as Readonly<Record<string, unknown>>
        all.push(...((body[names.items] ?? []) as ReadonlyArray<A>))
        const next = body[names.next]
        url = typeof next === 'string' && next !== '' ? next : undefined
      }
      return E.right(all)
    }

  const versioned = (path: string) => `${endpoint}${path}?api-version=${machinesVersion}`
  const vm = 'Microsoft.Compute/virtualMachines'
  const nic = 'Microsoft.Network/networkInterfaces'
  const pool = 'Microsoft.ContainerService/managedClusters/agentPools'
  const auxiliary = async () => {
    try {
      const token = await options.auxiliaryToken?.()
      const headers = { 'x-ms-authorization-auxiliary': `Bearer ${token ?? ''}` }
      return E.right(token === undefined ? {} : { requestOptions: { headers } })
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause)
      return E.left<ArmError>({ action: `${vm}/write`, code: 'CredentialsMissing', message, phase: 'request', cause })
    }
  }

  return {
    compute: {
      getVm: call(`${vm}/read`, ({ resourceGroup, name, withInstanceView }, o) =>
        compute.virtualMachines.get(resourceGroup, name, {
          ...o,
          ...(withInstanceView === true && { expand: 'instanceView' }),
        }),
      ),
      putVm: (input, signal) => async () => {
        const found = await auxiliary()
        if (E.isLeft(found)) return found
        const more = found.right
        return begin<typeof input, (typeof input)['body']>(
          `${vm}/write`,
          ({ resourceGroup, name, body, onlyIfAbsent }, o) =>
            compute.virtualMachines.createOrUpdate(resourceGroup, name, body, {
              ...o,
              ...more,
              ...(onlyIfAbsent === true && { ifNoneMatch: '*' }),
            }),
          ({ body }, raw) => ({ ...body, ...identityIn(raw), ...createdIn(raw) }),
        )(input, signal)()
      },
      updateVm: begin(
        `${vm}/write`,
        ({ resourceGroup, name, body }, o) => compute.virtualMachines.update(resourceGroup, name, body, o),
        (_, raw) => ({ location: textIn(raw, 'location'), ...identityIn(raw), ...tagsIn(raw) }),
      ),
      deleteVm: begin(
        `${vm}/delete`,
        ({ resourceGroup, name }: Named, o) =>
          compute.virtualMachines.delete(resourceGroup, name, { ...o, forceDeletion: true }),
        () => undefined,
      ),
      listVms: list(`${vm}/read`, ({ resourceGroup }, o) => compute.virtualMachines.list(resourceGroup, o)),
      putExtension: begin(
        `${vm}/extensions/write`,
        ({ resourceGroup, name, extension, body }, o) =>
          compute.virtualMachineExtensions.createOrUpdate(resourceGroup, name, extension, body, o),
        ({ body }, raw) => ({ ...body, ...identityIn(raw), ...progressIn(raw) }),
      ),
      updateExtension: begin(
        `${vm}/extensions/write`,
        ({ resourceGroup, name, extension, body }, o) =>
          compute.virtualMachineExtensions.update(resourceGroup, name, extension, body, o),
        (_, raw) => ({ location: textIn(raw, 'location'), ...identityIn(raw), ...tagsIn(raw) }),
      ),
      listSkus: list('Microsoft.Compute/skus/read', ({ location }, o) =>
        compute.resourceSkus.list({ ...o, filter: `location eq '${location}'` }),
      ),
      listUsages: list('Microsoft.Compute/locations/usages/read', ({ location }, o) => compute.usage.list(location, o)),
      listCommunityImageVersions: list(
        'Microsoft.Compute/locations/communityGalleries/images/versions/read',
        ({ location, gallery, definition }, o) =>
          compute.communityGalleryImageVersions.list(location, gallery, definition, o),
      ),
      getDiskEncryptionSet: call('Microsoft.Compute/diskEncryptionSets/read', ({ resourceGroup, name }: Named, o) =>
        compute.diskEncryptionSets.get(resourceGroup, name, o),
      ),
    },
    network: {
      getNic: call(`${nic}/read`, ({ resourceGroup, name }: Named, o) =>
        network.networkInterfaces.get(resourceGroup, name, o),
      ),
      putNic: begin(
        `${nic}/write`,
        ({ resourceGroup, name, body }, o) => network.networkInterfaces.createOrUpdate(resourceGroup, name, body, o),
        ({ body }, raw) => ({ ...body, ...identityIn(raw), ...progressIn(raw) }),
      ),
      updateNicTags: call(`${nic}/write`, ({ resourceGroup, name, tags }, o) =>
        network.networkInterfaces.updateTags(resourceGroup, name, { tags }, o),
      ),
      deleteNic: begin(
        `${nic}/delete`,
        ({ resourceGroup, name }: Named, o) => network.networkInterfaces.delete(resourceGroup, name, o),
        () => undefined,
      ),
      listNics: list(`${nic}/read`, ({ resourceGroup }, o) => network.networkInterfaces.list(resourceGroup, o)),
      getSubnet: call('Microsoft.Network/virtualNetworks/subnets/read', ({ resourceGroup, name, subnet }, o) =>
        network.subnets.get(resourceGroup, name, subnet, o),
      ),
      getVnet: call('Microsoft.Network/virtualNetworks/read', ({ resourceGroup, name }: Named, o) =>
        network.virtualNetworks.get(resourceGroup, name, o),
      ),
      listLoadBalancers: list('Microsoft.Network/loadBalancers/read', ({ resourceGroup }, o) =>
        network.loadBalancers.list(resourceGroup, o),
      ),
      listSecurityGroups: list('Microsoft.Network/networkSecurityGroups/read', ({ resourceGroup }, o) =>
        network.networkSecurityGroups.list(resourceGroup, o),
      ),
    },
    containerService: {
      getMachine:
        ({ name }, signal) =>
        async () =>
          E.map(({ text }: Answered) => JSON.parse(text) as AksMachine)(
            await send(
              `${pool}/machines/read`,
              { method: 'GET', url: versioned(`${machines}/machines/${name}`) },
              signal,
            )(),
          ),
      listMachines: (_, signal) =>
        sendList(`${pool}/machines/read`, versioned(`${machines}/machines`), signal, {
          items: 'value',
          next: 'nextLink',
        }),
      putMachine:
        ({ name, body, ifMatch, batch }, signal) =>
        async () => {
          const url = versioned(`${machines}/machines/${name}`)
          const headers = {
            // Without it no spot machine could run what the cluster itself needs (Z-MACH-14).
            AllowSpotVMSystemNode: 'true',
            ...(ifMatch !== undefined && { 'If-Match': ifMatch }),
            ...(batch !== undefined && { BatchPutMachine: batch }),
          }
          const sent = await send(`${pool}/machines/write`, { method: 'PUT', url, body }, signal, { headers })()
          return E.map((answered: Answered) => acceptedIn(answered, (raw) => raw as unknown as AksMachine))(sent)
        },
      deleteMachines: begin(
        `${pool}/deleteMachines/action`,
        ({ names }, o) =>
          containers.agentPools.deleteMachines(
            options.clusterResourceGroup,
            options.clusterName,
            options.machinesPool,
            { machineNames: [...names] },
            o,
          ),
        () => undefined,
      ),
      listNodeImageVersions: ({ location }, signal) =>
        sendList<NodeImageVersion>(
          'Microsoft.ContainerService/locations/nodeImageVersions/read',
          versioned(
            `/subscriptions/${subscriptionId}/providers/Microsoft.ContainerService/locations/${location}/nodeImageVersions`,
          ),
          signal,
          { items: 'value', next: 'nextLink' },
        ),
    },
    resourceGraph: {
      query: call('Microsoft.ResourceGraph/resources/read', async ({ query }, o) => {
        const rows: Array<JsonObject> = []
        for (let skipToken: string | undefined, isFirst = true; isFirst || skipToken !== undefined; isFirst = false) {
          const page = await graph.resources(
            {
              subscriptions: [subscriptionId],
              query,
              options: { resultFormat: 'objectArray', ...(skipToken !== undefined && { skipToken }) },
            },
            o,
          )
          rows.push(...(page.data as ReadonlyArray<JsonObject>))
          skipToken = page.skipToken
        }
        return rows
      }),
    },
    others: {
      listPrices: ({ region }, signal) =>
        sendList<RetailPrice>(
          'retail prices',
          options.priceList === '' ? priceListUrl(region) : priceListUrl(region, options.priceList),
          signal,
          { items: 'Items', next: 'NextPageLink' },
          true,
        ),
      nodeBootstrapping:
        ({ path, body }, signal) =>
        async () => {
          const action = 'node bootstrapping'
          // By hand: the SDK gives no token to a service that is reached without TLS, as AKS' own is.
          const token = await call(action, (_, { abortSignal }) => credential.getToken(scope, { abortSignal }))(
            undefined,
            signal,
          )()
          if (E.isLeft(token)) return token
          const url = `${options.nodeBootstrappingUrl}${path}`
          const headers = { Authorization: `Bearer ${token.right?.token ?? ''}` }
          const sent = await send(action, { method: 'GET', url, body }, signal, { isAnonymous: true, headers })()
          if (E.isLeft(sent)) return sent
          return E.tryCatch(
            () => JSON.parse(sent.right.text) as unknown,
            (cause): ArmError => ({
              action,
              code: 'UnreadableAnswer',
              message: 'the answer is not JSON',
              phase: 'request',
              cause,
            }),
          )
        },
    },
    signIn: call('sign in', async (_, { abortSignal }) => {
      const token = await credential.getToken(scope, { abortSignal })
      if (token === null) throw new CredentialUnavailableError('No credential gives a token')
      return { expiresAtMs: token.expiresOnTimestamp }
    }),
    operation:
      ({ statusUrl, action }, signal) =>
      async () => {
        const sent = await send(action, { method: 'GET', url: statusUrl }, signal)()
        return E.isLeft(sent) ? sent : E.right(stateIn(action, sent.right))
      },
  }
}

/** Workload identity, managed identity, the tools of a developer: whatever there is (Z-AUTH-03). */
const chainOf = ({ tenantId = '', authorityHost, endpoint }: ConnectOptions): TokenSource =>
  new DefaultAzureCredential({
    ...(tenantId !== '' && { tenantId }),
    ...(authorityHost !== undefined && { authorityHost }),
    // Clouds of their own are on no list of authorities.
    ...(endpoint !== '' && !endpoint.startsWith(publicEndpoint) && { disableInstanceDiscovery: true }),
  }) as TokenSource

const acceptedIn = <A>(answered: Answered | undefined, resourceOf: (raw: JsonObject) => A): Accepted<A> => {
  const { status = 200, headers = {}, text = '' } = answered ?? {}
  const raw = text === '' ? {} : (JSON.parse(text) as JsonObject)
  const statusUrl = headers['azure-asyncoperation'] ?? (status === 202 ? headers['location'] : undefined)
  const seconds = Number(headers['retry-after'])
  return {
    resource: resourceOf(raw),
    ...(statusUrl !== undefined && { statusUrl }),
    ...(headers['retry-after'] !== undefined && Number.isFinite(seconds) && { retryAfterMs: seconds * 1000 }),
  }
}

/** How an operation stands, told in a body of its own or, where there is none, by the status alone. */
const stateIn = (action: string, answered: Answered): OperationState => {
  const { status, headers, text } = answered
  const body = text === '' ? {} : (JSON.parse(text) as { readonly status?: unknown })
  const seconds = Number(headers['retry-after'])
  const isFailed = body.status === 'Failed' || body.status === 'Canceled'
  if (isFailed) return { _tag: 'Failed', error: { ...errorIn(action, answered), phase: 'operation' } }
  const isRunning = body.status === undefined ? status === 202 : body.status !== 'Succeeded'
  if (!isRunning) return { _tag: 'Succeeded' }
  return {
    _tag: 'Running',
    ...(headers['retry-after'] !== undefined && Number.isFinite(seconds) && { retryAfterMs: seconds * 1000 }),
  }
}

const textIn = (raw: JsonObject, key: string): string => (typeof raw[key] === 'string' ? raw[key] : '')

const identityIn = (raw: JsonObject) => ({ id: textIn(raw, 'id'), name: textIn(raw, 'name') })

const tagsIn = (raw: JsonObject) => ({ tags: (raw['tags'] ?? {}) as Record<string, string> })

const progressIn = (raw: JsonObject) => {
  const { provisioningState } = (raw['properties'] ?? {}) as { readonly provisioningState?: string }
  return provisioningState === undefined ? {} : { provisioningState }
}

const createdIn = (raw: JsonObject) => {
  const { vmId, timeCreated } = (raw['properties'] ?? {}) as { readonly vmId?: string; readonly timeCreated?: string }
  return {
    ...(vmId !== undefined && { vmId }),
    ...(timeCreated !== undefined && { timeCreated: new Date(timeCreated) }),
  }
}
