import type { VirtualMachine } from '@azure/arm-compute'
import type { Call, Convergence, LaunchFailure, ManagedInstance, ProviderError, ProviderHost } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { isTransient, isUnauthenticated, launchFailureOf, providerErrorOf } from '../error-codes.ts'
import type { Sku } from '../instance-types/index.ts'
import type { VmDetails } from '../instances/index.ts'
import { bootstrapExtensionName, extensionNames, extensionOf, type Begun } from '../launch/index.ts'
import { launchFailures } from '../metrics.ts'
import { pollMs } from '../network/index.ts'
import type { AksNodeClass } from '../node-class/index.ts'
import type { ArmError, AzurePorts } from '../sdk/index.ts'
import type { AzureSettings } from '../settings.ts'
import { tagsOf } from '../tags/index.ts'

export interface CreationDeps {
  readonly ports: Pick<AzurePorts, 'compute' | 'operation'>
  readonly host: Pick<ProviderHost, 'clock' | 'log' | 'record'>
  readonly settings: AzureSettings
  readonly skuOf: (name: string) => Sku | undefined
  /** What this process knows of VMs that it began. */
  readonly begun: Map<string, Begun>
  /** The command of a bootstrap extension, for a VM that another process began. */
  readonly commandFor: (subject: VmSubject, call: Call) => TaskEither<LaunchFailure, string>
}

export type VmSubject = ManagedInstance<AksNodeClass, VmDetails>

const vmAction = 'Microsoft.Compute/virtualMachines/write'
const extensionAction = 'Microsoft.Compute/virtualMachines/extensions/write'

/** How the making of a VM stands: done, or as `converge` says it. */
export type Creation = { readonly _tag: 'Done' } | Exclude<Convergence, { readonly _tag: 'Converged' }>

// Longer than any wait: nobody waits for what was not asked about since.
const forgottenMs = 10 * 60_000

const done: Creation = { _tag: 'Done' }

/**
 * Follows a VM until it is made and has its extensions, one after the other (Z-VM-02, Z-EXT-03).
 *
 * How it stands comes with the instance; nothing is asked for beside what is new (W-11). A process that did not begin it
 * goes on where the other stopped (W-20).
 */
