import {
  capacityBufferResource,
  crdOf,
  nodeClaimResource,
  nodeOverlayResource,
  nodePoolResource,
  type CustomResource,
  type LabelPolicy,
} from '@scantling/core'
import { ec2NodeClass, provider as aws } from '@scantling/provider-aws'
import { aksNodeClass, azureLabelPolicy } from '@scantling/provider-azure'
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
      `# Written by "npm run generate" from packages/core/src/api; not edited by hand.\n${renderYaml(sorted(withLabelRules(crdOf(resource), resource)))}`,
    ]),
  )

/** What providers keep to themselves among labels. Their bare keys are left to the controller: others use the same words. */
const labelPolicies: ReadonlyArray<LabelPolicy> = [aws.labels ?? { wellKnown: [] }, azureLabelPolicy]

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly items?: SchemaNode
  'x-kubernetes-validations'?: ReadonlyArray<{ readonly message: string; readonly rule: string }>
}

/**
 * The definition with the rules on labels that each provider adds to kinds of all providers.
 *
 * One set of definitions serves every provider, so each has the rules of all: nobody names labels of another cloud.
 */
const withLabelRules = (crd: unknown, { kind }: CustomResource): unknown => {
  const paths = keysOf.get(kind)
  if (paths === undefined) return crd
  const copy = structuredClone(crd) as {
    readonly spec: { readonly versions: ReadonlyArray<{ readonly schema: { readonly openAPIV3Schema: SchemaNode } }> }
  }
  for (const { schema } of copy.spec.versions)
    for (const { path, each } of paths) {
      const node = path.reduce<SchemaNode | undefined>(
        (at, step) => (step === '[]' ? at?.items : at?.properties?.[step]),
        schema.openAPIV3Schema,
      )
      if (node === undefined) throw new Error(`Cannot restrict labels of ${kind}: it has no ${path.join('.')}`)
      node['x-kubernetes-validations'] = [...(node['x-kubernetes-validations'] ?? []), ...labelRules(kind, each)]
    }
  return copy
}

const labelRules = (kind: string, each: (rule: string) => string) =>
  labelPolicies.flatMap(({ wellKnown, restricted = [], allowed = [] }) =>
    restricted
      .filter((domain) => !domain.includes('/'))
      .map((domain) => {
        const known = [
          ...wellKnown.filter(({ notInOverlays }) => kind !== 'NodeOverlay' || !notInOverlays).map(({ key }) => key),
          ...allowed,
        ].filter((key) => key.split('/')[0]?.endsWith(domain))
        return {
          message: `label domain "${domain}" is restricted`,
          rule: each(`KEY in ${JSON.stringify(known)} || !KEY.find("^([^/]+)").endsWith("${domain}")`),
        }
      }),
  )

const ofKey = (rule: string) => rule.replaceAll('KEY', 'self')
const ofEveryKey = (rule: string) => `self.all(x, ${rule.replaceAll('KEY', 'x')})`

/** Where a kind names labels, and how a rule on one is said there. */
const keysOf: ReadonlyMap<
  string,
  ReadonlyArray<{ readonly path: ReadonlyArray<string>; readonly each: (rule: string) => string }>
> = new Map([
  [
    'NodePool',
    [
      { path: ['spec', 'template', 'metadata', 'labels'], each: ofEveryKey },
      { path: ['spec', 'template', 'spec', 'requirements', '[]', 'key'], each: ofKey },
    ],
  ],
  ['NodeClaim', [{ path: ['spec', 'requirements', '[]', 'key'], each: ofKey }]],
  ['NodeOverlay', [{ path: ['spec', 'requirements', '[]', 'key'], each: ofKey }]],
])

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
