import { expect, test } from '@jest/globals'
import { makeMetrics } from '../../observability/index.ts'
import { tellOfPass } from './pass-metrics.ts'

test('a pass tells of its pods and how long it takes, while it lasts', async () => {
  const metrics = makeMetrics()
  let nowMs = 1000
  const end = tellOfPass({ metrics, clock: { nowMs: () => 7 } as never, steadyNowMs: () => nowMs }, 40)
  nowMs += 2500
  const labels = '{controller="provisioner",scheduling_id="7"}'
  const during = await metrics.render()
  expect(during).toContain(`karpenter_scheduler_queue_depth${labels} 40`)
  expect(during).toContain(`karpenter_scheduler_unfinished_work_seconds${labels} 2.5`)
  end()
  expect(await metrics.render()).not.toContain('scheduling_id')
})