export const creation = (
  deps: CreationDeps,
): ((name: string, subject: VmSubject, call: Call) => TaskEither<ProviderError, Creation>) => {
  const { ports, host, settings, begun } = deps
  const resourceGroup = settings.nodeResourceGroup
  /** Where the end of each extension is told, by VM and extension; absent: it has ended. */
  const extensionUrls = new Map<string, string | undefined>()
  /** When each was asked about last, in this order; one that is asked about no more is gone. */
  const waiting = new Map<string, number>()

  // Many who wait are asked for less often, so that all of them together are read no more often than few.
  const pending = (name: string, reason: string): Creation => {
    const nowMs = host.clock.nowMs()
    waiting.delete(name)
    waiting.set(name, nowMs)
    for (const [oldest, atMs] of waiting) {
      if (nowMs - atMs < forgottenMs) break
      end(oldest)
    }
    return { _tag: 'Pending', reason, retryAfterMs: Math.max(pollMs, waiting.size * 10) }
  }
  const end = (name: string): Creation => {
    waiting.delete(name)
    begun.delete(name)
    for (const extension of extensionNames(settings)) extensionUrls.delete(`${name}/${extension}`)
    return done
  }

  const fail = (name: string, { claim, instance }: VmSubject, error: ArmError): Creation => {
    end(name)
    const { instanceType, zone, capacityType, imageId } = instance
    host.record(launchFailures, 1, {
      image: imageId ?? '',
      size: instanceType,
      zone,
      capacity_type: capacityType,
      nodepool: claim.nodePool ?? '',
      phase: 'async',
      error_code: error.code,
    })
    const attempt = { sku: deps.skuOf(instanceType), zone, capacityType, isMachine: false }
    // The VM was made, or half of it: the claim goes with it, and another one gets what is left.
    const { keepClaim: _, ...failure } = launchFailureOf(error, attempt)
    return { _tag: 'Failed', failure }
  }

  /** Why a VM came to nothing: what its operation says, else what its instance view says. */
  const errorOf = async (name: string, { signal }: Call): Promise<ArmError> => {
    const urls: ReadonlyArray<readonly [string, string | undefined]> = [
      [vmAction, begun.get(name)?.statusUrl],
      ...extensionNames(settings).map(
        (extension) => [extensionAction, extensionUrls.get(`${name}/${extension}`)] as const,
      ),
    ]
    for (const [action, statusUrl] of urls) {
      if (statusUrl === undefined) continue
      const state = await ports.operation({ statusUrl, action }, signal)()
      if (E.isRight(state) && state.right._tag === 'Failed') return state.right.error
    }
    const seen = await ports.compute.getVm({ resourceGroup, name, withInstanceView: true }, signal)()
    return (
      (E.isRight(seen) ? errorInView(seen.right) : undefined) ?? {
        action: vmAction,
        code: 'UnknownError',
        message: `VM ${name} could not be made, and Azure does not say why`,
        phase: 'operation',
      }
    )
  }

  const putExtension = async (
    extension: string,
    name: string,
    subject: VmSubject,
    call: Call,
  ): Promise<E.Either<ProviderError, Creation>> => {
    const { claim, nodeClass } = subject
    let command = begun.get(name)?.command ?? ''
    if (extension === bootstrapExtensionName && command === '') {
      const found = await deps.commandFor(subject, call)()
      if (E.isLeft(found)) return E.left(found.left.error)
      command = found.right
    }
    const tags = tagsOf({ claim, nodeClass, cluster: call.cluster, settings })
    const { body } = extensionOf(extension, { location: settings.location, tags, command })
    const put = await ports.compute.putExtension({ resourceGroup, name, extension, body }, call.signal)()
    if (E.isRight(put)) {
      extensionUrls.set(`${name}/${extension}`, put.right.statusUrl)
      return E.right(pending(name, 'AwaitingExtension'))
    }
    // Another change of the VM may be under way, and tokens get renewed; what is refused will be refused again.
    const isWorthAnother = isTransient(put.left) || isUnauthenticated(put.left) || put.left.status === 409
    if (isWorthAnother || put.left.code === 'Cancelled') return E.left(providerErrorOf(put.left))
    return E.right(fail(name, subject, put.left))
  }

  /** Asked for where the VM does not show it: it is idle, and the extension not on its list. */
  const hasEnded = async (
    key: string,
    { signal }: Call,
  ): Promise<E.Either<ProviderError, 'Running' | 'Succeeded' | ArmError>> => {
    const statusUrl = extensionUrls.get(key)
    if (statusUrl === undefined) return E.right('Succeeded')
    const state = await ports.operation({ statusUrl, action: extensionAction }, signal)()
    if (E.isLeft(state)) return E.left(providerErrorOf(state.left))
    if (state.right._tag === 'Failed') return E.right(state.right.error)
    if (state.right._tag === 'Succeeded') extensionUrls.set(key, undefined)
    return E.right(state.right._tag)
  }

  return (name, subject, call) => async () => {
    const { provisioningState = '', extensions = [] } = subject.instance.details ?? {}
    if (provisioningState === 'Deleting') return E.right(end(name))
    if (provisioningState === 'Failed') {
      if (!subject.claim.registered) return E.right(fail(name, subject, await errorOf(name, call)))
      // The node works: it is not ended for something that is not needed to run pods.
      host.log('warn', 'A VM whose node has registered is marked as failed', { name })
      return E.right(end(name))
    }
    if (provisioningState === 'Creating') return E.right(pending(name, 'AwaitingCreation'))
    // While an extension is being installed the VM is being updated.
    if (provisioningState === 'Updating') return E.right(pending(name, 'AwaitingExtension'))
    for (const extension of extensionNames(settings)) {
      if (extensions.includes(extension)) continue
      const key = `${name}/${extension}`
      if (!extensionUrls.has(key)) return putExtension(extension, name, subject, call)
      const ended = await hasEnded(key, call)
      if (E.isLeft(ended)) return ended
      if (ended.right === 'Running') return E.right(pending(name, 'AwaitingExtension'))
      if (ended.right !== 'Succeeded') return E.right(fail(name, subject, ended.right))
    }
    return E.right(end(name))
  }
}

/** The error in the statuses of an instance view: `ProvisioningState/failed/CODE`. */
const errorInView = ({ instanceView }: VirtualMachine): ArmError | undefined => {
  const statuses = [
    ...(instanceView?.statuses ?? []),
    ...(instanceView?.extensions ?? []).flatMap(({ statuses: own = [] }) => own),
  ]
  for (const { code = '', message } of statuses) {
    const [, found] = /^ProvisioningState\/failed\/(.+)$/i.exec(code) ?? []
    if (found !== undefined)
      return { action: vmAction, code: found, message: message ?? `Azure says ${found}`, phase: 'operation' }
  }
  return undefined
}
