import type { VirtualMachine } from '@azure/arm-compute'
import type { NetworkInterface } from '@azure/arm-network'
import type { Call, Instance, Labels, Launched, LaunchFailure, ProviderHost } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { labelsOfLaunched } from '../bootstrap/index.ts'
import type { LeftInterfaces } from '../collect/index.ts'
import {
  isInvalidReference,
  isPropertyChange,
  isStale,
  isThrottled,
  launchFailureOf,
  providerErrorOf,
} from '../error-codes.ts'
import { instanceOfVm, vmNameOf, type Instances, type VmDetails } from '../instances/index.ts'
import { launchFailures, launchStarts } from '../metrics.ts'
import { nicBodyOf, type BackendPools, type Interfaces, type SecurityGroups } from '../network/index.ts'
import { providerIdOf } from '../resource-id/index.ts'
import type { ArmError, ComputePort } from '../sdk/index.ts'
import type { AzureSettings } from '../settings.ts'
import { tagsOf } from '../tags/index.ts'
import type { BootDataOf } from './boot-data.ts'
import type { PlannedLaunch } from './launch-path.ts'
import type { LaunchPlan } from './plan.ts'
import { priorLaunches, stillEnding } from './prior-launches.ts'
import { vmBodyOf } from './vm-body.ts'

const throttledMs = 5_000

/** What became of a VM that was begun, and is known to nobody but this process. */
export interface Begun {
  /** Where the end of its creation is told. */
  readonly statusUrl?: string
  /** Command of its bootstrap extension. */
  readonly command?: string
}

export interface LaunchVmDeps {
  readonly compute: Pick<ComputePort, 'putVm' | 'deleteVm'>
  readonly host: Pick<ProviderHost, 'clock' | 'record' | 'log'>
  readonly instances: Instances
  readonly interfaces: Pick<Interfaces, 'put' | 'remove'>
  /** Interfaces that stand without a VM. */
  readonly left: Pick<LeftInterfaces, 'add' | 'take'>
  readonly backendPools: BackendPools
  readonly securityGroups: SecurityGroups
  readonly bootDataOf: BootDataOf
  readonly settings: AzureSettings
  /** Told of each VM that Azure accepted, by its name. */
  readonly onBegun: (name: string, begun: Begun) => void
}

type Outcome = E.Either<LaunchFailure, Launched<VmDetails>>

/** A launch on its way: what its steps have in common. */
interface Making {
  readonly name: string
  readonly planned: PlannedLaunch
  readonly call: Call
  readonly tags: Labels
}

/**
 * Launches the VM of a claim: interface, then VM, under one name that follows from the claim's (Z-VM-01, Z-VM-02).
 *
 * Left after a refusal that another offering may do better: the interface, which the next try takes over; it goes after its
 * claim. After any other refusal it is deleted here (Z-VM-13).
 */
