import type { Call, CancelSignal, ProviderError, Resolution, ResolveInput } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { isDenied, isNotFound, isThrottled, isUnauthenticated, providerErrorOf } from '../error-codes.ts'
import { isMaintenanceWindowOpen, resolveImages, resolveKubernetesVersion, type ImageCatalog } from '../image/index.ts'
import { resolveLocalDns } from '../local-dns/index.ts'
import { conditionReasons, conditionTypes, isFips, type AksNodeClass, type NodeImage } from '../node-class/index.ts'
import {
  isManagedSubnet,
  isSame,
  isSameVnet,
  parseResourceId,
  parseSubnetId,
  type SubnetId,
} from '../resource-id/index.ts'
import type { ArmError } from '../sdk/index.ts'
import type { AzureSettings } from '../settings.ts'

/** What a resolver asks of Azure. */
export interface ResolverCalls {
  readonly getSubnet: (subnet: SubnetId, signal: CancelSignal) => TaskEither<ArmError, unknown>
  readonly getDiskEncryptionSet: (
    set: { readonly resourceGroup: string; readonly name: string },
    signal: CancelSignal,
  ) => TaskEither<ArmError, unknown>
}

export interface ResolverOptions {
  readonly calls: ResolverCalls
  readonly images: ImageCatalog<ArmError>
  readonly settings: Pick<
    AzureSettings,
    'diskEncryptionSetId' | 'networkPlugin' | 'networkPolicy' | 'nodeResourceGroup' | 'useSig' | 'vnetSubnetId'
  >
  readonly nowMs: () => number
}

type Condition = Exclude<Resolution['conditions'][string], 'unchanged'>

/** What one step found. */
interface Step {
  readonly condition: Condition | 'unchanged'
  readonly recheckAfterMs?: number
  readonly failure?: ProviderError
}

const minute = 60_000
// Images and versions of the cluster come by themselves; a NIC keeps its address for three minutes after its VM.
const recheckMs = { kubernetesVersion: 15 * minute, images: 5 * minute, subnet: 3 * minute, validation: 60 * minute }
const soonMs = minute

const isTrue: Condition = { status: 'True' }
const isFalse = (reason: string, message: string): Condition => ({ status: 'False', reason, message })

/**
 * Resolves what a class names: version of Kubernetes, images, subnet, disk encryption, local DNS (Z-CTL-03).
 *
 * Every step is taken whatever the others find, and one that errs leaves the rest. Images follow the version within one
 * pass.
 *
 * Errors: in `failures`; the shell tries again.
 */
export const createResolver =
  (options: ResolverOptions) =>
  ({ nodeClass }: ResolveInput<AksNodeClass>, call: Call): TaskEither<never, Resolution> =>
  async () => {
    const { status } = nodeClass
    const { version, isUpgrade } = resolveKubernetesVersion(
      isReady(nodeClass, conditionTypes.kubernetesVersion) ? status.kubernetesVersion : undefined,
      call.cluster.kubernetesVersion,
    )
    const [images, subnet, validation] = await Promise.all([
      imagesStep(options, nodeClass, version, isUpgrade, call),
      subnetStep(options, nodeClass, call.signal),
      validationStep(options, call.signal),
    ])
    const localDns = resolveLocalDns({
      nodeClass,
      kubernetesVersion: version,
      settings: options.settings,
      objects: call.cluster.objects,
    })
    const localDnsStep: Step = E.isRight(localDns)
      ? {
          condition: isTrue,
          ...(localDns.right.recheckAfterMs !== undefined && { recheckAfterMs: localDns.right.recheckAfterMs }),
        }
      : {
          condition: isFalse(conditionReasons.checkingClusterRequirementsFailed, localDns.left),
          failure: { _tag: 'Unknown', message: localDns.left },
        }
    const localDnsState = E.isRight(localDns) ? localDns.right.state : status.localDNSState
    const steps: Readonly<Record<string, Step>> = {
      [conditionTypes.kubernetesVersion]: { condition: isTrue, recheckAfterMs: recheckMs.kubernetesVersion },
      [conditionTypes.images]: images.step,
      [conditionTypes.subnets]: subnet,
      [conditionTypes.validation]: validation,
      [conditionTypes.localDns]: localDnsStep,
    }
    const failures = Object.values(steps).flatMap(({ failure }) => failure ?? [])
    return E.right({
      status: {
        kubernetesVersion: version,
        ...(images.images.length > 0 && { images: images.images.map(imageJson) }),
        ...(localDnsState !== undefined && { localDNSState: localDnsState }),
      },
      conditions: Object.fromEntries(Object.entries(steps).map(([type, { condition }]) => [type, condition])),
      ...(failures.length > 0 && { failures }),
      recheckAfterMs: Math.min(...Object.values(steps).map(({ recheckAfterMs = Infinity }) => recheckAfterMs)),
    })
  }

const isReady = ({ status }: AksNodeClass, type: string): boolean =>
  status.conditions.some((condition) => condition.type === type && condition.status === 'True')

