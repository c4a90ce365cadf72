import type { BlockedReason } from '@scantling/core'
import type { Picture } from './picture.ts'
import { allRun, minuteMs, type TourHands, type TourStep } from './steps.ts'

const runningIn = (picture: Picture, nodePool: string): number =>
  picture.machines.filter((machine) => machine.nodePool === nodePool).reduce((sum, { pods }) => sum + pods, 0)

const readyIn = (picture: Picture, nodePool: string): number =>
  picture.machines.filter((machine) => machine.nodePool === nodePool && machine.stage === 'ready').length

const isHeldBy = (hands: TourHands, nodePool: string, tag: BlockedReason['_tag']): boolean =>
  hands.whyStays(nodePool).some(({ reason }) => reason?._tag === tag)

const budgetOf = (maxUnavailable: number) =>
  ({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'api', namespace: 'default' },
    spec: { maxUnavailable },
  }) as const

const markOf = (pod: string, value: string | null) =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: pod, namespace: 'default', annotations: { 'karpenter.sh/do-not-disrupt': value } },
  }) as const

// What is sold out is left alone for three minutes.
const memoryMs = 3 * minuteMs

/** What takes nodes away, and what keeps them. A fresh list, since steps remember what they saw. */
export const disruptionSteps = (): ReadonlyArray<TourStep> => {
  let before: ReadonlyArray<string> = []
  let soldOutAtMs = 0
  const isReplaced = (picture: Picture, hands: TourHands, nodePool: string): boolean => {
    const now = hands.machinesOf(nodePool)
    return allRun(picture) && now.length > 0 && now.every((name) => !before.includes(name))
  }
  return [
    {
      title: 'Three t3.large',
      text: [
        "A tutorial's worked example: a NodePool that may buy t3.large only, three pods of 1100m and three of 550m.",
      ],
      act: ({ applyExample }) => applyExample('disruption/three-to-one.yaml'),
      isDone: (picture) => allRun(picture) && readyIn(picture, 'three-to-one') === 3,
      withinMs: 10 * minuteMs,
    },
    {
      title: 'Two thirds of the work goes: three nodes become one',
      text: [
        'The three small pods are left, one on each machine. Once nothing has moved for consolidateAfter (30 s), the planner finds that',
        'one machine does for all, validates that 15 s later, and two are drained. The price falls by two thirds.',
      ],
      act: ({ scale }) => scale('load', 0),
      isDone: (picture) =>
        allRun(picture) &&
        picture.machines.filter(({ nodePool }) => nodePool === 'three-to-one').length === 1 &&
        runningIn(picture, 'three-to-one') === 3,
      withinMs: 15 * minuteMs,
    },
    {
      title: 'One large machine, held by a PodDisruptionBudget',
      text: [
        '"api" needs one machine for twelve pods and then shrinks to two: a far smaller one would do. But its',
        'PodDisruptionBudget allows no eviction (maxUnavailable: 0), so the machine stays. The reason is in the log below.',
      ],
      act: async ({ applyExample, scale, machinesOf }) => {
        await applyExample('disruption/right-size.yaml')
        while (machinesOf('right-size').length === 0) await new Promise((resolve) => setTimeout(resolve, 200))
        before = machinesOf('right-size')
        await scale('api', 2)
      },
      isDone: (picture, hands) => allRun(picture) && isHeldBy(hands, 'right-size', 'PodDisruptionBudget'),
      withinMs: 10 * minuteMs,
    },
    {
      title: 'The budget gives way, and a pod says do-not-disrupt',
      text: ['maxUnavailable becomes 1, but one of the two pods carries karpenter.sh/do-not-disrupt: true.'],
      act: async ({ merge, podsOf }) => {
        await merge(markOf(podsOf('api')[0] ?? '', 'true'))
        await merge(budgetOf(1))
      },
      isDone: (_picture, hands) => isHeldBy(hands, 'right-size', 'PodDoNotDisrupt'),
      withinMs: 10 * minuteMs,
    },
    {
      title: 'Nothing holds it: a cheaper machine takes its place',
      text: [
        'The annotation goes. A machine that fits two pods is launched first, then the large one is drained and ended.',
      ],
      act: async ({ merge, podsOf }) => {
        for (const pod of podsOf('api')) await merge(markOf(pod, null))
      },
      isDone: (picture, hands) => isReplaced(picture, hands, 'right-size'),
      withinMs: 15 * minuteMs,
    },
    {
      title: 'A NodePool to be changed',
      text: ['Two pods of "service" on a machine of their own.'],
      act: ({ applyExample }) => applyExample('disruption/rolling.yaml'),
      isDone: (picture) => allRun(picture) && readyIn(picture, 'rolling') > 0,
      withinMs: 10 * minuteMs,
    },
    {
      title: 'Drift: the NodePool changes, its nodes follow',
      text: [
        'The template gets another label. Machines made from the old one have drifted: their replacements come first.',
      ],
      act: async ({ merge, machinesOf }) => {
        before = machinesOf('rolling')
        await merge({
          apiVersion: 'karpenter.sh/v1',
          kind: 'NodePool',
          metadata: { name: 'rolling' },
          spec: { template: { metadata: { labels: { revision: 'two' } } } },
        })
      },
      isDone: (picture, hands) => isReplaced(picture, hands, 'rolling'),
      withinMs: 15 * minuteMs,
    },
    {
      title: 'Expiry: a machine reaches its age',
      text: [
        'This NodePool keeps no machine for longer than four minutes (expireAfter: 4m). Watch one go and another come.',
      ],
      act: async ({ applyExample, machinesOf }) => {
        await applyExample('disruption/short-lived.yaml')
        while (machinesOf('short-lived').length === 0) await new Promise((resolve) => setTimeout(resolve, 200))
        before = machinesOf('short-lived')
      },
      isDone: (picture, hands) => isReplaced(picture, hands, 'short-lived'),
      withinMs: 15 * minuteMs,
    },
    {
      title: 'Four pods on spot',
      text: ['This NodePool may buy spot and on demand; spot is cheaper.'],
      act: ({ applyExample, scale }) => scale('worker', 0).then(() => applyExample('disruption/spot.yaml')),
      isDone: (picture) => allRun(picture) && readyIn(picture, 'spot') > 0 && runningIn(picture, 'spot') === 4,
      withinMs: 10 * minuteMs,
    },
    {
      title: 'The cloud wants its machine back, with two minutes’ notice',
      text: ['As scantling interrupt NODE --kind spot does it. The pods are elsewhere before the machine is gone.'],
      act: async ({ interrupt, machinesOf }) => {
        before = machinesOf('spot')
        for (const machine of before) await interrupt(machine)
      },
      isDone: (picture, hands) => isReplaced(picture, hands, 'spot') && runningIn(picture, 'spot') === 4,
      withinMs: 10 * minuteMs,
    },
    {
      title: 'Spot is sold out: on demand takes over',
      text: [
        'The cloud has no spot machine left, and eight more pods want to run. Each refusal is remembered for three minutes, so',
        'that the next pass asks for what is to be had.',
      ],
      act: async ({ setSpotCapacity, scale, nowMs }) => {
        await setSpotCapacity(0)
        soldOutAtMs = nowMs()
        await scale('batch', 12)
      },
      isDone: (picture) =>
        allRun(picture) &&
        runningIn(picture, 'spot') === 12 &&
        picture.machines.some(({ nodePool, capacityType }) => nodePool === 'spot' && capacityType === 'on-demand'),
      withinMs: 10 * minuteMs,
    },
    {
      title: 'Spot is back, once three minutes have passed',
      text: ['There is room again. When what was remembered is forgotten, sixteen more pods get a spot machine.'],
      act: async ({ setSpotCapacity, scale, nowMs, machinesOf }) => {
        await setSpotCapacity(undefined)
        before = machinesOf('spot')
        while (nowMs() < soldOutAtMs + memoryMs + 60_000) await new Promise((resolve) => setTimeout(resolve, 200))
        await scale('batch', 28)
      },
      isDone: (picture) =>
        allRun(picture) &&
        runningIn(picture, 'spot') === 28 &&
        picture.machines.some(
          ({ name, nodePool, capacityType }) =>
            nodePool === 'spot' && capacityType === 'spot' && !before.includes(name),
        ),
      withinMs: 15 * minuteMs,
    },
  ]
}