export const launchVm = (
  deps: LaunchVmDeps,
): ((planned: PlannedLaunch, call: Call) => TaskEither<LaunchFailure, Launched<VmDetails>>) => {
  const { compute, host, instances, interfaces, left, settings } = deps
  const { nodeResourceGroup: resourceGroup } = settings
  const prior = priorLaunches(instances)
  let heldBackUntilMs = 0

  const launch = async (planned: PlannedLaunch, call: Call): Promise<Outcome> => {
    const { claim, nodeClass, token } = planned.request
    const name = vmNameOf(claim.name)
    if (name === undefined)
      return E.left({
        reason: 'CreateInstanceFailed',
        error: {
          _tag: 'InvalidRequest',
          message: `Cannot name a VM after NodeClaim ${claim.name}: expected at most 60 characters`,
        },
      })
    const present = await prior.find(planned.request, name, call)
    if (E.isLeft(present)) return present
    if (present.right !== undefined) {
      prior.remember(token)
      return E.right({ instance: present.right })
    }
    // Everyone waits who would only be told to wait (W-11).
    const waitMs = heldBackUntilMs - host.clock.nowMs()
    if (waitMs > 0) return E.left(heldBack(waitMs))
    const tags = tagsOf({ claim, nodeClass, cluster: call.cluster, settings })
    const made = await make({ name, planned, call, tags })
    if (E.isRight(made)) prior.remember(token)
    return made
  }

  const make = async (making: Making): Promise<Outcome> => {
    const { name, planned, call } = making
    const wasLeft = left.take(name)
    const group = await deps.securityGroups.current(call.signal)()
    if (E.isLeft(group)) {
      if (wasLeft) left.add(name)
      return E.left({ reason: 'SecurityGroupResolutionFailed', error: group.left })
    }
    const [boot, nic] = await Promise.all([
      deps.bootDataOf({ ...planned.request, plan: planned.plan, securityGroup: group.right.value.name }, call)(),
      makeInterface(making),
    ])
    if (E.isLeft(nic)) {
      if (wasLeft || !isRefusal(nic.left)) left.add(name)
      return E.left(refused(nic.left, planned.plan))
    }
    if (E.isLeft(boot)) {
      await undo(name, call)
      return boot
    }
    host.record(launchStarts, 1, metricLabels(planned))
    const body = vmBodyOf({
      name,
      nodeClass: planned.request.nodeClass,
      plan: planned.plan,
      tags: making.tags,
      networkInterface: nic.right.id ?? '',
      customData: boot.right.customData,
      settings,
    })
    // One request instead of a read and a write: where there is a VM of that name, it is this claim's (Z-VM-03, W-09).
    const put = await compute.putVm({ resourceGroup, name, body, onlyIfAbsent: true }, call.signal)()
    if (E.isRight(put)) {
      const { resource, statusUrl } = put.right
      const { command } = boot.right
      deps.onBegun(name, { ...(statusUrl !== undefined && { statusUrl }), ...(command !== undefined && { command }) })
      return E.right({ instance: launchedInstance(making, resource, body, host.clock.nowMs()) })
    }
    if (isStale(put.left) || isPropertyChange(put.left)) return adopt(name, call)
    host.record(launchFailures, 1, { ...metricLabels(planned), phase: 'sync', error_code: put.left.code })
    const failure = refused(put.left, planned.plan)
    if (isRefusal(put.left) && failure.keepClaim !== true) await undo(name, call)
    else left.add(name)
    return E.left(failure)
  }

  const refused = (error: ArmError, { sku, zone, capacityType }: LaunchPlan): LaunchFailure => {
    if (isThrottled(error))
      heldBackUntilMs = Math.max(heldBackUntilMs, host.clock.nowMs() + (error.retryAfterMs ?? throttledMs))
    return launchFailureOf(error, { sku, zone, capacityType, isMachine: false })
  }

  /** Makes the interface; once more with what there is by now, if it named a pool or a group that is gone (Z-NIC-05). */
  const makeInterface = async ({
    name,
    planned,
    call,
    tags,
  }: Making): Promise<E.Either<ArmError, NetworkInterface>> => {
    const { signal } = call
    const pools = await deps.backendPools.current(signal)()
    if (E.isLeft(pools)) return pools
    const group = await deps.securityGroups.current(signal)()
    if (E.isLeft(group)) return E.left(asArmError(group.left.message))
    const bodyWith = (backendPools: ReadonlyArray<string>, securityGroup: string) =>
      nicBodyOf({
        name,
        nodeClass: planned.request.nodeClass,
        type: planned.plan.type,
        tags,
        backendPools,
        securityGroup,
        settings,
      })
    const made = await interfaces.put(name, bodyWith(pools.right.value, group.right.value.id), signal)()
    if (E.isRight(made) || !isInvalidReference(made.left)) return made
    const names = (id: string) => made.left.message.toLowerCase().includes(id.toLowerCase())
    const isPoolGone = pools.right.value.some(names)
    const isGroupGone = names(group.right.value.id)
    if (!isPoolGone && !isGroupGone) return made
    const [newPools, newGroup] = await Promise.all([
      isPoolGone ? deps.backendPools.after(pools.right, signal)() : pools,
      isGroupGone ? deps.securityGroups.after(group.right, signal)() : group,
    ])
    if (E.isLeft(newPools)) return newPools
    if (E.isLeft(newGroup)) return E.left(asArmError(newGroup.left.message))
    return interfaces.put(name, bodyWith(newPools.right.value, newGroup.right.value.id), signal)()
  }

  /** The VM that has the name already: from a try whose answer was lost. */
  const adopt = async (name: string, { signal }: Call): Promise<Outcome> => {
    const found = await instances.find(name, signal)()
    if (E.isLeft(found)) return E.left({ reason: 'CreateInstanceFailed', error: providerErrorOf(found.left) })
    if (found.right === undefined || found.right.provisioningState === 'Deleting') return E.left(stillEnding(name))
    const instance = instanceOfVm(found.right)
    return E.isLeft(instance)
      ? E.left({ reason: 'CreateInstanceFailed', error: { _tag: 'Unknown', message: instance.left } })
      : E.right({ instance: instance.right })
  }

  /** Takes back the interface; and the VM, if there is one after all, which then holds the interface. */
  const undo = async (name: string, { signal }: Call): Promise<void> => {
    const removed = await interfaces.remove(name, signal)()
    if (E.isRight(removed)) return
    const isHeld = removed.left.code === 'NicInUse' || removed.left.code === 'InUseNetworkInterfaceCannotBeDeleted'
    const deleted = isHeld ? await compute.deleteVm({ resourceGroup, name }, signal)() : removed
    if (E.isRight(deleted)) return
    left.add(name)
    host.log('warn', 'Cannot take back a launch that failed yet; what is left will be collected', {
      name,
      error: deleted.left.message,
    })
  }

  return (planned, call) => () => launch(planned, call)
}

