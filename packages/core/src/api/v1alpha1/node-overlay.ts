import { decoderOf, s, type TypeOf } from '../../schema/index.ts'
import type { CustomResource } from '../custom-resource.ts'
import { clusterMetadata, identityOf } from '../kube/index.ts'
import { conditionsSchema, overlayRequirementsSchema } from '../v1/index.ts'

/** Resources that an overlay may not change (P-OVA-04). */
export const overlayProtectedResources: ReadonlyArray<string> = ['cpu', 'memory', 'ephemeral-storage', 'pods']

interface PriceShape {
  readonly price?: string
  readonly priceAdjustment?: string
}

const specSchema = s.object(
  {
    requirements: overlayRequirementsSchema,
    price: s.optional(
      s.string({
        description: 'The price per hour of what matches, in place of the provider’s.',
        pattern: '^\\d+(\\.\\d+)?$',
        expected: 'a price such as "0.25", as text',
      }),
    ),
    priceAdjustment: s.optional(
      s.string({
        description:
          'What is added to the price: an amount such as +0.5 or -0.5, or a percentage such as +10% or -15%.',
        pattern: '^(([+-]{1}(\\d*\\.?\\d+))|(\\+{1}\\d*\\.?\\d+%)|(^(-\\d{1,2}(\\.\\d+)?%)$)|(-100%))$',
        expected: 'an amount or a percentage with its sign, such as "-0.5" or "+10%"',
      }),
    ),
    capacity: s.optional(
      s.record(s.quantity(), {
        description: 'Extended resources that the nodes hold beside those the provider knows of.',
        rules: [
          {
            message: 'invalid resource restricted',
            cel: "self.all(x, !(x in ['cpu', 'memory', 'ephemeral-storage', 'pods']))",
            each: (name: string) => !overlayProtectedResources.includes(name),
          },
        ],
      }),
    ),
    weight: s.optional(
      s.integer({
        description:
          'Overlays of higher weight win. Absent counts as 0. At equal weight the one whose name comes later in the alphabet wins.',
        format: 'int32',
        minimum: 1,
        maximum: 10000,
      }),
    ),
  },
  {
    rules: [
      {
        message: "cannot set both 'price' and 'priceAdjustment'",
        cel: '!has(self.price) || !has(self.priceAdjustment)',
        holds: ({ price, priceAdjustment }: PriceShape) => price === undefined || priceAdjustment === undefined,
      },
    ],
  },
)

export const nodeOverlaySchema = s.named(
  'NodeOverlay',
  s.object({
    ...identityOf('karpenter.sh/v1alpha1', 'NodeOverlay'),
    metadata: clusterMetadata,
    spec: specSchema,
    status: s.filledIn(
      s.object(
        { conditions: s.filledIn(conditionsSchema({ isRelaxed: false }), []) },
        { description: 'Whether the overlay is valid and in force.' },
      ),
      {},
    ),
  }),
)

/** A `karpenter.sh/v1alpha1` NodeOverlay as on the wire. */
export interface NodeOverlayObject extends TypeOf<typeof nodeOverlaySchema> {}
export const decodeNodeOverlay = decoderOf<NodeOverlayObject>(nodeOverlaySchema)

/** The NodeOverlay's CustomResourceDefinition as data (P-OVA-01). */
export const nodeOverlayResource: CustomResource = {
  group: 'karpenter.sh',
  kind: 'NodeOverlay',
  names: { plural: 'nodeoverlays', short: ['overlays'], categories: ['karpenter'] },
  columns: [
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    { name: 'Weight', type: 'integer', jsonPath: '.spec.weight', wide: true },
  ],
  versions: [{ name: 'v1alpha1', schema: nodeOverlaySchema }],
}
