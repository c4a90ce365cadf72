import { expect, test } from '@jest/globals'
import { Resources } from '../quantity/index.ts'
import { nodeShapeProblem } from './index.ts'

const shape = (requests: Record<string, string>, promised: Record<string, string>, found: Record<string, string>) =>
  nodeShapeProblem(
    { requests: Resources.parse(requests), capacity: Resources.parse(promised) },
    { capacity: Resources.parse(found) },
  )

test('C-CONSIST-02 a node has a wrong shape below nine tenths of a requested, promised resource', () => {
  expect(shape({ memory: '1Gi' }, { memory: '100Gi' }, { memory: '90Gi' })).toBeUndefined()
  expect(shape({ memory: '1Gi' }, { memory: '100Gi' }, { memory: '89Gi' })).toBe(
    'Expected 100Gi of resource memory, but the node has 89Gi',
  )
  expect(shape({ cpu: '1' }, { cpu: '4' }, {})).toBe('Expected 4 of resource cpu, but the node has 0')
  expect(shape({ cpu: '1' }, {}, { cpu: '1' })).toBeUndefined()
  expect(shape({ cpu: '0' }, { cpu: '4' }, { cpu: '1' })).toBeUndefined()
  expect(shape({}, { memory: '100Gi' }, { memory: '1Gi' })).toBeUndefined()
})
