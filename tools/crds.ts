import {
  capacityBufferResource,
  crdOf,
  nodeClaimResource,
  nodeOverlayResource,
  nodePoolResource,
  type CustomResource,
} from '@scantling/core'
import { ec2NodeClass } from '@scantling/provider-aws'
import { aksNodeClass } from '@scantling/provider-azure'
import { kwokNodeClass } from '@scantling/provider-kwok'
import { renderYaml } from './yaml.ts'

/** The kinds whose CustomResourceDefinitions we install. */
export const customResources: ReadonlyArray<CustomResource> = [
  nodePoolResource,
  nodeClaimResource,
  nodeOverlayResource,
  capacityBufferResource,
  kwokNodeClass,
  ec2NodeClass,
  aksNodeClass,
]

/** `deploy/crds/<group>_<plural>.yaml` of each kind. */
export const renderCrds = (): Readonly<Record<string, string>> =>
  Object.fromEntries(
    customResources.map((resource) => [
      `deploy/crds/${resource.group}_${resource.names.plural}.yaml`,
      `# Written by "npm run generate" from packages/core/src/api; not edited by hand.\n${renderYaml(sorted(crdOf(resource)))}`,
    ]),
  )

// Sorted as the API server prints them, so that a diff against a cluster shows differences only.
const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  )
}
