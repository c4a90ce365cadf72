import { observedHost, type Fault, type MakeSubject, type Operation } from '@scantling/conformance'
import type { JsonObject } from '@scantling/core'
import { runUntilSettled, virtualClock } from '@scantling/provider-kit'
import { rightOf, startMs } from '@scantling/simulation/testing'
import type { Ec2Details } from '../src/instances/index.ts'
import type { Ec2NodeClass } from '../src/node-class/index.ts'
import { createFrom, provider } from '../src/provider.ts'
import type { AwsSettings } from '../src/settings.ts'
import { fakeAws, tag, type ArmedFailure } from './fake-aws/index.ts'
import { callFor, defaultSettings } from './rig.ts'

const discovery = [{ tags: { 'karpenter.sh/discovery': 'demo' } }]
export const manifest = (spec: JsonObject, generation = 1): JsonObject => ({
  apiVersion: 'karpenter.k8s.aws/v1',
  kind: 'EC2NodeClass',
  metadata: { name: 'default', generation },
  spec,
})
const spec = {
  role: 'node-role',
  amiSelectorTerms: [{ alias: 'al2023@latest' }],
  subnetSelectorTerms: discovery,
  securityGroupSelectorTerms: discovery,
}

export const actions: Readonly<Record<Operation, string>> = {
  launch: 'ec2:CreateFleet',
  terminate: 'ec2:TerminateInstances',
  list: 'ec2:DescribeInstances',
  get: 'ec2:DescribeInstances',
  resolve: 'ec2:DescribeSubnets',
  release: 'ec2:DescribeLaunchTemplates',
  converge: 'ec2:CreateTags',
  receive: 'sqs:ReceiveMessage',
  tasks: 'ec2:DescribeSpotPriceHistory',
}
export const failures: Readonly<Record<Fault, ArmedFailure>> = {
  throttled: { error: { code: 'RequestLimitExceeded', message: 'Request limit exceeded', httpStatus: 503 } },
  unauthorized: { error: { code: 'UnauthorizedOperation', message: 'You are not authorized', httpStatus: 403 } },
  quota: { error: { code: 'VcpuLimitExceeded', message: 'The limit of vCPUs is reached', httpStatus: 400 } },
  invalid: { error: { code: 'InvalidParameterValue', message: 'A parameter is invalid', httpStatus: 400 } },
  'server-error': { error: { code: 'InternalError', message: 'An internal error has occurred', httpStatus: 500 } },
  'answer-lost': { error: { code: 'Unreachable', message: 'The connection was reset' }, isAfter: true },
}

/** A subject for the conformance suite over AWS in memory, on virtual time, with pages of three. */
export const makeSubject: MakeSubject<Ec2NodeClass, Ec2Details, AwsSettings> = async () => {
  const clock = virtualClock(startMs)
  const aws = fakeAws({ pageSize: 3 }, clock.nowMs)
  const { world, board } = aws
  const host = observedHost(clock)
  const drive = <A>(work: Promise<A>): Promise<A> => runUntilSettled(clock, work)
  const create = async () =>
    rightOf(await drive(createFrom(aws.ports, { ...defaultSettings, interruptionQueue: 'demo' }, host, callFor())()))
  const idOf = (providerId: string) => providerId.split('/').at(-1) ?? ''
  const instance = (providerId: string) => {
    const found = world.instances.find(({ InstanceId }) => InstanceId === idOf(providerId))
    if (found === undefined) throw new Error(`There is no instance ${providerId}`)
    return found
  }
  const providerIdOf = (zone: string | undefined, id: string | undefined) => `aws:///${zone ?? ''}/${id ?? ''}`
  let messages = 0
  const send = (body: string) => void world.messages.push({ body, id: `m-${++messages}`, sentAtMs: clock.nowMs() })

  return {
    module: provider,
    provider: await create(),
    manifest: manifest(spec),
    host,
    cluster: callFor().cluster,
    pass: (ms) => clock.advance(ms),
    drive,
    levers: {
      fail: (operation, fault, { skip = 0 } = {}) => {
        const passing = Array.from({ length: skip }, () => undefined)
        board.failures.set(actions[operation], [...passing, failures[fault]])
      },
      sellOut: (type) => void world.soldOut.add(`*:${type}:*`),
      restock: () => world.soldOut.clear(),
      present: async () =>
        aws.running().map(({ Placement, InstanceId }) => providerIdOf(Placement?.AvailabilityZone, InstanceId)),
      startForeign: async () => {
        world.instances.push({
          InstanceId: 'i-0f0f0f0f',
          InstanceType: 'm5.large',
          LaunchTime: new Date(clock.nowMs()),
          State: { Name: 'running' },
          Placement: { AvailabilityZone: 'us-west-2a' },
          Tags: [
            tag('eks:eks-cluster-name', 'theirs'),
            tag('karpenter.sh/nodepool', 'default'),
            tag('karpenter.k8s.aws/ec2nodeclass', 'default'),
          ],
        })
        return providerIdOf('us-west-2a', 'i-0f0f0f0f')
      },
      endOutside: async (providerId) => void (instance(providerId).State = { Name: 'terminated' }),
      garble: async (providerId) => void delete instance(providerId).InstanceType,
      hideNew: () => void (world.hiddenForMs = 20_000),
      changePrice: (type) => void world.spotPrices.set(`${type}:us-west-2a`, 0.001),
      interrupt: async (providerId) =>
        send(
          JSON.stringify({
            version: '0',
            id: `e-${messages}`,
            'detail-type': 'EC2 Spot Instance Interruption Warning',
            source: 'aws.ec2',
            account: '123456789012',
            time: new Date(clock.nowMs()).toISOString(),
            region: world.region,
            resources: [`arn:aws:ec2:${world.region}:123456789012:instance/${idOf(providerId)}`],
            detail: { 'instance-id': idOf(providerId), 'instance-action': 'terminate' },
          }),
        ),
      sendGarbage: async () => send('{"half'),
      restart: create,
      countCalls: () => board.calls.length,
      // Of a generation of their own, as the API server gives it to a spec that changed.
      changedManifest: manifest({ ...spec, tags: { team: 'other' }, securityGroupSelectorTerms: [{ id: 'sg-1' }] }, 2),
      missingManifest: manifest(
        { ...spec, subnetSelectorTerms: [{ tags: { 'karpenter.sh/discovery': 'nowhere' } }] },
        3,
      ),
    },
    close: async () => undefined,
  }
}
