import { afterAll, beforeAll, describe, test } from '@jest/globals'
import { checksFor, runCheck } from '@scantling/conformance'
import { subjectsOver } from '../conformance-over-sockets.ts'
import { startEmulator, type Emulator } from '../emulator/index.ts'

const timeoutMs = 120_000
// The others ask what is decided without a call to the cloud, or what the controller is tested with: the queue.
const asksTheCloud = /^(converge|get|launch|list|release|resolve|tasks|terminate)\//

/**
 * What moto, or our proxy before it, cannot be made to do:
 * - `garble`: it makes no instance without a type;
 * - `hideNew`: it hides them by the time of this machine, which does not wait for ours;
 * - `changePrice`: a price is that of all zones;
 * - `list/half`: its pages count launches, not instances.
 */
const notSupported = ['garble', 'hideNew', 'changePrice', 'list/half'] as const
// moto takes its time: the others of them come with `--full`.
const sample: ReadonlySet<string> = new Set([
  'converge/ends',
  'get/absent',
  'launch/answer-lost',
  'launch/no-surplus',
  'launch/raced',
  'launch/sold-out',
  'launch/throttled',
  'list/ended',
  'list/foreign',
  'list/throttled',
  'resolve/missing',
  'terminate/answer-lost',
  'terminate/foreign',
  'terminate/gone',
])
const isFull = process.env['SCANTLING_E2E'] === 'full'

describe('provider-aws over sockets keeps the contract of CloudProvider', () => {
  let aws: Emulator
  beforeAll(async () => {
    aws = await startEmulator({ cluster: 'conformance' })
  }, 300_000)
  afterAll(() => aws?.stop())
  const make = subjectsOver(() => aws)
  for (const check of checksFor(notSupported).filter(({ name }) =>
    isFull ? asksTheCloud.test(name) : sample.has(name),
  ))
    test(`${check.name}: it ${check.title}`, () => runCheck(check, make), timeoutMs)
})
