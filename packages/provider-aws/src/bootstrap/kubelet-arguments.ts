import { Taints, Time } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import type { BootstrapInput } from './bootstrap-input.ts'

type Values = Readonly<Record<string, string>>

/** Entries in the order of their keys: the same settings give the same text, and so the same launch template. */
export const sortedEntries = (values: Values): ReadonlyArray<readonly [key: string, value: string]> =>
  Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1))

/** A duration as Go prints it: `1m30s`. */
export const goDuration = (text: string): string => {
  const parsed = Time.parseDuration(text)
  return E.isRight(parsed) ? Time.renderDuration(parsed.right) : text
}

const quoted = (text: string): string => JSON.stringify(text)

/** `--node-labels="…"`, or nothing without labels. */
export const nodeLabelsArgument = ({ labels }: Pick<BootstrapInput, 'labels'>): ReadonlyArray<string> => {
  const pairs = sortedEntries(labels).map(([key, value]) => `${key}=${value}`)
  return pairs.length === 0 ? [] : [`--node-labels=${quoted(pairs.join(','))}`]
}

/** A taint as the kubelet reads it: `key=value:Effect`, without the sign where there is no value. */
const renderTaint = Taints.render

const joined = (name: string, values: Values | undefined, separator: string): ReadonlyArray<string> =>
  values === undefined || Object.keys(values).length === 0
    ? []
    : [
        `${name}=${quoted(
          sortedEntries(values)
            .map(([key, value]) => `${key}${separator}${value}`)
            .join(','),
        )}`,
      ]

const single = (name: string, value: number | boolean | undefined): ReadonlyArray<string> =>
  value === undefined ? [] : [`${name}=${value}`]

/** The kubelet's flags in one fixed order (A-UD-06). */
export const kubeletArguments = (input: BootstrapInput): ReadonlyArray<string> => {
  const { settings } = input.kubelet
  const graces = settings.evictionSoftGracePeriod
  return [
    ...nodeLabelsArgument(input),
    `--register-with-taints=${quoted(input.taints.map(renderTaint).join(','))}`,
    ...single('--max-pods', settings.maxPods),
    ...single('--pods-per-core', settings.podsPerCore),
    ...joined('--system-reserved', settings.systemReserved, '='),
    ...joined('--kube-reserved', settings.kubeReserved, '='),
    ...joined('--eviction-hard', settings.evictionHard, '<'),
    ...joined('--eviction-soft', settings.evictionSoft, '<'),
    ...joined(
      '--eviction-soft-grace-period',
      graces && Object.fromEntries(Object.entries(graces).map(([key, value]) => [key, goDuration(value)])),
      '=',
    ),
    ...single('--eviction-max-pod-grace-period', settings.evictionMaxPodGracePeriod),
    ...single('--image-gc-high-threshold', settings.imageGCHighThresholdPercent),
    ...single('--image-gc-low-threshold', settings.imageGCLowThresholdPercent),
    ...single('--cpu-cfs-quota', settings.cpuCFSQuota),
  ]
}
