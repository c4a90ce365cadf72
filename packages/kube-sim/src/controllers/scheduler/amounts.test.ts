import { describe, expect, test } from '@jest/globals'

import { amountOf, podRequests } from './amounts.ts'

const container = (cpu: string, restartPolicy?: string) => ({
  name: cpu,
  resources: { requests: { cpu } },
  ...(restartPolicy === undefined ? {} : { restartPolicy }),
})

describe('amountOf()', () => {
  test.each([
    ['cpu', '1', 1000],
    ['cpu', '0.5', 500],
    ['cpu', '100u', 1],
    ['cpu', 2, 2000],
    ['memory', '1Gi', 1024 ** 3],
    ['memory', '1500m', 2],
    ['memory', '8Ei', 2 ** 63],
    ['pods', '110', 110],
    ['example.com/gpu', '2', 2],
    ['memory', 'lots', 0],
  ])('%s: %s', (resource, text, expected) => {
    expect(amountOf(resource, text)).toBe(expected)
  })
})

describe('podRequests()', () => {
  test.each([
    ['sums containers', { containers: [container('1'), container('500m')] }, 1500],
    [
      'takes a larger init container',
      { containers: [container('1')], initContainers: [container('3'), container('2')] },
      3000,
    ],
    [
      'adds sidecars to the containers',
      { containers: [container('1')], initContainers: [container('1', 'Always'), container('1', 'Always')] },
      3000,
    ],
    [
      'adds only the sidecars before an init container to it',
      {
        containers: [container('1')],
        initContainers: [container('1', 'Always'), container('3'), container('1', 'Always')],
      },
      4000,
    ],
    ['adds overhead', { containers: [container('1')], overhead: { cpu: '250m' } }, 1250],
    [
      'lets the pod level replace the sum',
      { containers: [container('1')], resources: { requests: { cpu: '5' } } },
      5000,
    ],
  ])('%s', (_name, spec, cpuMilli) => {
    expect(podRequests(spec).get('cpu')).toBe(cpuMilli)
  })

  test('takes a limit for a request that is not stated', () => {
    expect(podRequests({ containers: [{ name: 'a', resources: { limits: { cpu: '1' } } }] }).get('cpu')).toBe(1000)
  })
})
