import { s, type Optional, type Rule } from '@scantling/core'
import { sizePattern } from './kubelet.ts'

/** Field of `sysctls` -> kernel key and range; the names are those of AKS' custom node configuration (Z-API-19). */
export const sysctlRanges = {
  fsAioMaxNr: ['fs.aio-max-nr', 65_536, 6_553_500],
  fsFileMax: ['fs.file-max', 8_192, 12_000_500],
  fsInotifyMaxUserWatches: ['fs.inotify.max_user_watches', 781_250, 2_097_152],
  fsNrOpen: ['fs.nr_open', 8_192, 20_000_500],
  kernelThreadsMax: ['kernel.threads-max', 20, 513_785],
  netCoreNetdevMaxBacklog: ['net.core.netdev_max_backlog', 1_000, 3_240_000],
  netCoreOptmemMax: ['net.core.optmem_max', 20_480, 4_194_304],
  netCoreRmemDefault: ['net.core.rmem_default', 212_992, 134_217_728],
  netCoreRmemMax: ['net.core.rmem_max', 212_992, 134_217_728],
  netCoreSomaxconn: ['net.core.somaxconn', 4_096, 3_240_000],
  netCoreWmemDefault: ['net.core.wmem_default', 212_992, 134_217_728],
  netCoreWmemMax: ['net.core.wmem_max', 212_992, 134_217_728],
  netIPv4NeighDefaultGcThresh1: ['net.ipv4.neigh.default.gc_thresh1', 128, 80_000],
  netIPv4NeighDefaultGcThresh2: ['net.ipv4.neigh.default.gc_thresh2', 512, 90_000],
  netIPv4NeighDefaultGcThresh3: ['net.ipv4.neigh.default.gc_thresh3', 1_024, 100_000],
  netIPv4TCPFinTimeout: ['net.ipv4.tcp_fin_timeout', 5, 120],
  netIPv4TCPKeepaliveIntvl: ['net.ipv4.tcp_keepalive_intvl', 10, 90],
  netIPv4TCPKeepaliveProbes: ['net.ipv4.tcp_keepalive_probes', 1, 15],
  netIPv4TCPKeepaliveTime: ['net.ipv4.tcp_keepalive_time', 30, 432_000],
  netIPv4TCPMaxSynBacklog: ['net.ipv4.tcp_max_syn_backlog', 128, 3_240_000],
  netIPv4TCPMaxTwBuckets: ['net.ipv4.tcp_max_tw_buckets', 8_000, 1_440_000],
  netNetfilterNfConntrackBuckets: ['net.netfilter.nf_conntrack_buckets', 65_536, 524_288],
  netNetfilterNfConntrackMax: ['net.netfilter.nf_conntrack_max', 131_072, 2_097_152],
  vmMaxMapCount: ['vm.max_map_count', 65_530, 262_144],
  vmSwappiness: ['vm.swappiness', 0, 100],
  vmVfsCachePressure: ['vm.vfs_cache_pressure', 0, 100],
} as const satisfies Readonly<Record<string, readonly [kernelKey: string, minimum: number, maximum: number]>>

type RangedSysctl = keyof typeof sysctlRanges
type Sysctls = { readonly [K in RangedSysctl]?: number } & { readonly netIPv4IPLocalPortRange?: string }

const rangedFields = Object.fromEntries(
  Object.entries(sysctlRanges).map(([name, [kernelKey, minimum, maximum]]) => [
    name,
    s.optional(s.integer({ description: `Sets ${kernelKey}.`, format: 'int32', minimum, maximum })),
  ]),
) as unknown as { readonly [K in RangedSysctl]: Optional<number> }

const atMost = (lower: RangedSysctl, upper: RangedSysctl): Rule => ({
  message: `${lower} must be <= ${upper}`,
  cel: `has(self.${lower}) && has(self.${upper}) ? self.${lower} <= self.${upper} : true`,
  holds: ({ [lower]: low, [upper]: high }: Sysctls) => low === undefined || high === undefined || low <= high,
})

const port = (index: 0 | 1) => `int(self.netIPv4IPLocalPortRange.split(' ')[${index}])`

const portRule = (message: string, cel: string, holds: (first: number, last: number) => boolean): Rule => ({
  message: `netIPv4IPLocalPortRange ${message}`,
  cel: `!has(self.netIPv4IPLocalPortRange) || ${cel}`,
  holds: ({ netIPv4IPLocalPortRange: range }: Sysctls) => {
    if (range === undefined) return true
    const [first = NaN, last = NaN] = range.split(' ').map(Number)
    return holds(first, last)
  },
})

/** Kernel settings; those that bound each other are held against each other (Z-API-20). */
const sysctlsSchema = s.object(
  {
    ...rangedFields,
    netIPv4IPLocalPortRange: s.optional(
      s.string({
        description: 'Sets net.ipv4.ip_local_port_range: first and last port, such as "32768 60999".',
        pattern: '^\\d+ \\d+$',
        expected: 'two ports such as "32768 60999"',
      }),
    ),
    netIPv4TCPTwReuse: s.optional(s.boolean({ description: 'Sets net.ipv4.tcp_tw_reuse.' })),
  },
  {
    description: 'Kernel settings of nodes.',
    rules: [
      atMost('netCoreRmemDefault', 'netCoreRmemMax'),
      atMost('netCoreWmemDefault', 'netCoreWmemMax'),
      atMost('netIPv4NeighDefaultGcThresh1', 'netIPv4NeighDefaultGcThresh2'),
      atMost('netIPv4NeighDefaultGcThresh2', 'netIPv4NeighDefaultGcThresh3'),
      portRule(
        'first port must be in [1024, 60999]',
        `(${port(0)} >= 1024 && ${port(0)} <= 60999)`,
        (first) => first >= 1024 && first <= 60_999,
      ),
      portRule(
        'last port must be in [32768, 65535]',
        `(${port(1)} >= 32768 && ${port(1)} <= 65535)`,
        (_, last) => last >= 32_768 && last <= 65_535,
      ),
      portRule('first port must be <= last port', `${port(0)} <= ${port(1)}`, (first, last) => first <= last),
    ],
  },
)

/** Swap, huge pages and kernel settings of nodes (Z-API-18). */
export const linuxOsConfigSchema = s.object(
  {
    swapFileSize: s.optional(
      s.string({
        description: 'Size of a swap file on each node, such as 1500Mi; rounded to whole megabytes.',
        pattern: sizePattern,
        expected: 'a size such as 1500Mi',
      }),
    ),
    transparentHugePageDefrag: s.optional(
      s.literals(['always', 'defer', 'defer+madvise', 'madvise', 'never'], {
        description: 'Sets /sys/kernel/mm/transparent_hugepage/defrag.',
      }),
    ),
    transparentHugePageEnabled: s.optional(
      s.literals(['always', 'madvise', 'never'], {
        description: 'Sets /sys/kernel/mm/transparent_hugepage/enabled.',
      }),
    ),
    sysctls: s.optional(sysctlsSchema),
  },
  { description: 'Settings of the operating system. https://learn.microsoft.com/azure/aks/custom-node-configuration' },
)
