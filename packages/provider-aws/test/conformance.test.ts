import { describeCloudProvider } from '@scantling/conformance'
import { makeSubject } from './conformance-subject.ts'

describeCloudProvider('provider-aws', makeSubject)
