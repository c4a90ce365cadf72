import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { parse, stringify, type TomlTable } from 'smol-toml'
import type { ResolvedImage, Ec2NodeClassSpec } from '../node-class/index.ts'
import type { BootstrapInput } from './bootstrap-input.ts'
import { goDuration } from './kubelet-arguments.ts'

export interface BottlerocketInput extends BootstrapInput {
  /** As the image's name or the alias states it; `undefined`: not known. */
  readonly version: string | undefined
}

/**
 * User data of Bottlerocket: the user's settings in TOML with ours over them (A-UD-12).
 *
 * Labels are merged, taints replaced as a whole, and everything else of the user's stays, keys that we do not know
 * included. Errors: a sentence, where the text is no TOML.
 */
export const bottlerocketUserData = (input: BottlerocketInput): E.Either<string, string> =>
  pipe(
    E.tryCatch(
      () => parse(input.userData ?? ''),
      (error) => `Cannot read userData as TOML: ${error instanceof Error ? firstLine(error.message) : String(error)}`,
    ),
    E.map((document) => {
      const settings = tableOf(document, 'settings')
      const kubernetes = tableOf(settings, 'kubernetes')
      const merged: TomlTable = {
        ...settings,
        kubernetes: {
          ...kubernetes,
          ...kubernetesSettings(input),
          'node-labels': { ...tableOf(kubernetes, 'node-labels'), ...input.labels },
          'node-taints': taintSettings(input),
        },
        ...(input.instanceStorePolicy === 'RAID0' && {
          'bootstrap-commands': {
            ...tableOf(settings, 'bootstrap-commands'),
            '000-mount-instance-storage': mountCommand(input.version),
          },
        }),
      }
      return stringify({ ...document, settings: merged })
    }),
  )

const firstLine = (text: string): string => text.split('\n')[0] ?? text

const tableOf = (table: TomlTable, key: string): TomlTable => {
  const value = table[key]
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
    ? (value as TomlTable)
    : {}
}

const kubernetesSettings = ({ clusterName, clusterEndpoint, caBundle, kubelet }: BottlerocketInput): TomlTable => {
  const { settings } = kubelet
  const [dns] = settings.clusterDNS ?? []
  const graces = settings.evictionSoftGracePeriod
  const given = {
    'cluster-name': clusterName,
    'api-server': clusterEndpoint,
    'cluster-certificate': caBundle,
    'cluster-dns-ip': dns,
    'max-pods': settings.maxPods,
    'system-reserved': settings.systemReserved,
    'kube-reserved': settings.kubeReserved,
    'eviction-hard': settings.evictionHard,
    'eviction-soft': settings.evictionSoft,
    'eviction-soft-grace-period':
      graces && Object.fromEntries(Object.entries(graces).map(([signal, value]) => [signal, goDuration(value)])),
    'eviction-max-pod-grace-period': settings.evictionMaxPodGracePeriod,
    'image-gc-high-threshold-percent': textOf(settings.imageGCHighThresholdPercent),
    'image-gc-low-threshold-percent': textOf(settings.imageGCLowThresholdPercent),
    'cpu-cfs-quota-enforced': settings.cpuCFSQuota,
  }
  return Object.fromEntries(
    Object.entries(given).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  )
}

const textOf = (value: number | undefined): string | undefined => (value === undefined ? undefined : String(value))

const taintSettings = ({ taints }: BottlerocketInput): TomlTable => {
  const byKey = new Map<string, Array<string>>()
  for (const { key, value = '', effect } of taints) byKey.set(key, [...(byKey.get(key) ?? []), `${value}:${effect}`])
  return Object.fromEntries([...byKey].sort(([a], [b]) => (a < b ? -1 : 1)))
}

// From this release on the image knows by itself which folders to bind (A-UD-14).
const bindsByDefaultFrom = [1, 46] as const

const bindsByDefault = (version: string | undefined): boolean => {
  if (version === 'latest') return true
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version ?? '') ?? []
  if (major === undefined || minor === undefined) return false
  const [fromMajor, fromMinor] = bindsByDefaultFrom
  return Number(major) === fromMajor ? Number(minor) >= fromMinor : Number(major) > fromMajor
}

const mountCommand = (version: string | undefined): TomlTable => ({
  commands: [
    ['apiclient', 'ephemeral-storage', 'init'],
    [
      'apiclient',
      'ephemeral-storage',
      'bind',
      ...(bindsByDefault(version) ? [] : ['--dirs', '/var/lib/containerd', '/var/lib/kubelet', '/var/log/pods']),
    ],
  ],
  mode: 'always',
  essential: true,
})

/**
 * The release of Bottlerocket that a NodeClass boots: of its alias, of a name among its selectors, of the image that an
 * id names, of any image found (A-UD-15).
 */
export const bottlerocketVersion = (
  { amiSelectorTerms }: Pick<Ec2NodeClassSpec, 'amiSelectorTerms'>,
  images: ReadonlyArray<Pick<ResolvedImage, 'id' | 'name'>>,
): string | undefined => {
  for (const { alias } of amiSelectorTerms) if (alias !== undefined) return alias.slice(alias.indexOf('@') + 1)
  const firstOf = (names: ReadonlyArray<string | undefined>) =>
    names.map((name) => (name === undefined ? undefined : versionInName(name))).find((found) => found !== undefined)
  const named = images.filter(({ name }) => name?.includes('bottlerocket') === true)
  return (
    firstOf(amiSelectorTerms.map(({ name }) => name)) ??
    firstOf(amiSelectorTerms.map(({ id }) => named.find((image) => image.id === id)?.name)) ??
    firstOf(named.map(({ name }) => name))
  )
}

// bottlerocket-aws-k8s-1.33-x86_64-v1.46.0-431fe75a
const versionInName = (name: string): string | undefined =>
  name.split('-').find((part) => part.startsWith('v') && part.includes('.'))
