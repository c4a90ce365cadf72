import type {
  LabelRules,
  PersistentVolume,
  Pod,
  StorageClass,
  VolumeClaim,
  VolumeReference,
  Volumes,
} from '../cluster/index.ts'
import { labelKeys } from '../labels/index.ts'
import { Requirements, type Aliases, type RequirementSpec } from '../requirements/index.ts'
import type { PodReason, VolumeClaimProblem } from './rejection.ts'

/** What a pod's volumes ask of its node. */
export interface PodVolumes {
  /** CSI driver → claims it would attach; what no driver tracks is left out (P-VLM-03). */
  readonly attached: ReadonlyMap<string, ReadonlySet<string>>
  /** Alternatives of places; empty: the volumes can be anywhere. */
  readonly alternatives: ReadonlyArray<Requirements>
  /** Whether a claim, volume or class behind them is missing, so that its places are unknown (P-VTP-07). */
  readonly isPlaceUnknown: boolean
  /** Whether what would be attached cannot be told either, so that the pod fits nowhere in this pass. */
  readonly isUnusable: boolean
  /** Whether the volumes combine in more places than are tried, so that the pod fits nowhere in this pass. */
  readonly hasTooManyPlaces: boolean
}

/** Why the pod's claims keep it from being scheduled at all (P-VTP-05); the first reason of each claim. */
export const volumeClaimProblems = (pod: Pod, volumes: Volumes, rules: LabelRules): ReadonlyArray<PodReason> =>
  pod.constraints.volumes.flatMap((reference): ReadonlyArray<PodReason> => {
    const claim = `${pod.namespace}/${reference.claimName}`
    const problem = claimProblem(volumes.claims.get(claim), volumes, rules)
    return problem === undefined ? [] : [{ _tag: 'VolumeClaimRefused', claim, problem }]
  })

const claimProblem = (
  claim: VolumeClaim | undefined,
  volumes: Volumes,
  rules: LabelRules,
): VolumeClaimProblem | undefined => {
  if (claim === undefined) return 'not found'
  if (claim.isDeleting) return 'being deleted'
  if (claim.phase === 'Lost') return 'lost its volume'
  const { volumeName = '', storageClassName = '' } = claim
  if (volumeName !== '') {
    const volume = volumes.persistentVolumes.get(volumeName)
    if (volume === undefined) return 'volume not found'
    if (volume.isDeleting) return 'volume being deleted'
    if (!claim.isBindCompleted) return 'binding not completed'
    return rules.unsupportedProvisioners.has(volume.driver ?? '') ? 'unsupported provisioner' : undefined
  }
  if (storageClassName === '') return 'unbound without a storage class'
  const storageClass = volumes.storageClasses.get(storageClassName)
  if (storageClass === undefined) return 'storage class not found'
  if (storageClass.volumeBindingMode === 'Immediate') return 'unbound with immediate binding'
  const hasUnsupportedKey = storageClass.allowedTopologies.some((term) =>
    term.some(({ key }) => rules.unsupportedTopologyKeys.has(key)),
  )
  if (hasUnsupportedKey) return 'unsupported topology key'
  return rules.unsupportedProvisioners.has(storageClass.provisioner) ? 'unsupported provisioner' : undefined
}

/**
 * What is known of the pod's volumes.
 *
 * Cost: O(places so far × places of the next volume) for each volume; never more than `most` places are kept.
 */
export const volumesOf = (
  pod: Pod,
  volumes: Volumes,
  aliases: Aliases,
  most: number = Number.POSITIVE_INFINITY,
): PodVolumes => {
  const attached = new Map<string, Set<string>>()
  let alternatives: ReadonlyArray<Requirements> = []
  let isPlaceUnknown = false
  let isUnusable = false
  let hasTooManyPlaces = false
  for (const reference of pod.constraints.volumes) {
    const id = claimId(pod, reference)
    const claim = volumes.claims.get(id)
    const source = claim === undefined ? undefined : sourceOf(claim, volumes)
    if (source === undefined || source === 'missing class') isPlaceUnknown = true
    if (source === 'missing volume') {
      isPlaceUnknown = true
      isUnusable = true
    }
    if (typeof source !== 'object') continue
    if (source.driver !== undefined) {
      const claims = attached.get(source.driver)
      if (claims === undefined) attached.set(source.driver, new Set([id]))
      else claims.add(id)
    }
    const places = source.terms.map((term) => Requirements.fromSpecs(term, aliases))
    if (places.length === 0 || hasTooManyPlaces) continue
    alternatives = merged(alternatives, places)
    hasTooManyPlaces = alternatives.length > most
  }
  const isKnown = !isPlaceUnknown && !hasTooManyPlaces
  return {
    attached,
    alternatives: isKnown ? alternatives : [],
    isPlaceUnknown,
    isUnusable,
    hasTooManyPlaces: hasTooManyPlaces && !isPlaceUnknown,
  }
}

const claimId = ({ namespace }: Pod, { claimName }: VolumeReference): string => `${namespace}/${claimName}`

interface VolumeSource {
  readonly driver?: string
  readonly terms: ReadonlyArray<ReadonlyArray<RequirementSpec>>
}

const sourceOf = (claim: VolumeClaim, volumes: Volumes): VolumeSource | 'missing volume' | 'missing class' => {
  const { volumeName = '', storageClassName = '' } = claim
  if (volumeName !== '') {
    const volume = volumes.persistentVolumes.get(volumeName)
    if (volume === undefined) return 'missing volume'
    return { ...(volume.driver === undefined ? {} : { driver: volume.driver }), terms: placesOf(volume) }
  }
  if (storageClassName === '') return { terms: [] }
  const storageClass = volumes.storageClasses.get(storageClassName)
  return storageClass === undefined
    ? 'missing class'
    : { driver: storageClass.provisioner, terms: termsOf(storageClass) }
}

const termsOf = ({ allowedTopologies }: StorageClass): ReadonlyArray<ReadonlyArray<RequirementSpec>> =>
  allowedTopologies.filter((term) => term.length > 0)

// P-VTP-02: a local volume binds its pod to a machine that is going away; what else its terms say still holds.
const placesOf = ({ nodeTerms, isNodeLocal }: PersistentVolume): ReadonlyArray<ReadonlyArray<RequirementSpec>> =>
  isNodeLocal ? nodeTerms.map((term) => term.filter(({ key }) => key !== labelKeys.hostname)) : nodeTerms

const nothing: ReadonlySet<string> = new Set()

// P-VTP-03: pairs that contradict each other are dropped, unless all do; then they stay and fail where they are tried. Of
// equal places the first stays: volumes of one zone each would otherwise multiply without saying more.
const merged = (
  present: ReadonlyArray<Requirements>,
  added: ReadonlyArray<Requirements>,
): ReadonlyArray<Requirements> => {
  if (present.length === 0) return added
  const compatible = new Map<string, Requirements>()
  const contradicting = new Map<string, Requirements>()
  for (const left of present) {
    for (const right of added) {
      const pairs = Requirements.intersects(left, right) ? compatible : contradicting
      const pair = Requirements.and(left, right)
      const text = Requirements.render(pair, nothing)
      if (!pairs.has(text)) pairs.set(text, pair)
    }
  }
  return [...(compatible.size > 0 ? compatible : contradicting).values()]
}
