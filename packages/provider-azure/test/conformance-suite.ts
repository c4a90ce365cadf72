import { describe, test } from '@jest/globals'
import { checksFor, runCheck } from '@scantling/conformance'
import { overHttps } from './conformance-over-https.ts'
import { subjectOf } from './conformance-subject.ts'
import { notSupported } from './not-supported.ts'

const timeoutMs = 120_000
// The others ask what is decided without a call to the cloud, which sockets make no different.
const asksTheCloud = /^(converge|get|launch|list|release|resolve|tasks|terminate)\//

/** The checks of the conformance suite that ask the cloud, over the SDKs and sockets. */
export const describeOverHttps = (way: 'vms' | 'machines'): void =>
  describe(`provider-azure over HTTPS, ${way}, keeps the contract of CloudProvider`, () => {
    const make = subjectOf(way, overHttps)
    for (const check of checksFor(notSupported).filter(({ name }) => asksTheCloud.test(name)))
      test(`${check.name}: it ${check.title}`, () => runCheck(check, make), timeoutMs)
  })
