import { StateNodes, type StateNode } from '../cluster/index.ts'
import { Offerings, type InstanceType } from '../instance/index.ts'
import { labelKeys, Labels } from '../labels/index.ts'

/** What the machines of one NodePool cost. */
export interface NodePoolCost {
  /** **Units**: the provider's currency per hour. Machines of unknown price count 0. */
  readonly pricePerHour: number
  /** How many machines there are of each kind, in the order in which they were found. */
  readonly machines: ReadonlyArray<MachineCount>
}

export interface MachineCount {
  readonly instanceType: string
  readonly zone: string
  readonly capacityType: string
  readonly count: number
  /** Absent: no offering of the type is known there, or it has no price. */
  readonly pricePerHour?: number
}

/**
 * What the machines of each NodePool cost now, by its name (P-AUX-01).
 *
 * A machine counts from when it is known what it is: its NodePool, type, zone and capacity type. Prices are those of
 * `instanceTypes`, so that a new price counts at once. A NodePool without machines is absent.
 *
 * Cost: O(nodes + kinds of machines × types).
 *
 * @example
 * clusterCost([], new Map()).size // => 0
 */
export const clusterCost = (
  nodes: ReadonlyArray<StateNode>,
  instanceTypes: ReadonlyMap<string, ReadonlyArray<InstanceType>>,
): ReadonlyMap<string, NodePoolCost> => {
  const counts = new Map<string, Map<string, MachineCount>>()
  for (const node of nodes) {
    const labels = StateNodes.labelsOf(node)
    const [nodePool, instanceType, zone, capacityType] = kindKeys.map((key) => Labels.get(labels, key))
    if (!nodePool || !instanceType || !zone || !capacityType) continue
    let ofPool = counts.get(nodePool)
    if (ofPool === undefined) counts.set(nodePool, (ofPool = new Map()))
    const key = JSON.stringify([instanceType, zone, capacityType])
    const count = (ofPool.get(key)?.count ?? 0) + 1
    ofPool.set(key, { instanceType, zone, capacityType, count })
  }
  const costs = new Map<string, NodePoolCost>()
  for (const [nodePool, ofPool] of counts) {
    const types = new Map((instanceTypes.get(nodePool) ?? []).map((type) => [type.name, type]))
    const machines = [...ofPool.values()].map((machine): MachineCount => {
      const type = types.get(machine.instanceType)
      const price = type === undefined ? undefined : Offerings.offeringIn(type, machine)?.pricePerHour
      return price === undefined ? machine : { ...machine, pricePerHour: price }
    })
    const pricePerHour = machines.reduce((sum, one) => sum + one.count * (one.pricePerHour ?? 0), 0)
    costs.set(nodePool, { pricePerHour, machines })
  }
  return costs
}

const kindKeys = [labelKeys.nodePool, labelKeys.instanceType, labelKeys.zone, labelKeys.capacityType]
