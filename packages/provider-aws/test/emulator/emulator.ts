import { motoBackend, findAll, findText, type Backend } from './backend.ts'
import { bringMoto, findPython, startMoto } from './moto.ts'
import { startProxy, type Proxy } from './proxy.ts'
import { textOf, type Element } from './xml.ts'

/** An account of the emulated AWS, with a network, a role and a queue as the tutorials set them up. */
export interface Emulator extends Omit<Proxy, 'stop'> {
  readonly region: string
  readonly backend: Backend
  readonly subnets: ReadonlyArray<{ readonly id: string; readonly zone: string }>
  readonly securityGroup: string
  readonly role: string
  readonly queue: string
  /** Instances that are not terminated. */
  readonly instances: () => Promise<ReadonlyArray<Element>>
  /** Starts an instance behind everyone's back; its id. */
  readonly start: (instanceType: string, tags: Readonly<Record<string, string>>) => Promise<string>
  /** Puts a message onto the queue. */
  readonly send: (body: string) => Promise<void>
  /** Messages on the queue, those included that were received and not yet deleted. */
  readonly waiting: () => Promise<number>
  /** What the environment of a process has to hold so that its SDK comes here, and no key of anybody's is read. */
  readonly environment: Readonly<Record<string, string>>
  readonly stop: () => Promise<void>
}

export interface EmulatorOptions {
  readonly cluster: string
  /** Default: eu-west-1. */
  readonly region?: string
  readonly say?: (sentence: string) => void
}

/** Brings moto where it is missing, and starts it and the proxy. Rejects where there is no Python: ask `findPython` first. */
export const startEmulator = async ({
  cluster,
  region = 'eu-west-1',
  say = () => undefined,
}: EmulatorOptions): Promise<Emulator> => {
  const python = findPython()
  if (python === undefined) throw new Error('Cannot start moto: there is no Python 3.10 or later with venv and pip')
  const home = await bringMoto(python, say)
  const moto = await startMoto(home)
  const backend = motoBackend({ home, url: moto.url, region })
  const proxy = await startProxy(backend)
  const tags = (id: string) =>
    backend.query('ec2', {
      Action: 'CreateTags',
      'ResourceId.1': id,
      'Tag.1.Key': 'karpenter.sh/discovery',
      'Tag.1.Value': cluster,
    })
  const vpc = findText(await backend.query('ec2', { Action: 'CreateVpc', CidrBlock: '10.0.0.0/16' }), 'vpcId')
  const subnets: Array<{ readonly id: string; readonly zone: string }> = []
  for (const [index, letter] of ['a', 'b', 'c'].entries()) {
    const zone = `${region}${letter}`
    const made = await backend.query('ec2', {
      Action: 'CreateSubnet',
      VpcId: vpc,
      CidrBlock: `10.0.${index * 64}.0/18`,
      AvailabilityZone: zone,
    })
    const id = findText(made, 'subnetId')
    await tags(id)
    subnets.push({ id, zone })
  }
  const securityGroup = findText(
    await backend.query('ec2', {
      Action: 'CreateSecurityGroup',
      GroupName: `${cluster}-nodes`,
      GroupDescription: 'Nodes',
      VpcId: vpc,
    }),
    'groupId',
  )
  await tags(securityGroup)
  const role = `KarpenterNodeRole-${cluster}`
  await backend.query('iam', { Action: 'CreateRole', RoleName: role, AssumeRolePolicyDocument: '{}' })
  const queueCall = async (operation: string, body: object): Promise<Readonly<Record<string, unknown>>> => {
    const response = await fetch(moto.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `AmazonSQS.${operation}`,
        authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${region}/sqs/aws4_request, SignedHeaders=host, Signature=0`,
      },
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`moto refuses ${operation}: ${await response.text()}`)
    return (await response.json()) as Readonly<Record<string, unknown>>
  }
  const created = await fetch(`${moto.url}/clusters`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${region}/eks/aws4_request, SignedHeaders=host, Signature=0`,
    },
    body: JSON.stringify({
      name: cluster,
      version: '1.34',
      roleArn: 'arn:aws:iam::123456789012:role/cluster',
      resourcesVpcConfig: { subnetIds: subnets.map(({ id }) => id) },
      kubernetesNetworkConfig: { serviceIpv4Cidr: '10.100.0.0/16' },
    }),
  })
  if (!created.ok) throw new Error(`moto refuses CreateCluster: ${await created.text()}`)
  const { QueueUrl: queueUrl } = await queueCall('CreateQueue', { QueueName: cluster })
  return {
    ...proxy,
    region,
    backend,
    subnets,
    securityGroup,
    role,
    queue: cluster,
    instances: async () => {
      const answer = await backend.query('ec2', { Action: 'DescribeInstances' })
      return findAll(answer, 'instancesSet')
        .flatMap(({ children }) => children)
        .filter((instance) => !['terminated', 'shutting-down'].includes(textOf(instance, 'instanceState', 'name')))
    },
    start: async (instanceType, marks) => {
      const [subnet] = subnets
      const asked = {
        Action: 'RunInstances',
        ImageId: 'ami-00000001',
        InstanceType: instanceType,
        SubnetId: subnet?.id ?? '',
        MinCount: '1',
        MaxCount: '1',
        'TagSpecification.1.ResourceType': 'instance',
      }
      const tagged = Object.entries(marks).flatMap(([key, value], index) => [
        [`TagSpecification.1.Tag.${index + 1}.Key`, key],
        [`TagSpecification.1.Tag.${index + 1}.Value`, value],
      ])
      const started = await backend.query('ec2', { ...asked, ...(Object.fromEntries(tagged) as object) })
      return findText(started, 'instanceId')
    },
    send: async (body) => void (await queueCall('SendMessage', { QueueUrl: queueUrl, MessageBody: body })),
    waiting: async () => {
      const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible']
      const { Attributes } = await queueCall('GetQueueAttributes', { QueueUrl: queueUrl, AttributeNames: names })
      return names.reduce((sum, each) => sum + Number((Attributes as Readonly<Record<string, string>>)[each]), 0)
    },
    environment: {
      AWS_REGION: region,
      AWS_ENDPOINT_URL: proxy.url,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    },
    stop: async () => {
      await proxy.stop()
      await moto.stop()
    },
  }
}
