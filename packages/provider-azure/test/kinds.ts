import { resource } from '@scantling/kube-sim'
import { kinds } from '@scantling/simulation'

/** The kinds that tests of the controller read and write. */
export const azureKinds = { ...kinds, nodeClasses: resource('karpenter.azure.com/v1beta1', 'aksnodeclasses') }
