import { createServer, type ServerResponse } from 'node:http'
import { systemClock } from '@scantling/provider-kit'
import { errorAnswer, type AwsAnswer } from './answer.ts'
import type { Backend } from './backend.ts'
import {
  describeCapacityReservations,
  describePlacementGroups,
  describeSpotPriceHistory,
  getManagedResource,
  getParameter,
  getProducts,
  imageParameters,
} from './described.ts'
import { emptyState, type AwsFault, type EmulatedState } from './emulated.ts'
import { createFleet, shownInstances, type Launched } from './fleet.ts'
import { listOf, readRequest, type AwsRequest } from './request.ts'
import { element, mapChildren, parseXml, renderXml, textOf, type Element } from './xml.ts'

/** The proxy in front of moto. */
export interface Proxy {
  readonly url: string
  readonly state: EmulatedState
  /** Calls so far, by action. */
  readonly calls: () => ReadonlyMap<string, number>
  /** What an instance would read as its user data. */
  readonly userDataOf: (instanceId: string) => string
  /** Called before a call goes on, as with what a test does at that moment. */
  readonly onCall: (listener: (action: string) => void) => void
  readonly stop: () => Promise<void>
}

const largestUserData = 16_384

/** Starts the proxy on a free port of this machine: it counts calls, adds what moto lacks, and lets the rest through. */
export const startProxy = async (backend: Backend): Promise<Proxy> => {
  const state = emptyState()
  const calls = new Map<string, number>()
  const launched = new Map<string, Launched>()
  const byToken = new Map<string, Promise<AwsAnswer>>()
  const userData = new Map<string, string>()
  const reservationOf = new Map<string, string>()
  let listener: (action: string) => void = () => undefined
  const catalogPages = new Map<string, Promise<Element>>()
  const images = imageParameters(backend)
  const isHidden = (id: string): boolean => {
    const known = launched.get(id)
    return known !== undefined && systemClock.nowMs() - known.atMs < state.hiddenForMs
  }

  const answer = async (request: AwsRequest): Promise<AwsAnswer | 'lost'> => {
    calls.set(request.action, (calls.get(request.action) ?? 0) + 1)
    listener(request.action)
    const fault = takeFault(state, request.action)
    if (fault === undefined) return answerWell(request)
    if (fault.after === true) {
      await answerWell(request)
      return 'lost'
    }
    return errorAnswer(request.service, fault.code, fault.message ?? `${request.action} was made to fail`, fault.status)
  }

  const answerWell = async (request: AwsRequest): Promise<AwsAnswer> => {
    const { parameters } = request
    switch (request.action) {
      case 'ec2:CreateFleet':
        return parameters.get('DryRun') === 'true'
          ? backend.forward(request)
          : once(request, parameters.get('ClientToken'))
      case 'ec2:DescribeInstances':
        return describeInstances(request)
      case 'ec2:TerminateInstances': {
        const hidden = listOf(parameters, 'InstanceId').find(isHidden)
        return hidden === undefined ? backend.forward(request) : noSuchInstance(hidden)
      }
      case 'ec2:DescribeInstanceTypes':
        return describeInstanceTypes(request)
      case 'ec2:CreateLaunchTemplate':
        return createLaunchTemplate(request)
      case 'ec2:CreateTags': {
        const unknown = listOf(parameters, 'ResourceId').find(
          (id) => id.startsWith('i-') && (isHidden(id) || !launched.has(id)),
        )
        return unknown === undefined ? backend.forward(request) : noSuchInstance(unknown)
      }
      case 'ec2:DescribeImages':
        return describeImages(request)
      case 'ec2:DescribePlacementGroups':
        return describePlacementGroups(request, state)
      case 'ec2:DescribeCapacityReservations':
        return describeCapacityReservations(request, state)
      case 'ec2:DescribeSpotPriceHistory':
        return describeSpotPriceHistory(request, backend, state, systemClock.nowMs())
      case 'pricing:GetProducts':
        return getProducts(request, backend, state)
      case 'ssm:GetParameter':
        return (await getParameter(request, images)) ?? backend.forward(request)
      case 'arc-zonal-shift:GetManagedResource':
        return getManagedResource(request, state)
      default:
        return backend.forward(request)
    }
  }

  /** A client token has one answer, also for callers who come while it is being made. */
  const once = (request: AwsRequest, token: string | null): Promise<AwsAnswer> => {
    const present = token === null ? undefined : byToken.get(token)
    if (present !== undefined) return present
    const making = createFleet(request, backend, state, systemClock.nowMs(), (name) => reservationOf.get(name)).then(
      (made) => {
        for (const one of made.launched) launched.set(one.id, one)
        // A fleet that got nothing is no reason to get nothing again.
        if (made.launched.length === 0 && token !== null) byToken.delete(token)
        return made.answer
      },
    )
    if (token !== null) byToken.set(token, making)
    return making
  }

  const describeInstances = async (request: AwsRequest): Promise<AwsAnswer> => {
    const hidden = listOf(request.parameters, 'InstanceId').find(isHidden)
    if (hidden !== undefined) return noSuchInstance(hidden)
    const plain = await backend.forward(request)
    const isChanged = state.hiddenForMs > 0 || state.capacityReservations.size > 0
    return plain.status !== 200 || !isChanged
      ? plain
      : { ...plain, body: renderXml(shownInstances(plain.body, launched, isHidden)) }
  }

  // moto gives all of its 1,263 types at once, and takes a second for it: asked once, and cut into pages here.
  const describeInstanceTypes = async (request: AwsRequest): Promise<AwsAnswer> => {
    const { parameters } = request
    if (parameters.get('DryRun') === 'true')
      return errorAnswer('ec2', 'DryRunOperation', 'Request would have succeeded, but DryRun flag is set')
    const size = Math.min(Number(parameters.get('MaxResults') ?? 100), 100, state.pageSize)
    const from = Number(parameters.get('NextToken') || 0)
    const query = new URLSearchParams(parameters)
    query.delete('NextToken')
    query.delete('MaxResults')
    const key = query.toString()
    const whole = catalogPages.get(key) ?? backend.forward(request, key).then(({ body }) => parseXml(body))
    catalogPages.set(key, whole)
    const root = await whole
    let count = 0
    const page = mapChildren(root, 'instanceTypeSet', (set) => {
      count = set.children.length
      return [{ ...set, children: set.children.slice(from, from + size) }]
    })
    const next = from + size < count ? [element('nextToken', from + size)] : []
    const body = renderXml({
      ...page,
      children: [...page.children.filter(({ name }) => name !== 'nextToken'), ...next],
    })
    return { status: 200, contentType: 'text/xml;charset=UTF-8', body }
  }

  const createLaunchTemplate = async (request: AwsRequest): Promise<AwsAnswer> => {
    const data = Buffer.from(request.parameters.get('LaunchTemplateData.UserData') ?? '', 'base64')
    const name = request.parameters.get('LaunchTemplateName') ?? ''
    userData.set(name, data.toString())
    const target = 'LaunchTemplateData.CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationId'
    const reservation = request.parameters.get(target)
    if (reservation !== null) reservationOf.set(name, reservation)
    return data.length > largestUserData
      ? errorAnswer('ec2', 'InvalidUserData.Malformed', `User data is limited to ${largestUserData} bytes`)
      : backend.forward(request)
  }

  const describeImages = async (request: AwsRequest): Promise<AwsAnswer> => {
    const plain = await backend.forward(request)
    if (plain.status !== 200) return plain
    const changed = mapChildren(parseXml(plain.body), 'imagesSet', (set) => [
      mapChildren(set, 'item', (image) => {
        const id = textOf(image, 'imageId')
        const deprecated = state.deprecations.get(id)
        const architecture = images.architectureOf(id)
        const kept = image.children.filter(({ name }) => name !== 'architecture' || architecture === undefined)
        return [
          {
            ...image,
            children: [
              ...kept,
              ...(architecture === undefined ? [] : [element('architecture', architecture)]),
              ...(deprecated === undefined ? [] : [element('deprecationTime', deprecated)]),
            ],
          },
        ]
      }),
    ])
    return { ...plain, body: renderXml(changed) }
  }

  const server = createServer((incoming, outgoing) => {
    void readRequest(incoming)
      .then(answer)
      .then((given) => (given === 'lost' ? incoming.socket.destroy() : write(outgoing, given)))
      .catch((bug: unknown) => {
        write(outgoing, { status: 500, contentType: 'text/plain', body: `The proxy failed: ${String(bug)}` })
      })
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    state,
    calls: () => new Map(calls),
    userDataOf: (id) => userData.get(launched.get(id)?.template ?? '') ?? '',
    onCall: (given) => {
      listener = given
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const noSuchInstance = (id: string): AwsAnswer =>
  errorAnswer('ec2', 'InvalidInstanceID.NotFound', `The instance ID '${id}' does not exist`)

const takeFault = (state: EmulatedState, action: string): AwsFault | undefined => {
  let hit: AwsFault | undefined
  state.faults = state.faults.flatMap((fault): ReadonlyArray<AwsFault> => {
    if (fault.action !== action || hit !== undefined) return [fault]
    if (fault.skip !== undefined && fault.skip > 0) return [{ ...fault, skip: fault.skip - 1 }]
    hit = fault
    const left = (fault.times ?? 1) - 1
    return left > 0 ? [{ ...fault, times: left }] : []
  })
  return hit
}

const write = (outgoing: ServerResponse, { status, contentType, body }: AwsAnswer): void => {
  outgoing.writeHead(status, { 'content-type': contentType, 'x-amzn-requestid': 'proxy' })
  outgoing.end(body)
}
