import { describeCloudProvider } from './conformance.ts'
import { makeSubject } from './subject.ts'

describeCloudProvider('provider-kwok in one process', () => makeSubject('in-process'))
describeCloudProvider('provider-kwok over sockets', () => makeSubject('http'))
