import { Requirement } from '../requirements/index.ts'

export const taintEffects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] as const
export type TaintEffect = (typeof taintEffects)[number]

/** A mark on a node that keeps pods away unless they tolerate it. */
export interface Taint {
  readonly key: string
  readonly value?: string
  readonly effect: TaintEffect
}

/** A pod's permission to ignore matching taints. No `key` matches every key, no `effect` every effect. */
export interface Toleration {
  readonly key?: string
  /** Equal is the default. Gt and Lt compare integers: the taint's value with the toleration's. */
  readonly operator?: 'Equal' | 'Exists' | 'Gt' | 'Lt'
  readonly value?: string
  readonly effect?: TaintEffect
  readonly tolerationSeconds?: number
}

/**
 * Whether one toleration covers one taint.
 *
 * Source: Kubernetes docs, "Taints and Tolerations"; numeric operators as in KEP-5471.
 *
 * @example
 * Taints.covers({ operator: 'Exists' }, { key: 'gpu', value: 'yes', effect: 'NoExecute' }) // => true
 */
export const covers = (toleration: Toleration, taint: Taint): boolean => {
  if (toleration.effect !== undefined && toleration.effect !== taint.effect) return false
  if (toleration.key !== undefined && toleration.key !== '' && toleration.key !== taint.key) return false
  switch (toleration.operator ?? 'Equal') {
    case 'Exists':
      return true
    case 'Equal':
      return (toleration.value ?? '') === (taint.value ?? '')
    case 'Gt':
    case 'Lt': {
      const threshold = Requirement.parseInteger(toleration.value ?? '')
      const value = Requirement.parseInteger(taint.value ?? '')
      if (threshold === undefined || value === undefined) return false
      return toleration.operator === 'Gt' ? value > threshold : value < threshold
    }
  }
}

/**
 * The taints that no toleration covers; PreferNoSchedule counts like the others (P-TNT-01).
 *
 * @example
 * Taints.untolerated([{ key: 'gpu', effect: 'NoSchedule' }], []).map(Taints.render) // => ['gpu:NoSchedule']
 */
export const untolerated = (
  taints: ReadonlyArray<Taint>,
  tolerations: ReadonlyArray<Toleration>,
): ReadonlyArray<Taint> => taints.filter((taint) => !tolerations.some((toleration) => covers(toleration, taint)))

/**
 * Whether every taint is covered; see {@link untolerated}.
 *
 * @example
 * const gpu = { key: 'gpu', value: 'yes', effect: 'NoSchedule' } as const
 * Taints.areTolerated([gpu], [{ key: 'gpu', operator: 'Exists' }]) // => true
 * Taints.areTolerated([gpu], []) // => false
 */
export const areTolerated = (taints: ReadonlyArray<Taint>, tolerations: ReadonlyArray<Toleration>): boolean =>
  taints.every((taint) => tolerations.some((toleration) => covers(toleration, taint)))

/**
 * Whether two taints are the same mark: key and effect, whatever the value.
 *
 * @example
 * Taints.isSameMark({ key: 'a', value: '1', effect: 'NoSchedule' }, { key: 'a', value: '2', effect: 'NoSchedule' })
 * // => true
 */
export const isSameMark = (a: Taint, b: Taint): boolean => a.key === b.key && a.effect === b.effect

/**
 * The first list, then what the second adds by key and effect (P-TNT-06).
 *
 * @example
 * Taints.merge(
 *   [{ key: 'a', value: '1', effect: 'NoSchedule' }],
 *   [
 *     { key: 'a', value: '2', effect: 'NoSchedule' },
 *     { key: 'b', effect: 'NoExecute' },
 *   ],
 * ).map(Taints.render) // => ['a=1:NoSchedule', 'b:NoExecute']
 */
export const merge = (first: ReadonlyArray<Taint>, second: ReadonlyArray<Taint>): ReadonlyArray<Taint> => [
  ...first,
  ...second.filter((taint) => !first.some((present) => isSameMark(present, taint))),
]

/** On a node that is being disrupted. */
export const disruptedTaint: Taint = { key: 'karpenter.sh/disrupted', effect: 'NoSchedule' }
/** On a node until its claim is registered. */
export const unregisteredTaint: Taint = { key: 'karpenter.sh/unregistered', effect: 'NoExecute' }

const ephemeral: ReadonlyArray<Taint> = [
  { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', effect: 'NoSchedule' },
  { key: 'node.cloudprovider.kubernetes.io/uninitialized', effect: 'NoSchedule' },
  unregisteredTaint,
]

/**
 * Whether a taint is one that starting nodes carry and shed by themselves (P-TNT-02).
 *
 * @example
 * Taints.isEphemeral({ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }) // => true
 */
export const isEphemeral = (taint: Taint): boolean =>
  taint.key.startsWith('readiness.k8s.io/') || ephemeral.some((known) => isSameMark(known, taint))

/**
 * `key=value:effect`, as the Kubernetes command line writes it.
 *
 * @example
 * Taints.render({ key: 'team', value: 'a', effect: 'NoSchedule' }) // => 'team=a:NoSchedule'
 */
export const render = (taint: Taint): string =>
  `${taint.key}${taint.value === undefined || taint.value === '' ? '' : `=${taint.value}`}:${taint.effect}`
