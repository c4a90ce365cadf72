import { counted, renderPrice, renderTable } from '@scantling/core'

import type { LaunchDescription, PlanDescription } from './describe-plan.ts'

/** The plan as text for a terminal: what to launch, what goes where, what has no place, what it costs. */
export const renderPlan = (plan: PlanDescription): string => {
  const sections = [
    renderLaunches(plan.launches),
    renderPods(plan),
    renderRejections(plan.rejections),
    renderCost(plan),
  ]
  return sections.filter((section) => section !== '').join('\n\n')
}

const renderLaunches = (launches: ReadonlyArray<LaunchDescription>): string => {
  if (launches.length === 0) return ''
  const rows = launches.map((launch, index) => [
    nodeName(index),
    launch.nodePool,
    launch.instanceType,
    launch.zone,
    launch.capacityType,
    renderPrice(launch.pricePerHour),
    String(launch.pods.length),
    percent(launch.utilization.cpu),
    percent(launch.utilization.memory),
  ])
  const heading = ['NODE', 'NODEPOOL', 'TYPE', 'ZONE', 'CAPACITY', 'PRICE/H', 'PODS', 'CPU', 'MEMORY']
  return renderTable([heading, ...rows], new Set([5, 6, 7, 8]))
}

const nodeName = (index: number) => `new-${index + 1}`
const percent = (share: number) => `${Math.round(share * 100)}%`

const renderPods = ({ launches, placements }: PlanDescription): string => {
  const rows = [
    ...placements.map(({ node, pods }) => [node, summarizePods(pods)]),
    ...launches.map(({ pods }, index) => [nodeName(index), summarizePods(pods)]),
  ]
  return rows.length === 0 ? '' : renderTable([['NODE', 'PODS'], ...rows], new Set())
}

// Replicas by the hundred read as one: default/inflate-1…100.
const summarizePods = (names: ReadonlyArray<string>): string => {
  const parts: Array<string> = []
  let index = 0
  while (index < names.length) {
    const first = names[index] ?? ''
    const [, stem, number] = /^(.*-)(\d+)$/.exec(first) ?? []
    let last = index
    if (stem !== undefined) while (names[last + 1] === `${stem}${Number(number) + last + 1 - index}`) last += 1
    const count = last - index + 1
    parts.push(count < 3 ? first : `${first}…${Number(number) + count - 1}`)
    index = count < 3 ? index + 1 : last + 1
  }
  return parts.join(', ')
}

const renderRejections = (rejections: PlanDescription['rejections']): string => {
  const groups = new Map<string, Array<string>>()
  for (const { pod, reasons, mayResolveByWaiting } of rejections) {
    const lines = mayResolveByWaiting ? [...reasons, 'A later pass may find one.'] : reasons
    const text = lines.map((line) => `  ${line}`).join('\n')
    const group = groups.get(text)
    if (group === undefined) groups.set(text, [pod])
    else group.push(pod)
  }
  return [...groups]
    .map(([text, pods]) => `No place for ${counted(pods.length, 'pod')}: ${summarizePods(pods)}\n${text}`)
    .join('\n')
}

const renderCost = ({ launches, placements, rejections, pricePerHour }: PlanDescription): string =>
  launches.length === 0
    ? placements.length + rejections.length === 0
      ? 'No pod waits for a place; nothing to launch.'
      : 'Nothing to launch.'
    : `${counted(launches.length, 'node')} to launch, ${renderPrice(pricePerHour)} an hour`
