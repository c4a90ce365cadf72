import { s, Time } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'

/** Digits and a unit: the amounts that AKS takes for log and swap sizes. Decimal units without a small `k`. */
export const sizePattern = '^\\d+(E|P|T|G|M|K|Ei|Pi|Ti|Gi|Mi|Ki)$'

const percent = (description: string) => s.integer({ description, format: 'int32', minimum: 0, maximum: 100 })

/** What of the kubelet can be configured (Z-API-09…11). */
export const kubeletSchema = s.object(
  {
    cpuManagerPolicy: s.defaulted(
      s.literals(['none', 'static'], { description: 'Whether containers of whole CPUs get them for themselves.' }),
      'none',
    ),
    cpuCFSQuota: s.defaulted(s.boolean({ description: 'Whether CPU limits are enforced by CFS quota.' }), true),
    cpuCFSQuotaPeriod: s.defaulted(
      s.string({
        description: 'Period of the CFS quota, from 1ms to 1s.',
        // The API server takes any text; what is no duration could not be given to a kubelet.
        problem: (text) => (E.isRight(Time.parseDuration(text)) ? undefined : 'expected a duration such as 100ms'),
      }),
      '100ms',
    ),
    imageGCHighThresholdPercent: s.optional(percent('Disk usage above which unused images are always removed.')),
    imageGCLowThresholdPercent: s.optional(percent('Disk usage below which images are never removed.')),
    topologyManagerPolicy: s.defaulted(
      s.literals(['restricted', 'best-effort', 'none', 'single-numa-node'], {
        description: 'How CPU and devices of a pod are aligned with NUMA nodes.',
      }),
      'none',
    ),
    allowedUnsafeSysctls: s.optional(
      s.array(s.string(), { description: 'Unsafe sysctls, or patterns that end in *, that pods may set.' }),
    ),
    containerLogMaxSize: s.defaulted(
      s.string({
        description: 'Size at which the log of a container is rotated, such as 50Mi.',
        pattern: sizePattern,
        expected: 'a size such as 50Mi',
      }),
      '50Mi',
    ),
    containerLogMaxFiles: s.defaulted(
      s.integer({ description: 'How many log files a container may have.', format: 'int32', minimum: 2 }),
      5,
    ),
    podPidsLimit: s.optional(s.integer({ description: 'How many processes a pod may have.', format: 'int64' })),
    failSwapOn: s.optional(
      s.boolean({ description: 'Whether the kubelet refuses to start with swap on. A swap file needs false.' }),
    ),
  },
  {
    description: 'Settings of the kubelet.',
    rules: [
      {
        message: 'imageGCHighThresholdPercent must be greater than imageGCLowThresholdPercent',
        cel: 'has(self.imageGCHighThresholdPercent) && has(self.imageGCLowThresholdPercent) ?  self.imageGCHighThresholdPercent > self.imageGCLowThresholdPercent  : true',
        holds: ({
          imageGCHighThresholdPercent: high,
          imageGCLowThresholdPercent: low,
        }: {
          readonly imageGCHighThresholdPercent?: number
          readonly imageGCLowThresholdPercent?: number
        }) => high === undefined || low === undefined || high > low,
      },
    ],
  },
)
