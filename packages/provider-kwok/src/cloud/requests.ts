import * as t from 'io-ts'

// What the cloud's HTTP interface accepts. Bodies come from outside, so nothing is taken on trust.

const finite = t.refinement(t.number, Number.isFinite, 'finite number')
const selector = t.partial({ instanceType: t.string, zone: t.string, capacityType: t.string })

export const launchBody = t.intersection(
  [
    t.type({
      token: t.refinement(t.string, (text) => text !== '', 'text'),
      instanceType: t.string,
      zone: t.string,
      capacityType: t.string,
      tags: t.record(t.string, t.string),
    }),
    t.partial({ registrationDelayMs: finite }),
  ],
  'launch',
)
export const receiveBody = t.partial({ waitMs: finite }, 'receive')
export const acknowledgeBody = t.type({ receipts: t.array(t.string) }, 'acknowledge')
export const interruptBody = t.intersection(
  [
    t.type({ instance: t.string }),
    t.partial({
      kind: t.keyof({ spot: null, rebalance: null, maintenance: null, stop: null, terminate: null }),
      noticeMs: finite,
    }),
  ],
  'interrupt',
)
export const capacityBody = t.type(
  { rules: t.array(t.intersection([selector, t.type({ remaining: finite })])) },
  'capacity',
)
export const pricesBody = t.type(
  { changes: t.array(t.intersection([selector, t.partial({ pricePerHour: finite, factor: finite })])) },
  'prices',
)
export const faultsBody = t.type(
  {
    rules: t.array(
      t.intersection([
        t.type({
          operation: t.keyof({
            launch: null,
            terminate: null,
            get: null,
            list: null,
            catalog: null,
            receive: null,
            acknowledge: null,
          }),
          code: t.string,
        }),
        t.partial({
          skip: finite,
          times: finite,
          message: t.string,
          retryAfterMs: finite,
          when: t.keyof({ before: null, after: null }),
        }),
      ]),
    ),
  },
  'faults',
)
