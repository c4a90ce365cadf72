import * as E from 'fp-ts/lib/Either.js'
import { settingCodec } from './codecs.ts'

/** Feature gates with the reference's names (parity section 2.5). */
export interface FeatureGates {
  readonly nodeRepair: boolean
  readonly reservedCapacity: boolean
  readonly spotToSpotConsolidation: boolean
  readonly nodeOverlay: boolean
  readonly staticCapacity: boolean
  readonly capacityBuffer: boolean
}

/** Kinds of objects that settings make the controller read beside the usual ones. */
export const followedFeatures = ({
  featureGates,
  schedulerConfig,
}: {
  readonly featureGates: FeatureGates
  readonly schedulerConfig: ReadonlyArray<unknown>
}) => ({
  nodeOverlays: featureGates.nodeOverlay,
  capacityBuffers: featureGates.capacityBuffer,
  services: schedulerConfig.length > 0,
})

const gateNames: ReadonlyArray<readonly [string, keyof FeatureGates]> = [
  ['NodeRepair', 'nodeRepair'],
  ['ReservedCapacity', 'reservedCapacity'],
  ['SpotToSpotConsolidation', 'spotToSpotConsolidation'],
  ['NodeOverlay', 'nodeOverlay'],
  ['StaticCapacity', 'staticCapacity'],
  ['CapacityBuffer', 'capacityBuffer'],
]

export const defaultFeatureGates: FeatureGates = {
  nodeRepair: false,
  reservedCapacity: true,
  spotToSpotConsolidation: false,
  nodeOverlay: false,
  staticCapacity: false,
  capacityBuffer: false,
}

/**
 * `NodeRepair=true,StaticCapacity=false`; gates not named keep their defaults, unknown ones are ignored.
 *
 * Source: parity row O-03.
 */
export const featureGatesCodec = settingCodec<FeatureGates>(
  'gates',
  (input) => {
    const gates: Record<keyof FeatureGates, boolean> = { ...defaultFeatureGates }
    for (const entry of input.split(',').map((each) => each.trim())) {
      if (entry === '') continue
      const [name, value, ...rest] = entry.split('=').map((each) => each.trim())
      if (rest.length > 0 || (value !== 'true' && value !== 'false')) {
        return E.left(`expected Gate=true or Gate=false, separated by commas; ${JSON.stringify(entry)} is neither`)
      }
      const known = gateNames.find(([each]) => each === name)
      if (known !== undefined) gates[known[1]] = value === 'true'
    }
    return E.right(gates)
  },
  (gates) => gateNames.map(([name, key]) => `${name}=${gates[key]}`).join(','),
)
