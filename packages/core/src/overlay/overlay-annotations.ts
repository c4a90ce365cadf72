import type { InstanceType } from '../instance/index.ts'
import { annotationKeys, type Labels } from '../labels/index.ts'
import { Requirements } from '../requirements/index.ts'

/**
 * The annotations that tell that overlays had a say in the choice of a claim (P-FIN-06, P-ITO-09).
 *
 * A price counts where the claim's requirements allow its offering.
 *
 * @example
 * import { instanceType } from '@scantling/core/testing'
 * overlayAnnotations([instanceType('m5.large', 2)], Requirements.empty) // => {}
 */
export const overlayAnnotations = (instanceTypes: ReadonlyArray<InstanceType>, requirements: Requirements): Labels => {
  const hasPrice = instanceTypes.some(({ offerings }) =>
    offerings.some((one) => one.isPriceOverlaid === true && Requirements.intersects(requirements, one.requirements)),
  )
  const hasCapacity = instanceTypes.some(({ isCapacityOverlaid }) => isCapacityOverlaid === true)
  return {
    ...(hasPrice ? { [annotationKeys.priceOverlayApplied]: 'true' } : {}),
    ...(hasCapacity ? { [annotationKeys.capacityOverlayApplied]: 'true' } : {}),
  }
}
