import { describe, expect, test } from '@jest/globals'
import type { Call, CloudProvider, InstanceType, LaunchRequest, NodeClassObject, ProviderHost } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'

/** A provider under test and the levers that the suite pulls. */
export interface Subject<C extends NodeClassObject> {
  readonly provider: CloudProvider<C>
  readonly nodeClass: C
  readonly host: ProviderHost
  /** Lets the cloud's time pass. */
  readonly pass: (ms: number) => Promise<void>
  /** The next call of this kind takes effect, and its answer is lost. */
  readonly loseAnswer: (operation: 'launch') => void
  /** The next call of this kind is refused for coming too fast. */
  readonly throttle: (operation: 'launch' | 'list') => void
  /** Nothing of this type can be bought until further notice. */
  readonly sellOut: (type: string, zone?: string) => void
  readonly close: () => Promise<void>
}

const cluster = { name: 'conformance', kubernetesVersion: '1.36.3', objects: {} }
const call = (signal: AbortSignal = new AbortController().signal): Call => ({ signal, cluster })

const right = async <L, A>(task: TaskEither<L, A>): Promise<A> => {
  const result = await task()
  if (E.isLeft(result)) throw new Error(`Expected a right, got ${JSON.stringify(result.left)}`)
  return result.right
}
const left = async <L, A>(task: TaskEither<L, A>): Promise<L> => {
  const result = await task()
  if (E.isRight(result)) throw new Error(`Expected a left, got ${JSON.stringify(result.right)}`)
  return result.left
}

