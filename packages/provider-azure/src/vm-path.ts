import {
  Offerings,
  type Call,
  type InstanceRef,
  type InstanceType,
  type LaunchFailure,
  type MaintenanceTask,
  type ProviderError,
  type ProviderHost,
} from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { collectInterfaces, leftInterfaces, youngLaunches } from './collect/index.ts'
import { convergeVm, type VmSubject } from './converge/index.ts'
import { selectImage } from './image/index.ts'
import type { Sku } from './instance-types/index.ts'
import { claimNameOfVm, instances as instancesOf, vmNameOf } from './instances/index.ts'
import {
  launchVm,
  scriptlessBootData,
  type Begun,
  type BootDataOf,
  type LaunchPath,
  type LaunchPlan,
} from './launch/index.ts'
import { backendPools, interfaces as interfacesOf, securityGroups as securityGroupsOf } from './network/index.ts'
import type { AksNodeClass } from './node-class/index.ts'
import { wantsUltraSsd } from './offerings/index.ts'
import { isSame, parseResourceId, resourceIdOf } from './resource-id/index.ts'
import type { AzurePorts } from './sdk/index.ts'
import type { AzureSettings } from './settings.ts'

/** Most VMs whose making this process follows at a time. */
const mostBegun = 10_000

export interface VmPathOptions {
  readonly ports: AzurePorts
  readonly settings: AzureSettings
  readonly host: ProviderHost
  readonly skuOf: (name: string) => Sku | undefined
  readonly typesOf: (nodeClass: AksNodeClass, call: Call) => E.Either<ProviderError, ReadonlyArray<InstanceType>>
  /** Default: boot data that we write ourselves. */
  readonly bootDataOf?: BootDataOf
}

/** Nodes that are VMs of their own, in the cluster's node resource group; and the work by the clock that they need. */
export const vmPath = (
  options: VmPathOptions,
): { readonly path: LaunchPath; readonly tasks: ReadonlyArray<MaintenanceTask<AksNodeClass>> } => {
  const { ports, settings, host, skuOf } = options
  const { nodeResourceGroup: resourceGroup } = settings
  const { nowMs } = host.clock
  const bootDataOf = options.bootDataOf ?? scriptlessBootData(settings)
  const interfaces = interfacesOf({ ports, resourceGroup, clock: host.clock })
  const left = leftInterfaces({ interfaces, host })
  const instances = instancesOf({ ports, interfaces, onInterfaceLeft: left.add, resourceGroup, host })
  const securityGroups = securityGroupsOf({ network: ports.network, resourceGroup, nowMs })
  const young = youngLaunches(nowMs)
  const begun = new Map<string, Begun>()
  const launch = launchVm({
    compute: ports.compute,
    host,
    instances,
    interfaces,
    left,
    backendPools: backendPools({ network: ports.network, resourceGroup, nowMs }),
    securityGroups,
    bootDataOf,
    settings,
    onBegun: (name, one) => {
      begun.set(name, one)
      for (const oldest of begun.keys()) {
        if (begun.size <= mostBegun) break
        begun.delete(oldest)
      }
    },
  })

  /** What a VM was launched as, told by what it is. */
  const planOf = ({ claim, nodeClass, instance }: VmSubject, call: Call): E.Either<LaunchFailure, LaunchPlan> => {
    const types = options.typesOf(nodeClass, call)
    if (E.isLeft(types)) return E.left({ reason: 'InstanceTypeResolutionFailed', error: types.left })
    const type = types.right.find(({ name }) => name === instance.instanceType)
    const offering = type && Offerings.offeringIn(type, instance)
    const sku = skuOf(instance.instanceType)
    if (type === undefined || offering === undefined || sku === undefined)
      return E.left({
        reason: 'InstanceTypeResolutionFailed',
        error: { _tag: 'Unknown', message: `Azure no longer sells ${instance.instanceType} in zone ${instance.zone}` },
      })
    return E.right({
      type,
      offering,
      sku,
      zone: instance.zone,
      capacityType: instance.capacityType === 'spot' ? 'spot' : 'on-demand',
      ultraSsd: wantsUltraSsd(claim.requirements),
      kubernetesVersion: nodeClass.status.kubernetesVersion ?? call.cluster.kubernetesVersion,
      imageId: instance.imageId ?? selectImage(nodeClass.status.images ?? [], type)?.id ?? '',
    })
  }
  const commandFor = (subject: VmSubject, call: Call): TE.TaskEither<LaunchFailure, string> =>
    pipe(
      securityGroups.current(call.signal),
      TE.mapLeft((error): LaunchFailure => ({ reason: 'SecurityGroupResolutionFailed', error })),
      TE.bindTo('group'),
      TE.bind('plan', () => TE.fromEither(planOf(subject, call))),
      TE.chain(({ group, plan }) => bootDataOf({ ...subject, plan, securityGroup: group.value.name }, call)),
      TE.map(({ command = '' }) => command),
    )
  const converge = convergeVm({ ports, host, settings, skuOf, begun, commandFor, interfaces })

  const nameOf = ({ providerId }: InstanceRef): string => parseResourceId(resourceIdOf(providerId) ?? '')?.name ?? ''
  return {
    path: {
      owns: ({ providerId }) => {
        const id = parseResourceId(resourceIdOf(providerId) ?? '')
        return (
          id !== undefined &&
          isSame(id.type, 'Microsoft.Compute/virtualMachines') &&
          isSame(id.resourceGroup, resourceGroup) &&
          isSame(id.subscription, settings.subscriptionId) &&
          claimNameOfVm(id.name) !== undefined
        )
      },
      launch: (planned, call) => {
        const name = vmNameOf(planned.request.claim.name)
        if (name !== undefined) young.add(name)
        return launch(planned, call)
      },
      get: (target, { signal }) => instances.get(nameOf(target), signal),
      list: ({ cluster, signal }) => instances.list(cluster.name, signal),
      terminate: (target, { cluster, signal }) => instances.terminate(nameOf(target), cluster.name, signal),
      converge: (subject, call) =>
        subject.instance.details?._tag === 'Vm'
          ? converge(nameOf(subject.instance), subject as VmSubject, call)
          : TE.right({ _tag: 'Converged' }),
    },
    tasks: [collectInterfaces({ compute: ports.compute, interfaces, young, left, resourceGroup, host }), left.task],
  }
}
