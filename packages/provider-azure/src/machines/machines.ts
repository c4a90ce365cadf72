import {
  capacityTypes,
  type Call,
  type CancelSignal,
  type Convergence,
  type Instance,
  type InstanceList,
  type InstanceRef,
  type Labels,
  type LaunchFailure,
  type Launched,
  type ManagedInstance,
  type ProviderError,
  type ProviderHost,
} from '@scantling/core'
import { batch } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import {
  isDenied,
  isMachineNotFound,
  isNotFound,
  isStale,
  isThrottled,
  isUnauthenticated,
  launchFailureOf,
  providerErrorOf,
  type LaunchAttempt,
} from '../error-codes.ts'
import { inPlaceHash } from '../in-place-hash.ts'
import type { Sku } from '../instance-types/index.ts'
import type { AzureDetails, MachineDetails } from '../instances/index.ts'
import { azureAnnotationKeys } from '../labels/index.ts'
import type { LaunchPath, PlannedLaunch } from '../launch/index.ts'
import type { AksNodeClass } from '../node-class/index.ts'
import { regionalZone } from '../offerings/index.ts'
import { parseResourceId, resourceIdOf } from '../resource-id/index.ts'
import type { AksMachine, ArmError, ContainerServicePort } from '../sdk/index.ts'
import type { AzureSettings } from '../settings.ts'
import { machineTagsOf, tagKeys } from '../tags/index.ts'
import type { BatchEntry } from './batch-request.ts'
import { machineBodyOf } from './machine-body.ts'
import { instanceOfMachine, isOurs, machineTagsIn, provisioningErrorOf, stateOf } from './machine-instance.ts'
import { createMachineList, machinesKnownMs } from './machine-list.ts'
import { machineNameOf, machineNameOfVm } from './machine-name.ts'
import { createPutMachine, inDoubt, type PutMachine } from './put-machine.ts'

/** How often a machine that is being made is looked at, and how long it may take (Z-BAT-08). */
export const machinePollMs = 5_000
export const machineTimeoutMs = 15 * 60_000

// Machines that end are looked at as often as the shell asks for them.
const endingKnownMs = 4_000
const deleteWindow = { idleMs: 100, maxMs: 1_000, maxItems: 50 }

export interface MachinesOptions {
  readonly port: Pick<ContainerServicePort, 'getMachine' | 'listMachines' | 'putMachine' | 'deleteMachines'>
  readonly settings: AzureSettings
  readonly clusterName: string
  readonly host: Pick<ProviderHost, 'clock' | 'log' | 'shutdown'>
  /** What the catalogue knows of a type. */
  readonly skuOf: (name: string) => Sku | undefined
}

/** The machines of AKS: the path of launches beside that of VMs. */
export type Machines = LaunchPath

const notFound = (name: string): ProviderError => ({
  _tag: 'InstanceNotFound',
  message: `There is no machine ${name} in the agent pool`,
})

const failed = (_tag: 'InvalidRequest' | 'Unknown', reason: string, message: string): LaunchFailure => ({
  error: { _tag, message },
  reason,
})

