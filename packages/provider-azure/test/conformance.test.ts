import { describeCloudProvider } from '@scantling/conformance'
import { subjectOf } from './conformance-subject.ts'

// Azure has no queue of interruptions and nothing to release; its price list has one price for all zones of a size.
const notSupported = ['release', 'interruptions', 'interrupt', 'sendGarbage', 'changePrice', 'hideNew'] as const

describeCloudProvider('provider-azure, VMs', subjectOf('vms'), { notSupported })
describeCloudProvider('provider-azure, machines of AKS', subjectOf('machines'), { notSupported })
