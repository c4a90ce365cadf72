import type { InstanceType, NodeClaimFacts } from '@scantling/core'
import { instanceTypeOf } from '../src/instance-types/index.ts'
import { offeringsOf } from '../src/offerings/index.ts'
import type { AzureSettings } from '../src/settings.ts'
import { azureSettingsOf, claimOf, nodeClass, skuOf } from './builders.ts'

const region = 'southcentralus'
/** An instance type as the NodeClass and the settings make it. */
export const typeOf = (
  name = 'Standard_D2s_v3',
  capabilities: Readonly<Record<string, string>> = {},
  of = nodeClass(),
  settings = azureSettingsOf(),
): InstanceType => {
  const sku = skuOf(name, capabilities)
  const prices = { onDemand: new Map(), spot: new Map() }
  return instanceTypeOf(sku, offeringsOf(sku, region, { prices, usages: undefined }), of, settings, '1.33.5')
}

/** A node to be, and what is particular about it. */
export interface BootCase {
  readonly spec?: Readonly<Record<string, unknown>>
  readonly status?: Readonly<Record<string, unknown>>
  readonly version?: string
  readonly settings?: Partial<AzureSettings>
  readonly claim?: Partial<NodeClaimFacts>
  readonly type?: InstanceType
  readonly capacityType?: 'on-demand' | 'spot'
  readonly ultraSsd?: boolean
}
/** What a node boots with is made from: a spot machine of two CPUs unless the case says otherwise. */
export const bootInputs = ({
  spec,
  status,
  version = '1.33.5',
  settings,
  claim,
  type,
  capacityType = 'spot',
  ultraSsd = false,
}: BootCase) => {
  const all = azureSettingsOf(settings)
  const of = nodeClass(spec, status)
  const chosen = type ?? typeOf('Standard_D2s_v3', {}, of, all)
  const offering = chosen.offerings[capacityType === 'spot' ? 1 : 0]
  if (offering === undefined) throw new Error('no offering')
  const labelsInput = {
    claim: claimOf(claim),
    nodeClass: of,
    kubernetesVersion: version,
    type: chosen,
    offering,
    ultraSsd,
    settings: all,
  }
  return { labelsInput, settings: all, of, chosen, version }
}
