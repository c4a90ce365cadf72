import { describeOverHttps } from '../conformance-suite.ts'

describeOverHttps('machines')
