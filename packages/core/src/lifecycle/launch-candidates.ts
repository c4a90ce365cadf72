import { allocatableOfType, type InstanceType, type Offering } from '../instance/index.ts'
import { compareNumber, compareText } from '../internal/index.ts'
import type { NodeClaimFacts } from '../provider/index.ts'
import { Resources } from '../quantity/index.ts'
import { Requirements } from '../requirements/index.ts'

/**
 * The types that a claim may become now, cheapest first, each with only the offerings that meet the claim and can be
 * bought. A-FLT-01, P-PRC-01.
 *
 * The requests of a claim include what daemons need, so fitting means fitting whole. Equal prices go by name; a type
 * whose offerings have no price comes last.
 *
 * @example
 * import { instanceType } from '@scantling/core/testing'
 * const types = [instanceType('large', 8), instanceType('small', 2)]
 * const claim = { requirements: Requirements.empty, requests: Resources.parse({ cpu: '1' }) }
 * launchCandidates(types, claim, coreLabelKnowledge.wellKnown).map(({ name }) => name) // => ['small', 'large']
 */
export const launchCandidates = (
  types: ReadonlyArray<InstanceType>,
  { requirements, requests }: Pick<NodeClaimFacts, 'requirements' | 'requests'>,
  wellKnown: ReadonlySet<string>,
): ReadonlyArray<InstanceType> =>
  types
    .flatMap((type) => {
      if (!Requirements.intersects(requirements, type.requirements)) return []
      const offerings = type.offerings.filter(
        (offering) =>
          offering.unavailable === undefined &&
          Requirements.isCompatible(requirements, offering.requirements, wellKnown) &&
          Resources.fits(requests, allocatableOfType(type, offering)),
      )
      return offerings.length === 0 ? [] : [{ type: { ...type, offerings }, price: cheapest(offerings) }]
    })
    .sort((a, b) => compareNumber(a.price, b.price) || compareText(a.type.name, b.type.name))
    .map(({ type }) => type)

const cheapest = (offerings: ReadonlyArray<Offering>): number =>
  Math.min(...offerings.map(({ pricePerHour }) => pricePerHour ?? Infinity))
