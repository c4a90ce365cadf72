import { overlayProtectedResources, requirementProblems, type NodeOverlayObject } from '../api/index.ts'
import type { NodeOverlay, PriceChange } from '../cluster/index.ts'
import { coreLabelKnowledge, type LabelKnowledge } from '../labels/index.ts'
import { renderFieldError } from '../schema/index.ts'
import { Resources } from '../quantity/index.ts'

/**
 * A NodeOverlay as it is evaluated.
 *
 * What admission cannot know, because it lacks the provider's labels, becomes `problems`; such an overlay is skipped
 * (P-OVC-06).
 *
 * @example
 * const decoded = decodeNodeOverlay({
 *   metadata: { name: 'discount' },
 *   spec: { requirements: [], priceAdjustment: '-15%' },
 * })
 * decoded._tag === 'Right' && ingestNodeOverlay(decoded.right).price // => { _tag: 'AddPercent', percent: -15 }
 */
export const ingestNodeOverlay = (
  { metadata, spec }: NodeOverlayObject,
  knowledge: LabelKnowledge = coreLabelKnowledge,
): NodeOverlay => {
  const text = spec.price ?? spec.priceAdjustment
  const price = text === undefined ? undefined : parsePriceChange(text)
  const capacity = spec.capacity ?? Resources.empty
  const isSecond = spec.price !== undefined && spec.priceAdjustment !== undefined
  return {
    name: metadata.name,
    weight: spec.weight ?? 0,
    requirements: spec.requirements,
    ...(price === undefined ? {} : { price }),
    capacity,
    problems: [
      ...spec.requirements.flatMap((requirement, index) =>
        requirementProblems(requirement, `spec.requirements[${index}]`, knowledge).map(renderFieldError),
      ),
      ...(isSecond ? ['spec: Invalid value: price and priceAdjustment exclude each other; remove one'] : []),
      ...(text !== undefined && price === undefined
        ? [
            `Cannot parse price change ${JSON.stringify(text)}: expected a price, an amount with its sign or a percentage`,
          ]
        : []),
      ...Object.keys(capacity)
        .filter((name) => overlayProtectedResources.includes(name))
        .map((name) => `spec.capacity[${name}]: Invalid value: the provider alone says how much ${name} a type has`),
    ],
  }
}

/**
 * Reads `price` or `priceAdjustment`; `undefined` for text that is neither (P-OVA-02, P-ITO-06).
 *
 * @example
 * parsePriceChange('-15%') // => { _tag: 'AddPercent', percent: -15 }
 */
export const parsePriceChange = (text: string): PriceChange | undefined => {
  const [, sign = '', digits = '', percent = ''] = /^([+-]?)(\d+(?:\.\d+)?|\.\d+)(%?)$/.exec(text) ?? []
  if (digits === '') return undefined
  const amount = Number(digits)
  if (sign === '') return percent === '' ? { _tag: 'Replace', pricePerHour: amount } : undefined
  const signed = sign === '-' ? -amount : amount
  if (percent === '') return { _tag: 'AddAmount', pricePerHour: signed }
  return signed < -100 ? undefined : { _tag: 'AddPercent', percent: signed }
}
