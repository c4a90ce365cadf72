import { objectAt, textAt, without, type Manifest } from './manifest.ts'
import type { Conversion } from './node-pool.ts'

// The families whose latest image today's form names by an alias.
const aliases = new Map([
  ['AL2', 'al2@latest'],
  ['AL2023', 'al2023@latest'],
  ['Bottlerocket', 'bottlerocket@latest'],
  ['Windows2019', 'windows2019@latest'],
  ['Windows2022', 'windows2022@latest'],
])

/**
 * A `karpenter.k8s.aws/v1beta1` EC2NodeClass as `karpenter.k8s.aws/v1`.
 *
 * A family without image selectors becomes an alias, which today's form requires; with selectors both stay.
 * Source: https://karpenter.sh/docs/upgrading/v1-migration/
 */
export const convertEc2NodeClass = (manifest: Manifest): Conversion => {
  const changes: Array<string> = ['apiVersion is now karpenter.k8s.aws/v1']
  const unsettled: Array<string> = []
  const spec = objectAt(manifest, 'spec') ?? {}
  const terms = spec['amiSelectorTerms']
  const hasTerms = Array.isArray(terms) && terms.length > 0
  const family = textAt(spec, 'amiFamily')
  const alias = family === undefined ? undefined : aliases.get(family)
  const converted = { ...manifest, apiVersion: 'karpenter.k8s.aws/v1' }
  if (hasTerms) return { manifest: converted, changes, unsettled }
  if (alias === undefined) {
    unsettled.push(
      `spec.amiFamily ${family ?? 'is not set and'} has no image alias: name the images in spec.amiSelectorTerms`,
    )
    return { manifest: converted, changes, unsettled }
  }
  changes.push(`spec.amiFamily ${family} is now spec.amiSelectorTerms with alias ${alias}`)
  return {
    manifest: { ...converted, spec: { ...without(spec, 'amiFamily'), amiSelectorTerms: [{ alias }] } },
    changes,
    unsettled,
  }
}