/** Machines of the agent pool that the settings name. */
export const createMachines = (options: MachinesOptions): Machines => {
  const { port, settings, clusterName, host, skuOf } = options
  const { clock, shutdown } = host
  const pool = settings.aksMachinesPoolName
  const machines = createMachineList({ port, clock, shutdown })
  const put = createPutMachine({
    port,
    pool: `${settings.clusterResourceGroup}/${clusterName}/${pool}`,
    settings,
    clock,
    shutdown,
  })

  // As many as come together end by one call; AKS leaves out those that are gone.
  const remove = batch<string, ArmError, void>({
    keyOf: () => '',
    ...deleteWindow,
    clock,
    cancelled: () => ({
      action: 'deleteMachines',
      code: 'Cancelled',
      message: 'Nobody waits for it',
      phase: 'request',
    }),
    unanswered: () => ({ action: 'deleteMachines', code: 'UnreadableAnswer', message: 'No result', phase: 'request' }),
    run: (names) => async () => {
      const ended = await port.deleteMachines({ names: [...new Set(names)] }, shutdown)()
      machines.touch(names)
      return E.isLeft(ended) && !isMachineNotFound(ended.left) ? ended : E.right(names.map(() => E.right(undefined)))
    },
  })

  const nameOf = ({ providerId, claim }: InstanceRef): string | undefined => {
    const annotated = claim?.annotations[azureAnnotationKeys.machineResourceId]
    const machineId = annotated === undefined ? undefined : parseResourceId(annotated)?.name
    return machineId ?? machineNameOfVm(pool, parseResourceId(resourceIdOf(providerId) ?? '')?.name ?? '')
  }

  /** The machine as an instance; a Left where AKS left out what nodes are told by. */
  const adopted = (machine: AksMachine): E.Either<LaunchFailure, Launched<MachineDetails>> => {
    const instance = instanceOfMachine(machine, settings.location)
    return E.isLeft(instance)
      ? E.left(failed('Unknown', 'CreateInstanceFailed', instance.left))
      : E.right({ instance: instance.right })
  }

  const attemptOn = (machine: AksMachine): LaunchAttempt => {
    const instance = instanceOfMachine(machine, settings.location)
    if (E.isLeft(instance))
      return { sku: undefined, zone: regionalZone, capacityType: capacityTypes.onDemand, isMachine: true }
    const { instanceType, zone, capacityType } = instance.right
    return { sku: skuOf(instanceType), zone, capacityType, isMachine: true }
  }

  /** What to do about a machine of that name: take it as it is, wait until it is gone, or say why not (Z-MACH-05). */
  const reuse = async (
    machine: AksMachine,
    claimName: string,
    signal: CancelSignal,
  ): Promise<E.Either<LaunchFailure, Launched<MachineDetails>>> => {
    const { name = '' } = machine
    if (machineTagsIn(machine)[tagKeys.machineClaim] !== claimName)
      return E.left(
        failed(
          'InvalidRequest',
          'CreateInstanceFailed',
          `Machine ${name} is not of NodeClaim ${claimName}: delete it, or the NodeClaim`,
        ),
      )
    const state = stateOf(machine)
    if (state === 'Deleting')
      return E.left({
        error: { _tag: 'Unknown', message: `Machine ${name} is being deleted`, retryAfterMs: machinePollMs },
        reason: 'CreateInstanceFailed',
        keepClaim: true,
      })
    const error = provisioningErrorOf(machine)
    if (error === undefined) return adopted(machine)
    const attempt = attemptOn(machine)
    await removeQuietly(name, signal)
    return E.left(launchFailureOf(error, attempt))
  }

  const removeQuietly = async (name: string, signal: CancelSignal): Promise<void> => {
    const removed = await remove(name, signal)()
    if (E.isLeft(removed))
      // It bears our tags, so the shell collects it.
      host.log('warn', 'Machine that failed cannot be deleted yet', { machine: name, error: removed.left.message })
  }

  const launch =
    (
      { request: { claim, nodeClass }, plan }: PlannedLaunch,
      { cluster, signal }: Call,
    ): TaskEither<LaunchFailure, Launched<MachineDetails>> =>
    async () => {
      const name = machineNameOf(claim.name)
      if (E.isLeft(name)) return E.left(failed('InvalidRequest', 'CreateInstanceFailed', name.left))
      const known = await machines.recent(name.right, machinesKnownMs, signal)()
      if (E.isLeft(known)) return E.left(launchErrorOf(known.left))
      if (known.right !== undefined) return reuse(known.right, claim.name, signal)
      const tags = machineTagsOf({ claim, nodeClass, cluster, settings })
      const body = machineBodyOf({ claim, nodeClass, ...plan, tags })
      if (E.isLeft(body)) return E.left(failed('InvalidRequest', 'CreateInstanceFailed', body.left))
      const { sku, zone, capacityType } = plan
      return begin(
        { name: name.right, body: body.right },
        { sku, zone, capacityType, isMachine: true },
        claim.name,
        signal,
      )
    }

  /** Puts a machine, and learns what AKS made of it (Z-MACH-15, Z-BAT-06). */
  const begin = async (
    entry: BatchEntry,
    attempt: LaunchAttempt,
    claimName: string,
    signal: CancelSignal,
    send: PutMachine[keyof PutMachine] = put.together,
  ): Promise<E.Either<LaunchFailure, Launched<MachineDetails>>> => {
    const { name } = entry
    machines.touch([name])
    const sent = await send(entry, signal)()
    machines.touch([name])
    if (E.isRight(sent)) {
      const [machine] = sent.right === undefined ? [] : [sent.right]
      if (machine !== undefined && E.isRight(instanceOfMachine(machine, settings.location)))
        return reuse(machine, claimName, signal)
      // One list tells of the whole batch.
      const found = await machines.recent(name, machinesKnownMs, signal)()
      if (E.isLeft(found)) return E.left(launchErrorOf(found.left))
      const made = found.right === undefined ? await machines.now(name, signal)() : found
      if (E.isLeft(made)) return E.left(launchErrorOf(made.left))
      if (made.right !== undefined) return reuse(made.right, claimName, signal)
      return E.left(failed('Unknown', 'CreateInstanceFailed', `AKS took machine ${name} and does not show it`))
    }
    const failure = launchFailureOf(sent.left, attempt)
    // Nothing was made of what was not let in.
    if (isThrottled(sent.left) || isUnauthenticated(sent.left) || isDenied(sent.left)) return E.left(failure)
    // Else it may be there all the same: from an answer that got lost, or from another process that was faster.
    const left = await machines.recent(name, machinesKnownMs, signal)()
    if (E.isLeft(left)) return E.left(failure)
    if (left.right === undefined)
      return sent.left.code === inDoubt ? begin(entry, attempt, claimName, signal, put.alone) : E.left(failure)
    const isUsable =
      machineTagsIn(left.right)[tagKeys.machineClaim] === claimName &&
      !['Failed', 'Deleting'].includes(stateOf(left.right))
    if (isUsable) return adopted(left.right)
    if (machineTagsIn(left.right)[tagKeys.machineClaim] === claimName) await removeQuietly(name, signal)
    return E.left(failure)
  }

  const launchErrorOf = (error: ArmError): LaunchFailure => ({
    error: providerErrorOf(error),
    reason: 'CreateInstanceFailed',
  })

  const find =
    (target: InstanceRef, signal: CancelSignal): TaskEither<ProviderError, AksMachine> =>
    async () => {
      const name = nameOf(target)
      if (name === undefined) return E.left(notFound(target.providerId))
      const found = await machines.now(name, signal)()
      if (E.isLeft(found)) return E.left(providerErrorOf(found.left))
      return found.right === undefined ? E.left(notFound(name)) : E.right(found.right)
    }

  /** What became of a launch, from what `get` found (Z-BAT-08). A node that has joined stays, whatever AKS does to it. */
  const outcomeOf = ({ instance }: Pick<ManagedInstance<AksNodeClass, AzureDetails>, 'instance'>): Convergence => {
    const { details, launchedAtMs = clock.nowMs() } = instance
    if (details?._tag !== 'Machine') return { _tag: 'Converged' }
    const { provisioningState, failure } = details
    const attempt: LaunchAttempt = {
      sku: skuOf(instance.instanceType),
      zone: instance.zone,
      capacityType: instance.capacityType,
      isMachine: true,
    }
    if (failure !== undefined) return { _tag: 'Failed', failure: launchFailureOf(failure, attempt) }
    if (provisioningState === 'Succeeded') return { _tag: 'Converged' }
    if (provisioningState === 'Deleting')
      return {
        _tag: 'Failed',
        failure: failed('Unknown', 'CreateInstanceFailed', `The machine of ${instance.providerId} is being deleted`),
      }
    if (clock.nowMs() - launchedAtMs >= machineTimeoutMs)
      return {
        _tag: 'Failed',
        failure: failed(
          'Unknown',
          'CreateInstanceFailed',
          `The machine of ${instance.providerId} is ${provisioningState} after ${machineTimeoutMs / 60_000} minutes`,
        ),
      }
    return { _tag: 'Pending', reason: `Machine${provisioningState}`, retryAfterMs: machinePollMs }
  }

  /** Gives a machine these tags in place of its own: the whole machine is put, unless somebody changed it (Z-MACH-18). */
  const setTags =
    (target: InstanceRef, tags: Labels, signal: CancelSignal): TaskEither<ProviderError, void> =>
    async () => {
      const machine = await find(target, signal)()
      if (E.isLeft(machine)) return machine
      const { name = '', zones, properties = {} } = machine.right
      const { eTag, status: _, provisioningState: __, resourceId: ___, ...rest } = properties
      const sent = await port.putMachine(
        {
          name,
          // What is regular AKS does not say, and wants to be told.
          body: { ...(zones !== undefined && { zones }), properties: { priority: 'Regular', ...rest, tags } },
          ...(typeof eTag === 'string' && { ifMatch: eTag }),
        },
        signal,
      )()
      machines.touch([name])
      if (E.isRight(sent)) return E.right(undefined)
      if (isNotFound(sent.left)) return E.left(notFound(name))
      // Somebody else changed it: what is right now is asked for with the next try.
      return E.left({ ...providerErrorOf(sent.left), ...(isStale(sent.left) && { retryAfterMs: machinePollMs }) })
    }

  return {
    launch,
    owns: (target) => nameOf(target) !== undefined,
    list:
      ({ cluster, signal }) =>
      async () => {
        const all = await machines.all(signal)()
        if (E.isLeft(all)) return E.left(providerErrorOf(all.left))
        const instances: Array<Instance<MachineDetails>> = []
        const unreadable: Array<InstanceList<MachineDetails>['unreadable'][number]> = []
        for (const machine of all.right.values()) {
          if (!isOurs(machine, cluster.name)) continue
          const instance = instanceOfMachine(machine, settings.location)
          if (E.isRight(instance)) instances.push(instance.right)
          else unreadable.push({ message: instance.left })
        }
        return E.right({ instances, unreadable })
      },
    get:
      (target, { signal }) =>
      async () => {
        const machine = await find(target, signal)()
        if (E.isLeft(machine)) return machine
        const instance = instanceOfMachine(machine.right, settings.location)
        return E.isLeft(instance) ? E.left({ _tag: 'Unknown', message: instance.left }) : instance
      },
    terminate:
      (target, { signal }) =>
      async () => {
        const name = nameOf(target)
        if (name === undefined) return E.left(notFound(target.providerId))
        const seen = await machines.recent(name, endingKnownMs, signal)()
        if (E.isLeft(seen)) return E.left(providerErrorOf(seen.left))
        if (seen.right === undefined) return E.right('Gone')
        if (stateOf(seen.right) === 'Deleting') return E.right('Started')
        const removed = await remove(name, signal)()
        return E.isLeft(removed) ? E.left(providerErrorOf(removed.left)) : E.right('Started')
      },
    converge: (subject, call) => async () => {
      const { claim, nodeClass, instance } = subject
      const { details } = instance
      const converged = { _tag: 'Converged' as const }
      if (!claim.registered) return E.right(outcomeOf(subject))
      if (details?._tag !== 'Machine' || claim.deleting) return E.right(converged)
      const tags = machineTagsOf({ claim, nodeClass, cluster: call.cluster, settings })
      const hash = inPlaceHash({ tags })
      const annotations = { [azureAnnotationKeys.inPlaceUpdateHash]: hash }
      if (claim.annotations[azureAnnotationKeys.inPlaceUpdateHash] === hash) return E.right(converged)
      if (inPlaceHash({ tags: details.tags }) === hash) return E.right({ ...converged, annotations })
      const updated = await setTags({ providerId: instance.providerId, claim }, tags, call.signal)()
      return E.isLeft(updated) ? updated : E.right({ ...converged, annotations })
    },
  }
}
