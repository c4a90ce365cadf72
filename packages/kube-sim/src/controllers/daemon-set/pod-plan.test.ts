import { describe, expect, test } from '@jest/globals'

import type { DaemonSetObject, PodObject } from '../objects.ts'
import { planPlaces, planRollout, type DaemonNode, type DaemonPlan } from './pod-plan.ts'

const nowMs = Date.UTC(2026, 0, 1, 1)
const meta = (name: string) => ({ name, namespace: 'n', uid: name, resourceVersion: '1' })
/** `o` is an old pod, `n` a new one; small letters serve, capitals do not; `x` has failed; `-` is on its way out. */
const podOf = (node: string, sign: string, position: number): PodObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    ...meta(`${node}${position}${sign}`),
    creationTimestamp: `2026-01-01T00:00:0${position}Z`,
    labels: { template: sign.toLowerCase() === 'n' ? 'new' : 'old' },
    ...(sign === '-' ? { deletionTimestamp: '2026-01-01T00:30:00Z' } : {}),
  },
  spec: { nodeName: node },
  status:
    sign === 'x'
      ? { phase: 'Failed' }
      : { phase: 'Running', conditions: [{ type: 'Ready', status: 'on'.includes(sign) ? 'True' : 'False' }] },
})
/** Nodes by their pods; one in brackets should not run any more but may stay, one with `!` must go. */
const nodesOf = (text: string): ReadonlyArray<DaemonNode> =>
  text.split(' ').map((signs, index) => {
    const name = String.fromCharCode(97 + index)
    const mayStay = !signs.startsWith('!')
    const shouldRun = mayStay && !signs.startsWith('(')
    const pods = [...signs.replace(/[()!_]/g, '')].map((sign, position) => podOf(name, sign, position))
    return { name, shouldRun, mayStay, pods }
  })
const setWith = (rollingUpdate: object, type = 'RollingUpdate'): DaemonSetObject => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { ...meta('agent'), creationTimestamp: '' },
  spec: { updateStrategy: { type, rollingUpdate } },
})
const text = ({ create, remove }: DaemonPlan) =>
  `+${create.join('')} ${remove.map(({ metadata }) => `-${metadata.name}`).join(' ')}`.trim()
const input = (nodes: string, rollingUpdate: object, type?: string) => ({
  set: setWith(rollingUpdate, type),
  nodes: nodesOf(nodes),
  isNew: ({ metadata }: PodObject) => metadata.labels?.['template'] === 'new',
  nowMs,
})

describe('planPlaces()', () => {
  test.each([
    ['_ o', '+a'],
    // What is on its way out keeps its place, unless the set surges.
    ['-', '+'],
    ['oo', '+ -a1o'],
    ['x', '+ -a0x'],
    ['(o) (_)', '+'],
    ['!o', '+ -a0o'],
  ])('one pod a node: %s is %s', (nodes, expected) => {
    expect(text(planPlaces(input(nodes, { maxUnavailable: 1, maxSurge: 0 })))).toBe(expected)
  })

  test.each([
    ['- on', '+a -b0o'],
    ['oN', '+'],
    ['ON', '+ -a0O'],
    ['oNN', '+ -a2N'],
    ['ooN', '+ -a1o'],
  ])('two while it surges: %s is %s', (nodes, expected) => {
    expect(text(planPlaces(input(nodes, { maxUnavailable: 0, maxSurge: 1 })))).toBe(expected)
  })
})

describe('planRollout()', () => {
  test.each([
    ['o o o', 1, '+ -a0o'],
    ['o o o', '50%', '+ -a0o -b0o'],
    ['n o o', 1, '+ -b0o'],
    ['N o o', 1, '+'],
    ['- o o', 1, '+'],
    ['_ o o', 2, '+ -b0o'],
    // What does not serve goes at once, and counts.
    ['O O o', 1, '+ -a0O -b0O'],
    ['(o) n', 1, '+ -a0o'],
    ['(_) o', 1, '+ -b0o'],
  ])('takes old pods: %s with %s is %s', (nodes, maxUnavailable, expected) => {
    expect(text(planRollout(input(nodes, { maxUnavailable, maxSurge: 0 })))).toBe(expected)
  })

  test.each([
    ['o o o', 1, '+a'],
    ['o o o', '50%', '+ab'],
    ['oN o o', 1, '+'],
    ['on o o', 1, '+b -a0o'],
    ['O o o', 1, '+ab'],
    ['n n n', 1, '+'],
    // Where it should not run any more it goes once there are enough elsewhere.
    ['(o) n', 1, '+ -a0o'],
    ['(o) N', 1, '+'],
    ['(O) N', 1, '+ -a0O'],
  ])('adds new pods first: %s with %s is %s', (nodes, maxSurge, expected) => {
    expect(text(planRollout(input(nodes, { maxUnavailable: 0, maxSurge })))).toBe(expected)
  })

  test('leaves all to others with OnDelete', () => {
    expect(text(planRollout(input('o O', {}, 'OnDelete')))).toBe('+')
  })
})
