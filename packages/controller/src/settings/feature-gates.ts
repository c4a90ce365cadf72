import { SettingCodecs } from '@scantling/provider-kit'

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

export const defaultFeatureGates: FeatureGates = {
  nodeRepair: false,
  reservedCapacity: true,
  spotToSpotConsolidation: false,
  nodeOverlay: false,
  staticCapacity: false,
  capacityBuffer: false,
}

/** `NodeRepair=true,StaticCapacity=false`: the reference's names (O-03). */
export const featureGatesCodec = SettingCodecs.switches<keyof FeatureGates>(
  [
    ['nodeRepair', 'NodeRepair'],
    ['reservedCapacity', 'ReservedCapacity'],
    ['spotToSpotConsolidation', 'SpotToSpotConsolidation'],
    ['nodeOverlay', 'NodeOverlay'],
    ['staticCapacity', 'StaticCapacity'],
    ['capacityBuffer', 'CapacityBuffer'],
  ],
  defaultFeatureGates,
)
