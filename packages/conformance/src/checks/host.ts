import type { CancelSignal } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { check } from '../check.ts'
import { expectEqual, expectTrue } from '../expectation.ts'
import type { Session } from '../session.ts'

/** What holds across members. */
export const hostChecks = [
  check('host/metrics', 'records no metric that the module did not declare', [], async (session) => {
    await exercise(session, session.call().signal)
    const declared = (session.subject.module.metrics ?? []).map(({ name }) => name)
    const odd = session.subject.host.recorded.find(({ name }) => !declared.includes(name))
    expectTrue(odd === undefined, `It records ${odd?.name}`)
  }),
  check('host/listeners', 'leaves no listener behind on the signal of a call that has ended', [], async (session) => {
    let listeners = 0
    const signal: CancelSignal = {
      aborted: false,
      addEventListener: () => void listeners++,
      removeEventListener: () => void listeners--,
    }
    await exercise(session, signal)
    // Removing what was removed already is harmless, so less than none is no fault.
    expectTrue(listeners <= 0, `There are ${listeners} listeners left`)
  }),
  check(
    'host/left',
    'answers a failing cloud with a Left, and never with a rejection',
    ['server-error'],
    async (session) => {
      const { live, ask, call } = session
      const { providerId } = await session.launch('t-1')
      await session.subject.pass(600_000)
      const fail = session.lever('fail')
      await fail('list', 'server-error')
      expectTrue(E.isLeft(await session.tryList()), 'list() answers')
      if (live.get !== undefined) {
        await fail('get', 'server-error')
        expectTrue(E.isLeft(await ask(live.get({ providerId }, call()))), 'get() answers')
      }
      await fail('terminate', 'server-error')
      expectTrue(E.isLeft(await ask(live.terminate({ providerId }, call()))), 'terminate() answers')
      await fail('launch', 'server-error')
      expectTrue(E.isLeft(await session.tryLaunch('t-2')), 'launch() answers')
    },
  ),
  check(
    'host/lives',
    'keeps nothing of one life of the provider for the next',
    ['restart', 'present'],
    async (session) => {
      const { providerId } = await session.launch('t-1')
      await session.terminateFully(providerId)
      const live = await session.restarted()
      const listed = await session.ask(live.list(session.call()))
      expectTrue(E.isRight(listed), 'list() after a restart fails')
      const left = E.isRight(listed) ? listed.right.instances.filter(({ phase }) => phase !== 'terminating') : []
      expectEqual(left, [], 'The list after a restart')
    },
  ),
]

const exercise = async (session: Session, signal: CancelSignal): Promise<void> => {
  const { live, ask, call, nodeClass } = session
  const given = call(signal)
  await ask(live.instanceTypes(nodeClass, given))
  const launched = await ask(live.launch(await session.request('t-1'), given))
  await ask(live.list(given))
  if (E.isLeft(launched)) return
  const { providerId } = launched.right.instance
  if (live.get !== undefined) await ask(live.get({ providerId }, given))
  await ask(live.terminate({ providerId }, given))
}
