import * as core from '@scantling/core'
import type { ProvisioningOptions, ProvisioningPlan, Snapshot } from '@scantling/core'

type Plan = (snapshot: Snapshot, options: ProvisioningOptions) => ProvisioningPlan

export const planProvisioning: Plan = (snapshot, options) => {
  const plan = (core as unknown as { readonly planProvisioning?: Plan }).planProvisioning
  if (plan === undefined) throw new Error('The planner is not built yet')
  return plan(snapshot, options)
}
