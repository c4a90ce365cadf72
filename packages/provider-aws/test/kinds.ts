import { resource } from '@scantling/kube-sim'
import { kinds } from '@scantling/simulation'

/** The kinds that tests of the controller read and write. */
export const awsKinds = { ...kinds, nodeClasses: resource('karpenter.k8s.aws/v1', 'ec2nodeclasses') }