const imageJson = ({ id, requirements }: NodeImage) => ({
  id,
  requirements: requirements.map(({ key, operator, values }) => ({ key, operator, ...(values && { values }) })),
})

const imagesStep = async (
  { images, settings, nowMs }: ResolverOptions,
  nodeClass: AksNodeClass,
  kubernetesVersion: string,
  isUpgrade: boolean,
  { cluster, signal }: Call,
): Promise<{ readonly step: Step; readonly images: ReadonlyArray<NodeImage> }> => {
  const stored = nodeClass.status.images ?? []
  const latest =
    isFips(nodeClass) && !settings.useSig ? E.right([]) : await images.latest(nodeClass, kubernetesVersion, signal)()
  if (E.isLeft(latest)) {
    const failure = providerErrorOf(latest.left)
    // The images of before are of another version of Kubernetes, and may be of another system.
    const condition = isUpgrade
      ? isFalse(conditionReasons.kubernetesUpgrade, `Images for Kubernetes ${kubernetesVersion}: ${failure.message}`)
      : 'unchanged'
    return { step: { condition, failure, recheckAfterMs: recheckMs.images }, images: stored }
  }
  const resolved = resolveImages({
    nodeClass,
    latest: latest.right,
    useSig: settings.useSig,
    isUpgrade,
    window: isMaintenanceWindowOpen(cluster.objects, nowMs()),
  })
  if (resolved._tag === 'NotReady')
    return {
      step: { condition: isFalse(resolved.reason, resolved.message), recheckAfterMs: recheckMs.images },
      images: [],
    }
  const { problem } = resolved
  return {
    step: {
      condition: isTrue,
      recheckAfterMs: recheckMs.images,
      ...(problem !== undefined && { failure: { _tag: 'Unknown', message: problem } as const }),
    },
    images: resolved.images,
  }
}

/** Whether the subnet of a class is there and nodes may be in it (Z-NET-06). */
const subnetStep = async (
  { calls, settings }: ResolverOptions,
  { spec }: AksNodeClass,
  signal: CancelSignal,
): Promise<Step> => {
  const id = spec.vnetSubnetID ?? settings.vnetSubnetId
  const subnet = parseSubnetId(id)
  const ofCluster = parseSubnetId(settings.vnetSubnetId)
  if (subnet === undefined)
    return { condition: isFalse(conditionReasons.subnetIdInvalid, `spec.vnetSubnetID ${id} is no ID of a subnet`) }
  if (!isSame(id, settings.vnetSubnetId) && ofCluster !== undefined) {
    const isSharedNetwork = isSameVnet(subnet, ofCluster)
    if (isSharedNetwork && isManagedSubnet(ofCluster, settings.nodeResourceGroup))
      return {
        condition: isFalse(
          conditionReasons.subnetIdInvalid,
          `spec.vnetSubnetID ${id} is in the network that AKS manages: leave the field out, or use a cluster with a network of your own`,
        ),
      }
    if (!isSharedNetwork)
      return {
        condition: isFalse(
          conditionReasons.subnetIdInvalid,
          `spec.vnetSubnetID ${id} is not in the cluster’s network, ${settings.vnetSubnetId}: nodes can be in that one alone`,
        ),
      }
  }
  const found = await calls.getSubnet(subnet, signal)()
  if (E.isRight(found)) return { condition: isTrue, recheckAfterMs: recheckMs.subnet }
  const failure = providerErrorOf(found.left)
  // What was not answered says nothing of the subnet.
  if (isThrottled(found.left)) return { condition: 'unchanged', recheckAfterMs: soonMs, failure }
  const reason = isNotFound(found.left) ? conditionReasons.subnetNotFound : conditionReasons.subnetUnknownError
  const what = isNotFound(found.left) ? 'There is no such subnet' : 'The subnet cannot be read'
  return { condition: isFalse(reason, `${what}: ${id}: ${failure.message}`), recheckAfterMs: soonMs, failure }
}

/** Whether disks can be encrypted as the operator wants them (Z-CTL-05). */
const validationStep = async ({ calls, settings }: ResolverOptions, signal: CancelSignal): Promise<Step> => {
  const { diskEncryptionSetId } = settings
  const set = diskEncryptionSetId === '' ? undefined : parseResourceId(diskEncryptionSetId)
  if (set === undefined) return { condition: isTrue, recheckAfterMs: recheckMs.validation }
  const found = await calls.getDiskEncryptionSet({ resourceGroup: set.resourceGroup, name: set.name }, signal)()
  if (E.isRight(found)) return { condition: isTrue, recheckAfterMs: recheckMs.validation }
  const failure = providerErrorOf(found.left)
  if (isDenied(found.left) || isUnauthenticated(found.left))
    return {
      condition: isFalse(
        conditionReasons.diskEncryptionSetRbacMissing,
        `The controller’s identity may not read disk encryption set ${diskEncryptionSetId}: assign it the role Reader there (${failure.message})`,
      ),
      recheckAfterMs: soonMs,
    }
  return { condition: 'unchanged', recheckAfterMs: soonMs, failure }
}
