import type { AwsError, AwsPorts } from '../../src/sdk/index.ts'
import { fakeEc2 } from './ec2.ts'
import type { FleetRefusal } from './fleet.ts'
import { operation, page, Refusal, type Switchboard } from './operation.ts'
import { makeWorld, type World } from './world.ts'

/** AWS in memory, behind the ports, with everything a test wants to see and to break. */
export interface FakeAws {
  readonly ports: AwsPorts
  readonly world: World
  readonly board: Switchboard
  /** Ways of buying that fleets tried in vain, in order. */
  readonly refusals: ReadonlyArray<FleetRefusal>
  /** Inputs of the calls of an action so far. */
  readonly inputsOf: <Input = Readonly<Record<string, unknown>>>(action: string) => ReadonlyArray<Input>
  /** Makes the next calls of an action fail. */
  readonly failNext: (action: string, ...errors: ReadonlyArray<Partial<AwsError> & { readonly code: string }>) => void
  /** Instances that are neither terminated nor about to be. */
  readonly running: () => ReadonlyArray<World['instances'][number]>
}

export const fakeAws = (overrides: Partial<World> = {}, nowMs: () => number = () => 0): FakeAws => {
  const world = makeWorld(overrides)
  const board: Switchboard = { calls: [], failures: new Map(), denied: new Set() }
  const refusals: Array<FleetRefusal> = []
  let count = 0
  const newId = (prefix: string) => `${prefix}-${(0x1000 + count++).toString(16).padStart(8, '0')}`
  const profile = (name: string | undefined) => {
    const found = world.profiles.find((one) => one.name === name)
    if (found === undefined) throw new Refusal('NoSuchEntity', `Instance Profile ${name ?? ''} cannot be found.`)
    return found
  }
  const profileAnswer = ({ name, path, roles, tags, createdAtMs }: World['profiles'][number]) => ({
    InstanceProfileName: name,
    InstanceProfileId: `id-${name}`,
    Path: path,
    Arn: `arn:aws:iam::123456789012:instance-profile${path}${name}`,
    CreateDate: new Date(createdAtMs),
    Roles: roles.map((RoleName) => ({
      RoleName,
      RoleId: RoleName,
      Arn: `arn:aws:iam::123456789012:role/${RoleName}`,
      Path: '/',
      CreateDate: new Date(0),
    })),
    Tags: [...tags],
  })

  const ports: AwsPorts = {
    region: world.region,
    ec2: fakeEc2(world, board, nowMs, newId, (refusal) => refusals.push(refusal)),
    iam: {
      addRoleToInstanceProfile: operation(board, 'iam:AddRoleToInstanceProfile', (input) => {
        const found = profile(input.InstanceProfileName)
        if (!world.roles.has(input.RoleName ?? ''))
          throw new Refusal('NoSuchEntity', `The role with name ${input.RoleName ?? ''} cannot be found.`)
        if (found.roles.length > 0)
          throw new Refusal('LimitExceeded', 'Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1')
        found.roles = [input.RoleName ?? '']
        return {}
      }),
      createInstanceProfile: operation(board, 'iam:CreateInstanceProfile', (input) => {
        const name = input.InstanceProfileName ?? ''
        if (world.profiles.some((one) => one.name === name))
          throw new Refusal('EntityAlreadyExists', `Instance Profile ${name} already exists.`)
        const made = {
          name,
          path: input.Path ?? '/',
          tags: (input.Tags ?? []).map(({ Key = '', Value = '' }) => ({ Key, Value })),
          roles: [],
          createdAtMs: nowMs(),
        }
        world.profiles.push(made)
        return { InstanceProfile: profileAnswer(made) }
      }),
      deleteInstanceProfile: operation(board, 'iam:DeleteInstanceProfile', (input) => {
        const found = profile(input.InstanceProfileName)
        if (found.roles.length > 0)
          throw new Refusal('DeleteConflict', 'Cannot delete entity, must remove roles first.')
        world.profiles = world.profiles.filter((one) => one !== found)
        return {}
      }),
      getInstanceProfile: operation(board, 'iam:GetInstanceProfile', (input) => ({
        InstanceProfile: profileAnswer(profile(input.InstanceProfileName)),
      })),
      listInstanceProfiles: operation(board, 'iam:ListInstanceProfiles', (input) => {
        const found = world.profiles.filter(({ path }) => path.startsWith(input.PathPrefix ?? '/'))
        const { items, NextToken } = page(found, world.pageSize, input.Marker)
        return {
          InstanceProfiles: items.map(profileAnswer),
          IsTruncated: NextToken !== undefined,
          ...(NextToken !== undefined && { Marker: NextToken }),
        }
      }),
      removeRoleFromInstanceProfile: operation(board, 'iam:RemoveRoleFromInstanceProfile', (input) => {
        const found = profile(input.InstanceProfileName)
        found.roles = found.roles.filter((role) => role !== input.RoleName)
        return {}
      }),
    },
    ssm: {
      getParameter: operation(board, 'ssm:GetParameter', ({ Name = '' }) => {
        const Value = world.parameters.get(Name)
        if (Value === undefined) throw new Refusal('ParameterNotFound', `Parameter ${Name} is not there`)
        return { Parameter: { Name, Value } }
      }),
    },
    eks: {
      describeCluster: operation(board, 'eks:DescribeCluster', ({ name }) => {
        const { cluster } = world
        if (name !== cluster.name)
          throw new Refusal('ResourceNotFoundException', `No cluster found for name: ${name ?? ''}.`)
        return {
          cluster: {
            name,
            arn: cluster.arn,
            endpoint: cluster.endpoint,
            version: cluster.version,
            kubernetesNetworkConfig: cluster.cidr.includes(':')
              ? { serviceIpv6Cidr: cluster.cidr }
              : { serviceIpv4Cidr: cluster.cidr },
            certificateAuthority: { data: 'Y2E=' },
          },
        }
      }),
    },
    sqs: {
      deleteMessageBatch: operation(board, 'sqs:DeleteMessage', ({ Entries = [] }) => {
        const receipts = new Set(Entries.map(({ ReceiptHandle }) => ReceiptHandle))
        world.messages = world.messages.filter(({ id }) => !receipts.has(id))
        return { Successful: Entries.map(({ Id }) => ({ Id })), Failed: [] }
      }),
      getQueueUrl: operation(board, 'sqs:GetQueueUrl', ({ QueueName = '' }) => {
        if (QueueName !== world.queue)
          throw new Refusal('AWS.SimpleQueueService.NonExistentQueue', 'The queue is not there')
        return { QueueUrl: `https://sqs.${world.region}.amazonaws.com/123456789012/${QueueName}` }
      }),
      receiveMessage: operation(board, 'sqs:ReceiveMessage', ({ MaxNumberOfMessages = 1 }) => ({
        Messages: world.messages.slice(0, MaxNumberOfMessages).map(({ body, id, sentAtMs }) => ({
          MessageId: id,
          ReceiptHandle: id,
          Body: body,
          Attributes: { SentTimestamp: String(sentAtMs) },
        })),
      })),
    },
    pricing: {
      getProducts: operation(board, 'pricing:GetProducts', ({ Filters = [] }) => {
        const isMetal = Filters.some(({ Value }) => Value === 'Dedicated')
        return {
          PriceList: [...world.prices]
            .filter(([type]) => type.includes('metal') === isMetal)
            .map(([instanceType, price]) =>
              JSON.stringify({
                product: { attributes: { instanceType } },
                terms: { OnDemand: { sku: { priceDimensions: { rate: { pricePerUnit: { USD: String(price) } } } } } },
              }),
            ),
        }
      }),
    },
    zonalShift: {
      getManagedResource: operation(board, 'arc-zonal-shift:GetManagedResource', ({ resourceIdentifier }) => {
        if (resourceIdentifier !== world.cluster.arn)
          throw new Refusal('ResourceNotFoundException', 'The resource is not registered for zonal shifts')
        return { arn: resourceIdentifier, zonalShifts: world.shifts.map((one) => ({ ...one })) }
      }),
    },
  }
  return {
    ports,
    world,
    board,
    refusals,
    inputsOf: <Input>(action: string) =>
      board.calls.filter((call) => call.action === action).map(({ input }) => input as Input),
    failNext: (action, ...errors) => {
      const queue = board.failures.get(action) ?? []
      for (const { code, message = code, ...rest } of errors)
        queue.push({ error: { code, message, httpStatus: 400, ...rest } })
      board.failures.set(action, queue)
    },
    running: () =>
      world.instances.filter(({ State }) => State?.Name !== 'shutting-down' && State?.Name !== 'terminated'),
  }
}
