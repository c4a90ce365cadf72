import { observedHost, type Fault, type MakeSubject, type Operation } from '@scantling/conformance'
import { systemClock, virtualClock } from '@scantling/provider-kit'
import { overSockets, rightOf } from '@scantling/simulation/testing'
import type { CancelSignal } from '@scantling/core'
import type * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Ec2Details } from '../src/instances/index.ts'
import type { Ec2NodeClass } from '../src/node-class/index.ts'
import { createFrom, provider } from '../src/provider.ts'
import { portsOverSdk } from '../src/sdk/clients.ts'
import type { AwsError, AwsPorts } from '../src/sdk/index.ts'
import type { AwsSettings } from '../src/settings.ts'
import { actions, failures, manifest } from './conformance-subject.ts'
import { textOf, type Emulator } from './emulator/index.ts'
import { callFor, defaultSettings } from './rig.ts'

// The SDK sends a request again so often.
const tries = 3
const types = new Set(['c5.large', 'c5.xlarge', 'm5.large', 'm5.xlarge', 'm5.2xlarge', 'r5.large'])
const isSold = ({ InstanceType = '' }: { readonly InstanceType?: string | undefined }): boolean =>
  types.has(InstanceType)

/** A call whose answers are large and the same for every provider. */
const onceForAll = <Input extends object, Output>(
  call: (input: Input, signal: CancelSignal) => TaskEither<AwsError, Output>,
  trim: (output: Output) => Output = (output) => output,
): ((input: Input, signal: CancelSignal) => TaskEither<AwsError, Output>) => {
  const answers = new Map<string, Promise<E.Either<AwsError, Output>>>()
  return (input, signal) => () => {
    const key = JSON.stringify(input)
    const asked = answers.get(key) ?? TE.map(trim)(call(input, signal))()
    answers.set(key, asked)
    return asked
  }
}

/** The ports over the SDK to an emulator; of its catalogue they read once, and sell few types. */
const portsTo = async (aws: Emulator): Promise<AwsPorts> => {
  const { signal } = new AbortController()
  const options = {
    region: aws.region,
    endpoint: aws.url,
    userAgent: 'scantling-test',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    nowMs: systemClock.nowMs,
  }
  const ports = rightOf(await portsOverSdk(options, signal)())
  const { ec2, eks, pricing } = ports
  return {
    ...ports,
    ec2: {
      ...ec2,
      describeInstanceTypes: onceForAll(ec2.describeInstanceTypes, (output) => ({
        ...output,
        InstanceTypes: output.InstanceTypes?.filter(isSold),
      })),
      describeInstanceTypeOfferings: onceForAll(ec2.describeInstanceTypeOfferings, (output) => ({
        ...output,
        InstanceTypeOfferings: output.InstanceTypeOfferings?.filter(isSold),
      })),
      describeSpotPriceHistory: onceForAll(ec2.describeSpotPriceHistory, (output) => ({
        ...output,
        SpotPriceHistory: output.SpotPriceHistory?.filter(isSold),
      })),
    },
    pricing: { getProducts: onceForAll(pricing.getProducts) },
    // The account has one.
    eks: { describeCluster: (input, one) => eks.describeCluster({ ...input, name: aws.queue }, one) },
  }
}

/**
 * Subjects for the conformance suite over the SDK, sockets and one moto, on virtual time but for moto's own.
 *
 * Each is a cluster of its own in the one account, and leaves no machine behind.
 */
export const subjectsOver = (emulator: () => Emulator): MakeSubject<Ec2NodeClass, Ec2Details, AwsSettings> => {
  let made = 0
  let shared: Promise<AwsPorts> | undefined
  return async () => {
    const aws = emulator()
    // moto dates machines by the time of this machine.
    const clock = virtualClock(systemClock.nowMs())
    const host = observedHost(clock)
    const { counted, pass, drive } = overSockets(clock)
    const cluster = `conformance-${(made += 1)}-end`
    const call = callFor(cluster)
    const { ec2, ...others } = await (shared ??= portsTo(aws))
    const ports = counted({
      ...others,
      ec2: {
        ...ec2,
        // The account remembers tokens, and every check uses the same.
        createFleet: (input, signal) =>
          ec2.createFleet({ ...input, ClientToken: `${cluster}-${input.ClientToken ?? ''}` }, signal),
      },
    } satisfies AwsPorts)
    const create = async () => rightOf(await drive(createFrom(ports, defaultSettings, host, call)()))
    const discovery = [{ tags: { 'karpenter.sh/discovery': aws.queue } }]
    const spec = {
      role: aws.role,
      amiSelectorTerms: [{ alias: 'al2023@latest' }],
      subnetSelectorTerms: discovery,
      securityGroupSelectorTerms: discovery,
    }
    const idOf = (providerId: string) => providerId.split('/').at(-1) ?? ''
    const end = (id: string) => aws.backend.query('ec2', { Action: 'TerminateInstances', 'InstanceId.1': id })
    aws.state.faults = []
    aws.state.shortages = []
    return {
      module: provider,
      provider: await create(),
      manifest: manifest(spec),
      host,
      cluster: call.cluster,
      pass,
      drive,
      levers: {
        fail: (operation: Operation, fault: Fault, { skip = 0 } = {}) => {
          const { error, isAfter = false } = failures[fault]
          const times = fault === 'throttled' || fault === 'server-error' ? tries : 1
          const { code, message, httpStatus } = error
          const status = httpStatus !== undefined && { status: httpStatus }
          aws.state.faults = [{ action: actions[operation], code, message, ...status, times, skip, after: isAfter }]
        },
        sellOut: (instanceType) => void (aws.state.shortages = [{ instanceType }]),
        restock: () => void (aws.state.shortages = []),
        present: async () =>
          (await aws.instances()).map(
            (one) => `aws:///${textOf(one, 'placement', 'availabilityZone')}/${textOf(one, 'instanceId')}`,
          ),
        startForeign: async () => {
          const id = await aws.start('m5.large', {
            'eks:eks-cluster-name': 'theirs',
            'karpenter.sh/nodepool': 'default',
            'karpenter.k8s.aws/ec2nodeclass': 'default',
          })
          return `aws:///${aws.subnets[0]?.zone ?? ''}/${id}`
        },
        endOutside: async (providerId) => void (await end(idOf(providerId))),
        restart: create,
        countCalls: () => [...aws.calls().values()].reduce((sum, count) => sum + count, 0),
        changedManifest: manifest(
          { ...spec, tags: { team: 'other' }, securityGroupSelectorTerms: [{ id: aws.securityGroup }] },
          2,
        ),
        missingManifest: manifest(
          { ...spec, subnetSelectorTerms: [{ tags: { 'karpenter.sh/discovery': 'nowhere' } }] },
          3,
        ),
      },
      close: async () => {
        for (const one of await aws.instances()) await end(textOf(one, 'instanceId'))
      },
    }
  }
}
