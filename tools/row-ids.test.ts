import { expect, test } from '@jest/globals'

import { idsOf } from './row-ids.ts'

test('ids of rows stand in titles one by one, in lists and in spans; weaknesses are none', () => {
  expect([...idsOf('D-QUEUE-02 D-QUEUE-04…06, O-21: W-03, S-21 and A-B are no rows, D-QUEUE-04 counts once')]).toEqual([
    'D-QUEUE-02',
    'D-QUEUE-04',
    'D-QUEUE-05',
    'D-QUEUE-06',
    'O-21',
  ])
})
