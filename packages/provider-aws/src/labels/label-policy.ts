import { labelKeys, type LabelPolicy } from '@scantling/core'
import { awsLabelKeys, internalKeys } from './keys.ts'

const reservationKeys = [
  awsLabelKeys.reservationId,
  awsLabelKeys.reservationType,
  awsLabelKeys.reservationInterruptible,
] as const

const tenancies = ['default', 'dedicated'] as const
const notInOverlays: ReadonlySet<string> = new Set([
  ...reservationKeys,
  awsLabelKeys.tenancy,
  awsLabelKeys.placementGroupId,
  awsLabelKeys.placementGroupPartition,
])

/** What EC2 adds to the knowledge of labels (A-LBL-01). */
export const awsLabelPolicy: LabelPolicy = {
  wellKnown: Object.values(awsLabelKeys).map((key) => ({
    key,
    ...(key === awsLabelKeys.tenancy && { values: tenancies }),
    ...(notInOverlays.has(key) && { notInOverlays: true as const }),
  })),
  restricted: ['karpenter.k8s.aws'],
  aliases: { 'topology.ebs.csi.aws.com/zone': labelKeys.zone },
  internal: Object.values(internalKeys),
  reservation: { id: awsLabelKeys.reservationId, all: reservationKeys },
}