/** What the port promises, asked of a provider from outside. */
export const describeCloudProvider = <C extends NodeClassObject>(
  name: string,
  make: () => Promise<Subject<C>>,
): void => {
  const withSubject = (run: (subject: Subject<C>) => Promise<void>) => async () => {
    const subject = await make()
    try {
      await run(subject)
    } finally {
      await subject.close()
    }
  }
  const typesOf = (subject: Subject<C>) => right(subject.provider.instanceTypes(subject.nodeClass, call()))
  const requestFor = (subject: Subject<C>, types: ReadonlyArray<InstanceType>, token: string): LaunchRequest<C> => {
    const [first, ...rest] = types
    if (first === undefined) throw new Error('Expected at least one candidate')
    return {
      token,
      nodeClass: subject.nodeClass,
      candidates: [first, ...rest],
      minValues: 'strict',
      claim: {
        name: `claim-${token}`,
        uid: token,
        generation: 1,
        nodePool: 'default',
        nodeClass: subject.nodeClass.metadata.name,
        labels: {},
        annotations: {},
        requirements: { byKey: new Map() },
        requests: {},
        taints: [],
        startupTaints: [],
        registered: false,
        deleting: false,
      },
    }
  }
  const launched = async (subject: Subject<C>, token: string) =>
    (await right(subject.provider.launch(requestFor(subject, await typesOf(subject), token), call()))).instance

  describe(`${name} keeps the contract of CloudProvider`, () => {
    test(
      'instanceTypes() is complete and the same array while nothing changed (P-CPI-02)',
      withSubject(async (subject) => {
        const types = await typesOf(subject)
        expect(types.length).toBeGreaterThan(0)
        expect(await typesOf(subject)).toBe(types)
      }),
    )

    test(
      'launch() gives one instance for one token, retried',
      withSubject(async (subject) => {
        const first = await launched(subject, 't-1')
        const again = await launched(subject, 't-1')
        expect(again.providerId).toBe(first.providerId)
        expect((await right(subject.provider.list(call()))).instances).toHaveLength(1)
      }),
    )

    test(
      'launch() gives one instance for one token, raced',
      withSubject(async (subject) => {
        const all = await Promise.all(Array.from({ length: 8 }, () => launched(subject, 't-1')))
        expect(new Set(all.map(({ providerId }) => providerId)).size).toBe(1)
        expect((await right(subject.provider.list(call()))).instances).toHaveLength(1)
      }),
    )

    test(
      'launch() finds its instance after the answer was lost',
      withSubject(async (subject) => {
        subject.loseAnswer('launch')
        const types = await typesOf(subject)
        await left(subject.provider.launch(requestFor(subject, types, 't-1'), call()))
        const again = await launched(subject, 't-1')
        const { instances } = await right(subject.provider.list(call()))
        expect(instances.map(({ providerId }) => providerId)).toEqual([again.providerId])
      }),
    )

    test(
      'launch() takes the cheapest candidate and says who owns it',
      withSubject(async (subject) => {
        const instance = await launched(subject, 't-1')
        const types = await typesOf(subject)
        const priceOf = (type: InstanceType) =>
          Math.min(...type.offerings.map(({ pricePerHour }) => pricePerHour ?? Infinity))
        const cheapest = Math.min(...types.map(priceOf))
        const own = types.find(({ name: typeName }) => typeName === instance.instanceType)
        expect(own && priceOf(own)).toBe(cheapest)
        expect(instance.owner).toEqual({
          nodePool: 'default',
          nodeClass: subject.nodeClass.metadata.name,
          nodeClaim: 'claim-t-1',
        })
      }),
    )

    test(
      'launch() marks what is sold out and goes on to the next',
      withSubject(async (subject) => {
        const [first, second] = await typesOf(subject)
        if (!first || !second) throw new Error('Expected two types')
        subject.sellOut(first.name)
        const result = await right(subject.provider.launch(requestFor(subject, [first, second], 't-1'), call()))
        expect(result.instance.instanceType).toBe(second.name)
        expect(result.unavailable?.length).toBeGreaterThan(0)
      }),
    )

    test(
      'launch() ends in InsufficientCapacity with a mark for each offering tried',
      withSubject(async (subject) => {
        const [first] = await typesOf(subject)
        if (!first) throw new Error('Expected a type')
        subject.sellOut(first.name)
        const failure = await left(subject.provider.launch(requestFor(subject, [first], 't-1'), call()))
        expect(failure.error._tag).toBe('InsufficientCapacity')
        expect(failure.unavailable).toHaveLength(first.offerings.length)
        expect((await right(subject.provider.list(call()))).instances).toEqual([])
      }),
    )

    test(
      'launch() reports throttling with the time to wait',
      withSubject(async (subject) => {
        subject.throttle('launch')
        const failure = await left(subject.provider.launch(requestFor(subject, await typesOf(subject), 't-1'), call()))
        expect(failure.error._tag).toBe('Throttled')
        expect(failure.error.retryAfterMs).toBeGreaterThan(0)
      }),
    )

    test(
      'an instance runs after a while, and list() and get() agree on it',
      withSubject(async (subject) => {
        const { providerId, phase } = await launched(subject, 't-1')
        expect(phase).toBe('pending')
        await subject.pass(10 * 60_000)
        const [listed] = (await right(subject.provider.list(call()))).instances
        expect(listed).toMatchObject({ providerId, phase: 'running' })
        if (subject.provider.get) expect(await right(subject.provider.get({ providerId }, call()))).toEqual(listed)
      }),
    )

    test(
      'list() has every instance, over all pages',
      withSubject(async (subject) => {
        const count = 25
        await Promise.all(Array.from({ length: count }, (_, index) => launched(subject, `t-${index}`)))
        expect((await right(subject.provider.list(call()))).instances).toHaveLength(count)
      }),
    )

    test(
      'list() shows no instance of another cluster',
      withSubject(async (subject) => {
        await launched(subject, 't-1')
        const other = { ...call(), cluster: { ...cluster, name: 'another' } }
        expect((await right(subject.provider.list(other))).instances).toEqual([])
      }),
    )

    test(
      'list() fails rather than leaving something out',
      withSubject(async (subject) => {
        await launched(subject, 't-1')
        subject.throttle('list')
        expect((await left(subject.provider.list(call())))._tag).toBe('Throttled')
      }),
    )

    test(
      'terminate() starts, goes on, and is gone in the end (P-CPI-01)',
      withSubject(async (subject) => {
        const { providerId } = await launched(subject, 't-1')
        expect(await right(subject.provider.terminate({ providerId }, call()))).toBe('Started')
        expect(await right(subject.provider.terminate({ providerId }, call()))).toBe('Started')
        await subject.pass(10 * 60_000)
        expect(await right(subject.provider.terminate({ providerId }, call()))).toBe('Gone')
        expect((await right(subject.provider.list(call()))).instances).toEqual([])
        if (subject.provider.get)
          expect((await left(subject.provider.get({ providerId }, call())))._tag).toBe('InstanceNotFound')
      }),
    )

    test(
      'terminate() of what never was is Gone',
      withSubject(async (subject) => {
        const { providerId } = await launched(subject, 't-1')
        expect(await right(subject.provider.terminate({ providerId: `${providerId}-else` }, call()))).toBe('Gone')
      }),
    )

    test(
      'an aborted call answers at once, and a later one finds what happened',
      withSubject(async (subject) => {
        const controller = new AbortController()
        const types = await typesOf(subject)
        const running = subject.provider.launch(requestFor(subject, types, 't-1'), call(controller.signal))()
        controller.abort()
        await running
        await launched(subject, 't-1')
        expect((await right(subject.provider.list(call()))).instances).toHaveLength(1)
        if (subject.provider.interruptions) {
          const waiting = subject.provider.interruptions.receive(call(controller.signal))()
          expect(E.isLeft(await waiting)).toBe(true)
        }
      }),
    )
  })
}
