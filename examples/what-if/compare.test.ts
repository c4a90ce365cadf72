import { expect, test } from '@jest/globals'

import { compare } from './compare.ts'

test('ARM64 on spot holds the same pods for less than half', () => {
  const { today, tomorrow } = compare()
  expect(today.unplaced + tomorrow.unplaced).toBe(0)
  expect(today.nodes).toBeGreaterThan(0)
  expect(tomorrow.pricePerHour).toBeLessThan(today.pricePerHour / 2)
})

test('pods that run somewhere are placed anew, and those of DaemonSets are not pods to be placed', () => {
  const pod = (name: string, ownerReferences: ReadonlyArray<object>) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, uid: name, ownerReferences },
    spec: { nodeName: 'node-1', containers: [{ resources: { requests: { cpu: '1' } } }] },
    status: { phase: 'Running' },
  })
  const owner = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'agent', uid: 'agent', controller: true }
  const { today } = compare([pod('web', []), pod('agent', [owner])])
  expect(today).toMatchObject({ nodes: 1, unplaced: 0 })
})
