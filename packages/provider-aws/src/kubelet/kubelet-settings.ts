import { s, decoderOf, renderFieldError, type TypeOf } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { Ec2NodeClassSpec } from '../node-class/index.ts'

/** The kubelet configuration of a NodeClass as it is written: any fields of KubeletConfiguration. */
export type KubeletFields = NonNullable<Ec2NodeClassSpec['kubelet']>

const textByKey = s.optional(s.record(s.string()))
const fields = {
  clusterDNS: s.optional(s.array(s.string())),
  podsPerCore: s.optional(s.integer()),
  systemReserved: textByKey,
  kubeReserved: textByKey,
  evictionHard: textByKey,
  evictionSoft: textByKey,
  evictionSoftGracePeriod: textByKey,
  evictionMaxPodGracePeriod: s.optional(s.integer()),
  imageGCHighThresholdPercent: s.optional(s.integer()),
  imageGCLowThresholdPercent: s.optional(s.integer()),
  cpuCFSQuota: s.optional(s.boolean()),
}
const schema = s.object(fields)
const decode = decoderOf(schema)

/** The fields that scheduling or the start of nodes reads; the others go to nodes of AL2023 as they are (A-KUB-07). */
export interface KubeletSettings extends TypeOf<typeof schema> {
  /** A number, or an expression over the instance type. */
  readonly maxPods?: number | string
}

export const managedKubeletFields: ReadonlySet<string> = new Set([...Object.keys(fields), 'maxPods'])

/**
 * The settings among the fields of a kubelet configuration.
 *
 * Errors: a sentence for each field of a wrong form. A configuration without `kubeletProblems` has none (A-KUB-09).
 */
export const readKubelet = (kubelet: KubeletFields = {}): E.Either<string, KubeletSettings> => {
  const maxPods = kubelet['maxPods'] ?? undefined
  if (maxPods !== undefined && typeof maxPods !== 'string' && !Number.isInteger(maxPods))
    return E.left('Cannot read spec.kubelet.maxPods: expected a whole number or an expression')
  return pipe(
    decode(kubelet),
    E.bimap(
      (errors) => errors.map((error) => renderFieldError({ ...error, path: `spec.kubelet.${error.path}` })).join('; '),
      (settings) => (maxPods === undefined ? settings : { ...settings, maxPods: maxPods as number | string }),
    ),
  )
}
