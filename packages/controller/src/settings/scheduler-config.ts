import * as E from 'fp-ts/lib/Either.js'
import { decodeSchedulerConfig, type TopologySpreadConstraint } from '@scantling/core'
import { parse } from 'yaml'
import { SettingCodecs } from '@scantling/provider-kit'

/** The scheduler's configuration as YAML or JSON: its default topology spread. P-CFG-03. */
export const schedulerConfigCodec = SettingCodecs.make<ReadonlyArray<TopologySpreadConstraint>>(
  'configuration',
  (input) => {
    let document: unknown
    try {
      document = parse(input, { schema: 'core' })
    } catch (error) {
      const [reason] = String(error instanceof Error ? error.message : error).split('\n')
      return E.left(`expected YAML or JSON: ${reason}`)
    }
    const decoded = decodeSchedulerConfig(document)
    return E.isLeft(decoded) ? E.left(decoded.left.join('; ')) : decoded
  },
  (constraints) => JSON.stringify({ podTopologySpread: { defaultConstraints: constraints } }),
)
