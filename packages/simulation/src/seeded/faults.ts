import type { SimulatedCloud } from '@scantling/provider-kwok'
import { applyDeployment, kinds, type Fate, type VirtualCluster } from '../cluster/index.ts'
import type { DrawnWorld } from './draw-world.ts'

/** What befalls the cluster while there are faults. */
export interface Faults {
  /** What becomes of an effect now. */
  readonly fate: () => Fate
  /** Lets happen what falls into the minute that has passed; returns what did, in words. */
  readonly minute: () => Promise<ReadonlyArray<string>>
  /** Ends all faults: from now on the world is well. */
  readonly heal: () => void
  readonly isInterrupted: (node: string) => boolean
}

const minuteMs = 60_000

/** Faults as drawn, each kind by chance about as often as the world says. */
export const startFaults = (
  world: DrawnWorld,
  cluster: VirtualCluster,
  random: () => number,
  hands: { readonly killController: () => Promise<void>; readonly disturb: () => void },
): Faults => {
  const { cloud, face } = cluster
  const interrupted = new Set<string>()
  let isHealed = false
  const falls = (everyMinutes: number) => random() < 1 / everyMinutes
  const pick = <A>(items: ReadonlyArray<A>): A | undefined => items[Math.floor(random() * items.length)]
  const interrupt = (): string | undefined => {
    const machine = pick(cluster.machines())
    if (machine === undefined) return undefined
    const kind = machine.capacityType === 'spot' ? 'spot' : pick(['stop', 'terminate', 'maintenance'] as const)
    cloud.interrupt(machine.name, { kind: kind ?? 'stop' })
    interrupted.add(machine.name)
    hands.disturb()
    return `${kind} ${machine.name}`
  }
  return {
    fate: () => {
      if (isHealed) return 'pass'
      const drawn = random()
      return drawn < world.failBefore
        ? 'fail before'
        : drawn < world.failBefore + world.failAfter
          ? 'fail after'
          : 'pass'
    },
    minute: async () => {
      const said: Array<string> = []
      if (falls(world.every.scale)) {
        const one = pick(world.deployments)
        if (one !== undefined) {
          const replicas = Math.floor(random() * one.replicas * 1.5)
          await face.patch({ ...kinds.deployments, namespace: 'default', name: one.name }, 'merge', {
            spec: { replicas },
          })
          said.push(`scale ${one.name} to ${replicas}`)
        }
      }
      if (falls(world.every.interruption)) said.push(interrupt() ?? 'nothing to interrupt')
      if (falls(world.every.shortage)) {
        hands.disturb()
        said.push(shortage(cloud, random))
      }
      if (falls(world.every.throttling)) {
        const operation = pick(['launch', 'terminate', 'list', 'get'] as const) ?? 'launch'
        const times = 1 + Math.floor(random() * 6)
        const lost = random() < 0.3
        cloud.setFaults([
          lost
            ? { operation, times, code: 'InternalError', when: 'after' }
            : { operation, times, code: 'RequestLimitExceeded', retryAfterMs: 2000 },
        ])
        said.push(`${lost ? 'lose answers of' : 'throttle'} ${operation} ${times} times`)
      }
      if (falls(world.every.kill)) {
        await hands.killController()
        said.push('kill the controller')
      }
      return said
    },
    heal: () => {
      isHealed = true
      cloud.setCapacity([])
      cloud.setFaults([])
      hands.disturb()
    },
    isInterrupted: (node) => interrupted.has(node),
  }
}

const shortage = (cloud: SimulatedCloud, random: () => number): string => {
  const rule = {
    ...(random() < 0.5 ? { zone: random() < 0.5 ? 'zone-a' : 'zone-b' } : {}),
    ...(random() < 0.5 ? { capacityType: random() < 0.7 ? 'spot' : 'on-demand' } : {}),
  }
  const isOver = random() < 0.4
  cloud.setCapacity(isOver ? [] : [{ ...rule, remaining: Math.floor(random() * 3) }])
  return isOver ? 'capacity is back' : `shortage ${JSON.stringify(rule)}`
}

/** Brings the drawn NodePool and Deployments into being. */
export const applyWorld = async (cluster: VirtualCluster, { pool, deployments }: DrawnWorld): Promise<void> => {
  const { face } = cluster
  await face.create(kinds.nodeClasses, { metadata: { name: 'default' }, spec: {} })
  await face.create(kinds.nodePools, {
    metadata: { name: 'default' },
    spec: {
      ...(pool.cpuLimit === undefined ? {} : { limits: { cpu: pool.cpuLimit } }),
      disruption: {
        consolidationPolicy: pool.consolidationPolicy,
        consolidateAfter: pool.consolidateAfter,
        budgets: [{ nodes: pool.budget }],
      },
      template: {
        spec: {
          nodeClassRef: { group: 'karpenter.kwok.sh', kind: 'KWOKNodeClass', name: 'default' },
          expireAfter: pool.expireAfter,
          requirements: [{ key: 'karpenter.sh/capacity-type', operator: 'In', values: pool.capacityTypes }],
        },
      },
    },
  })
  for (const { name, replicas, cpu, budget } of deployments) {
    await applyDeployment(cluster, name, replicas, cpu)
    if (budget !== undefined)
      await face.create(
        { ...kinds.budgets, namespace: 'default' },
        { metadata: { name }, spec: { ...budget, selector: { matchLabels: { app: name } } } },
      )
  }
}

export const faultStepMs = minuteMs
