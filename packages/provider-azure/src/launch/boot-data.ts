import type { Call, LaunchFailure, NodeClaimFacts } from '@scantling/core'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { nodeLabels, scriptlessCustomData } from '../bootstrap/index.ts'
import type { AksNodeClass } from '../node-class/index.ts'
import type { AzureSettings } from '../settings.ts'
import type { LaunchPlan } from './plan.ts'

/** The node for which boot data is wanted. */
export interface BootWish {
  readonly claim: Pick<NodeClaimFacts, 'labels' | 'requirements' | 'taints' | 'startupTaints'>
  readonly nodeClass: AksNodeClass
  readonly plan: LaunchPlan
  /** Name of the security group of nodes. */
  readonly securityGroup: string
}

/** What makes a VM a node. */
export interface BootData {
  /** In base64. */
  readonly customData: string
  /** Command of an extension that is to run on the VM once it is made. */
  readonly command?: string
}

export type BootDataOf = (wish: BootWish, call: Call) => TaskEither<LaunchFailure, BootData>

/** Boot data that we write ourselves, without asking anybody. */
export const scriptlessBootData =
  (settings: AzureSettings): BootDataOf =>
  ({ claim, nodeClass, plan, securityGroup }, { cluster }) => {
    const { type, offering, ultraSsd, kubernetesVersion } = plan
    return TE.right({
      customData: scriptlessCustomData({
        claim,
        nodeClass,
        type,
        labels: nodeLabels({ claim, nodeClass, kubernetesVersion, type, offering, ultraSsd, settings }),
        kubernetesVersion,
        cluster,
        tenantId: settings.tenantId,
        networkSecurityGroup: securityGroup,
        settings,
      }),
    })
  }
