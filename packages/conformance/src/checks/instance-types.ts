import {
  allocatableOfType,
  Labels,
  labelKeys,
  Offerings,
  Quantity,
  Requirement,
  Requirements,
  type InstanceType,
} from '@scantling/core'
import { check } from '../check.ts'
import { expectEqual, expectTrue, fail, notJsonAt, promptly } from '../expectation.ts'

const capacityTypes = ['on-demand', 'spot', 'reserved']

/** What `instanceTypes` promises; planners compile its answer by identity. */
export const instanceTypeChecks = [
  check('types/some', 'has types, each with a name of its own and an offering', [], async ({ types }) => {
    const all = await types()
    expectTrue(all.length > 0, 'There is no type')
    const names = all.map(({ name }) => name)
    expectEqual(new Set(names).size, names.length, 'Distinct names')
    for (const { name, offerings } of all)
      expectTrue(name !== '' && offerings.length > 0, `Type ${name} has no offering`)
  }),
  check('types/same', 'gives the same array while nothing changed', [], async ({ types }) => {
    const first = await types()
    expectTrue((await types()) === first, 'The second array is another')
  }),
  check('types/same-for-equal-class', 'gives the same array for the same NodeClass read anew', [], async (session) => {
    const { subject, live, ask, call, nodeClass } = session
    const first = await session.types()
    const again = structuredClone(nodeClass)
    const annotated = { ...again, metadata: { ...again.metadata, annotations: { a: 'b' } } }
    for (const other of [again, annotated]) {
      const result = await ask(live.instanceTypes(other, call()))
      expectTrue(
        result._tag === 'Right' && result.right === first,
        `The class as read again has another array (${subject.module.name})`,
      )
    }
  }),
  check('types/same-raced', 'gives callers at the same time one array', [], async ({ types }) => {
    const all = await Promise.all(Array.from({ length: 5 }, types))
    expectEqual(new Set(all).size, 1, 'Distinct arrays')
  }),
  check(
    'types/same-after-tasks',
    'gives the same array after tasks that found nothing new',
    ['tasks'],
    async (session) => {
      const first = await session.types()
      await session.runTasks({ nodeClasses: [session.nodeClass], claims: [] })
      expectTrue((await session.types()) === first, 'The array is another after the tasks')
    },
  ),
  check(
    'types/change',
    'changes the type whose price changed, and no other',
    ['changePrice', 'tasks'],
    async (session) => {
      const before = await session.types()
      const [first] = before
      if (first === undefined) return fail('There is no type')
      await session.lever('changePrice')(first.name)
      // A catalogue refreshes by the clock: a day is longer than any waits.
      await session.subject.pass(86_400_000)
      await session.runTasks({ nodeClasses: [session.nodeClass], claims: [] })
      const after = await session.types()
      expectTrue(after !== before, 'The array is the same although a price changed')
      for (const type of after) {
        const old = before.find(({ name }) => name === type.name)
        if (type.name === first.name)
          expectTrue(type !== old, `${type.name} is the same object although its price changed`)
        else expectTrue(type === old, `${type.name} is another object although nothing about it changed`)
      }
    },
  ),
  check(
    'types/offerings',
    'has offerings of one zone and one capacity type, at a price, each once',
    [],
    async ({ types }) => {
      for (const type of await types()) {
        const seen = new Set<string>()
        for (const offering of type.offerings) {
          const zone = Offerings.zoneOf(offering)
          const capacityType = Offerings.capacityTypeOf(offering)
          const { pricePerHour: price, reservation, unavailable } = offering
          expectTrue(zone !== undefined && zone !== '', `An offering of ${type.name} has no single zone`)
          expectTrue(
            capacityType !== undefined && capacityTypes.includes(capacityType),
            `An offering of ${type.name} is ${capacityType}`,
          )
          expectTrue(
            price === undefined || (Number.isFinite(price) && price >= 0),
            `An offering of ${type.name} costs ${price}`,
          )
          expectTrue(
            unavailable === undefined || unavailable.reason !== '',
            `An offering of ${type.name} is unavailable without a reason`,
          )
          expectTrue(
            reservation === undefined || (Number.isInteger(reservation.remaining) && reservation.remaining >= 0),
            `A reservation of ${type.name} has ${reservation?.remaining} left`,
          )
          const identity = Requirements.render(offering.requirements)
          expectTrue(!seen.has(identity), `Type ${type.name} offers ${identity} twice`)
          seen.add(identity)
        }
      }
    },
  ),
  check('types/capacity', 'says what machines have, and leaves pods something of it', [], async ({ types }) => {
    for (const type of await types()) {
      for (const resource of ['cpu', 'memory', 'pods']) {
        const amount = Object.hasOwn(type.capacity, resource) ? type.capacity[resource] : undefined
        if (amount === undefined || !(Quantity.toNumber(amount) > 0))
          fail(`Type ${type.name} has ${amount ?? 'no'} ${resource}`)
      }
      for (const [resource, amount] of Object.entries(allocatableOfType(type)))
        expectTrue(!Quantity.isNegative(amount), `Type ${type.name} leaves ${amount} of ${resource}`)
    }
  }),
  check(
    'types/labels',
    'says its name, architecture and operating system, under values that labels can have',
    [],
    async ({ types }) => {
      for (const { name, requirements } of await types()) {
        for (const key of [labelKeys.arch, labelKeys.os])
          expectTrue(Requirements.has(requirements, key), `Type ${name} does not say ${key}`)
        const own = Requirement.singleValue(Requirements.get(requirements, labelKeys.instanceType))
        // Claims name the types that they allow: a type that does not say its name meets none.
        expectTrue(own === name, `Type ${name} says that its ${labelKeys.instanceType} is ${own}`)
        for (const requirement of requirements.byKey.values())
          for (const value of requirement.values)
            expectTrue(
              Labels.problemWithValue(value) === undefined,
              `Type ${name}: ${requirement.key}: ${value}: ${Labels.problemWithValue(value)}`,
            )
      }
    },
  ),
  check('types/sold-out', 'goes on telling of types that are sold out', ['sellOut', 'tasks'], async (session) => {
    const before = (await session.types()).map(({ name }) => name)
    for (const name of before) await session.lever('sellOut')(name)
    await session.runTasks({ nodeClasses: [session.nodeClass], claims: [] })
    expectEqual(
      (await session.types()).map(({ name }) => name),
      before,
      'Names while everything is sold out',
    )
  }),
  check('types/untouched', 'leaves types that it has told as they are', [], async (session) => {
    const first = await session.types()
    const shown = render(first)
    await session.launch('t-1')
    await session.list()
    expectEqual(render(first), shown, 'The types after a launch')
  }),
  check('types/json', 'tells nothing but JSON beside requirements', [], async ({ types }) => {
    for (const { requirements: _own, volumeAttachmentLimits: _limits, offerings, ...type } of await types()) {
      const odd = notJsonAt(
        { ...type, offerings: offerings.map(({ requirements: _other, ...rest }) => rest) },
        type.name,
      )
      expectTrue(odd === undefined, `${odd}`)
    }
  }),
  check('types/no-waiting', 'answers without waiting for the cloud once it has its catalogue', [], async (session) => {
    await session.types()
    const { live, nodeClass, call } = session
    const result = await promptly(live.instanceTypes(nodeClass, call())(), 'instanceTypes()')
    expectTrue(result._tag === 'Right', 'The second answer failed')
  }),
]

const render = (types: ReadonlyArray<InstanceType>): string =>
  JSON.stringify(types, (_, value: unknown) =>
    value instanceof Map ? [...value] : value instanceof Set ? [...value] : value,
  )