// What the service refused it has not made. Of anything else nobody knows, and the next try will find it.
const isRefusal = ({ phase, status = 0 }: ArmError): boolean => phase === 'request' && status >= 400 && status < 500

const heldBack = (retryAfterMs: number): LaunchFailure => ({
  reason: 'Throttled',
  error: { _tag: 'Throttled', message: 'Azure takes no more requests of this subscription for now', retryAfterMs },
})

const asArmError = (message: string): ArmError => ({
  action: 'Microsoft.Network/networkSecurityGroups/read',
  code: 'SecurityGroupNotFound',
  message,
  phase: 'request',
})

const metricLabels = ({ plan, request }: PlannedLaunch): Labels => ({
  image: plan.imageId,
  size: plan.type.name,
  zone: plan.zone,
  capacity_type: plan.capacityType,
  nodepool: request.claim.nodePool ?? '',
})

/** What was begun, as far as Azure's answer and what was asked for tell: no read is needed (Z-VM-12). */
const launchedInstance = (
  { name, planned, tags }: Making,
  { id = '', timeCreated }: VirtualMachine,
  body: VirtualMachine,
  nowMs: number,
): Instance<VmDetails> => {
  const { plan, request } = planned
  const { claim } = request
  return {
    providerId: providerIdOf(id),
    phase: 'pending',
    launchedAtMs: timeCreated?.getTime() ?? nowMs,
    instanceType: plan.type.name,
    zone: plan.zone,
    capacityType: plan.capacityType,
    imageId: plan.imageId,
    owner: { nodeClaim: claim.name, ...(claim.nodePool !== undefined && { nodePool: claim.nodePool }) },
    labels: labelsOfLaunched(claim, plan.ultraSsd),
    details: {
      _tag: 'Vm',
      resourceId: id === '' ? name : id,
      tags,
      identities: Object.keys(body.identity?.userAssignedIdentities ?? {}),
      provisioningState: 'Creating',
      extensions: [],
    },
  }
}
