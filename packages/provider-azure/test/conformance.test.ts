import { describeCloudProvider } from '@scantling/conformance'
import { subjectOf } from './conformance-subject.ts'
import { notSupported } from './not-supported.ts'

describeCloudProvider('provider-azure, VMs', subjectOf('vms'), { notSupported })
describeCloudProvider('provider-azure, machines of AKS', subjectOf('machines'), { notSupported })
