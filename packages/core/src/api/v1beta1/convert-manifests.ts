import { convertEc2NodeClass } from './ec2-node-class.ts'
import { groupOf, isManifest, objectAt, textAt, type Manifest } from './manifest.ts'
import { convertNodeClaim, convertNodePool, type Conversion, type NodeClassName } from './node-pool.ts'

/** A sentence about one of the manifests that were given. */
export interface ManifestNote {
  /** Position in the list that was given. */
  readonly index: number
  /** `NodePool default`. */
  readonly subject: string
  readonly text: string
}

export interface ConvertedManifests {
  /** In the order given, those of today's form as they were. Retired kinds stay, too. */
  readonly manifests: ReadonlyArray<Manifest>
  readonly changes: ReadonlyArray<ManifestNote>
  /** What the user must settle: retired kinds, settings without a place. */
  readonly unsettled: ReadonlyArray<ManifestNote>
}

const converters = new Map<string, (manifest: Manifest) => Conversion>([
  ['karpenter.sh/v1beta1 NodePool', convertNodePool],
  ['karpenter.sh/v1beta1 NodeClaim', convertNodeClaim],
  ['karpenter.k8s.aws/v1beta1 EC2NodeClass', convertEc2NodeClass],
])

const retired = new Map([
  [
    'karpenter.sh Provisioner',
    'Provisioner was replaced by NodePool (karpenter.sh/v1): its requirements and taints stand in spec.template.spec, its ttlSecondsAfterEmpty and ttlSecondsUntilExpired became spec.disruption.consolidateAfter and spec.template.spec.expireAfter',
  ],
  [
    'karpenter.k8s.aws AWSNodeTemplate',
    'AWSNodeTemplate was replaced by EC2NodeClass (karpenter.k8s.aws/v1): its subnetSelector and securityGroupSelector became spec.subnetSelectorTerms and spec.securityGroupSelectorTerms',
  ],
  ['karpenter.sh Machine', 'Machine was replaced by NodeClaim (karpenter.sh/v1), which the controller makes by itself'],
])

/**
 * What replaced a kind that no longer exists, in one sentence; `undefined` for every other object.
 *
 * @example
 * replacementOf({ apiVersion: 'karpenter.sh/v1alpha5', kind: 'Provisioner' }) === undefined // => false
 * replacementOf({ apiVersion: 'v1', kind: 'Pod' }) // => undefined
 */
export const replacementOf = (manifest: unknown): string | undefined =>
  isManifest(manifest)
    ? retired.get(`${groupOf(textAt(manifest, 'apiVersion') ?? '')} ${textAt(manifest, 'kind') ?? ''}`)
    : undefined

/**
 * Whether the manifest has an old form that `convertManifests` knows.
 *
 * @example
 * isOldForm({ apiVersion: 'karpenter.sh/v1beta1', kind: 'NodePool', metadata: { name: 'general' } }) // => true
 */
export const isOldForm = (manifest: unknown): boolean => isManifest(manifest) && converters.has(identityOf(manifest))

/**
 * Manifests of the `v1beta1` APIs in today's form, with every change in words.
 *
 * Takes all manifests that belong together, since kubelet settings move from a NodePool to its NodeClass: into the one
 * that is among them, or into the notes for the user where it is not. Other objects pass through untouched.
 *
 * @example
 * const { manifests } = convertManifests([
 *   {
 *     apiVersion: 'karpenter.sh/v1beta1',
 *     kind: 'NodePool',
 *     metadata: { name: 'general' },
 *     spec: { template: { spec: {} } },
 *   },
 * ])
 * manifests[0]?.['apiVersion'] // => 'karpenter.sh/v1'
 */
export const convertManifests = (input: ReadonlyArray<Manifest>): ConvertedManifests => {
  const manifests: Array<Manifest> = []
  const changes: Array<ManifestNote> = []
  const unsettled: Array<ManifestNote> = []
  const kubelets: Array<{ readonly index: number; readonly kubelet: NonNullable<Conversion['kubelet']> }> = []
  const note = (index: number, text: string): ManifestNote => ({ index, subject: subjectOf(input[index]), text })
  for (const [index, manifest] of input.entries()) {
    const conversion = converters.get(identityOf(manifest))?.(manifest)
    const replacement = replacementOf(manifest)
    if (replacement !== undefined) unsettled.push(note(index, replacement))
    manifests.push(conversion?.manifest ?? manifest)
    changes.push(...(conversion?.changes ?? []).map((text) => note(index, text)))
    unsettled.push(...(conversion?.unsettled ?? []).map((text) => note(index, text)))
    if (conversion?.kubelet !== undefined) kubelets.push({ index, kubelet: conversion.kubelet })
  }
  for (const { index, kubelet } of kubelets) {
    const problem = settleKubelet(manifests, kubelet)
    if (problem !== undefined) unsettled.push(note(index, problem))
  }
  return { manifests, changes, unsettled }
}

const settleKubelet = (
  manifests: Array<Manifest>,
  { nodeClass, settings }: NonNullable<Conversion['kubelet']>,
): string | undefined => {
  const name = `${nodeClass.kind} ${nodeClass.name}`
  const position = manifests.findIndex((manifest) => isNamed(manifest, nodeClass))
  const target = manifests[position]
  if (target === undefined)
    return `${name} is not among the manifests: add spec.kubelet ${JSON.stringify(settings)} to it`
  const spec = objectAt(target, 'spec') ?? {}
  const present = objectAt(spec, 'kubelet')
  if (present === undefined) manifests[position] = { ...target, spec: { ...spec, kubelet: settings } }
  else if (canonical(present) !== canonical(settings)) {
    return `${name} has other kubelet settings already: give this NodePool a NodeClass of its own with spec.kubelet ${JSON.stringify(settings)}`
  }
  return undefined
}

const isNamed = (manifest: Manifest, { group, kind, name }: NodeClassName): boolean =>
  groupOf(textAt(manifest, 'apiVersion') ?? '') === group &&
  textAt(manifest, 'kind') === kind &&
  textAt(objectAt(manifest, 'metadata'), 'name') === name

const identityOf = (manifest: Manifest): string =>
  `${textAt(manifest, 'apiVersion') ?? ''} ${textAt(manifest, 'kind') ?? ''}`

const subjectOf = (manifest: Manifest | undefined): string =>
  `${textAt(manifest, 'kind') ?? 'object'} ${textAt(objectAt(manifest, 'metadata'), 'name') ?? ''}`.trim()

const canonical = (value: unknown): string =>
  isManifest(value)
    ? `{${Object.keys(value)
        .sort()
        .map((key) => `${key}:${canonical(value[key])}`)
        .join()}}`
    : JSON.stringify(value)
