import type { DriftVerdict, ManagedInstance } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { imageVersionOf } from './image/index.ts'
import type { AzureDetails } from './instances/index.ts'
import { nodeLabelKeys } from './labels/index.ts'
import { readyImages, readyKubernetesVersion, type AksNodeClass } from './node-class/index.ts'
import type { AzureSettings } from './settings.ts'

type Subject = ManagedInstance<AksNodeClass, AzureDetails>

const inSync: DriftVerdict = { _tag: 'InSync' }
const drifted = (reason: string, message: string): DriftVerdict => ({ _tag: 'Drifted', reason, message })

/**
 * Whether a launched node no longer is what its class asks for; the first check that finds something counts (Z-DRIFT-02).
 *
 * Of a VM: version of Kubernetes, identity of the kubelet, image. Of a machine: version, image, what AKS says. The hash
 * of the class comes before; it is the shell's to compare.
 */
export const driftOf =
  (settings: Pick<AzureSettings, 'kubeletIdentityClientId'>) =>
  (subject: Subject): DriftVerdict => {
    const isMachine = subject.instance.details?._tag === 'Machine'
    const checks = isMachine
      ? [kubernetesVersionDrift(subject), imageDrift(subject), machineDrift(subject)]
      : [kubernetesVersionDrift(subject), identityDrift(subject, settings.kubeletIdentityClientId), imageDrift(subject)]
    return checks.find(({ _tag }) => _tag === 'Drifted') ?? checks.find(({ _tag }) => _tag === 'Unknown') ?? inSync
  }

/** A node that runs another version than the class resolved to (Z-DRIFT-04). Builds of one version are that version. */
const kubernetesVersionDrift = ({ nodeClass, claim, node }: Subject): DriftVerdict => {
  const wanted = readyKubernetesVersion(nodeClass)
  if (E.isLeft(wanted) || node === undefined || claim.deleting) return inSync
  const running = versionOf(node.kubeletVersion)
  return running === versionOf(wanted.right)
    ? inSync
    : drifted('K8sVersionDrift', `The node runs Kubernetes ${running}, its class has ${wanted.right}`)
}

// The reference compares texts, so that a suffix of a build rolls every node (W-32).
const versionOf = (text: string): string => text.replace(/^v/, '').replace(/[-+].*$/, '')

/** A node that registered with another identity than nodes have now (Z-DRIFT-05). */
const identityDrift = ({ node }: Subject, wanted: string): DriftVerdict => {
  const label = nodeLabelKeys.kubeletIdentityClientId
  const actual = node !== undefined && Object.hasOwn(node.labels, label) ? node.labels[label] : ''
  return actual === undefined || actual === '' || actual === wanted
    ? inSync
    : drifted('KubeletIdentityDrift', `The node’s kubelet has identity ${actual}, new ones have ${wanted}`)
}

/**
 * A node whose image is none of its class's (Z-DRIFT-06).
 *
 * Definition and version count, wherever the image was published: a move from the community galleries to the shared ones
 * replaces nothing (W-32).
 */
const imageDrift = ({ nodeClass, claim, instance }: Subject): DriftVerdict => {
  const images = readyImages(nodeClass)
  if (E.isLeft(images)) return inSync
  const imageId = instance.imageId ?? claim.imageId ?? ''
  if (imageId === '') return { _tag: 'Unknown', message: 'Cannot tell which image the node booted' }
  if (images.right.length === 0)
    return { _tag: 'Unknown', message: `AKSNodeClass ${nodeClass.metadata.name} has no images in its status` }
  const actual = imageVersionOf(imageId)
  return images.right.some(({ id }) => imageVersionOf(id) === actual)
    ? inSync
    : drifted('ImageDrift', `The node booted ${imageId}, which is none of its class’s images`)
}

/** A machine of which AKS says that it should be made anew, or something that is not known here (Z-DRIFT-07). */
const machineDrift = ({ instance }: Subject): DriftVerdict => {
  const details = instance.details
  if (details?._tag !== 'Machine') return inSync
  const { driftAction = '', driftReason = '' } = details
  return driftAction === '' || driftAction === 'Synced'
    ? inSync
    : drifted('ClusterConfigDrift', `AKS wants the machine to be made anew (${driftAction}): ${driftReason}`)
}
