import { capacityTypes, labelKeys, Requirement, Requirements, type DisruptionCommand } from '@scantling/core'
import type { RunningCommand } from '../../state/index.ts'

const namedTypes = 5

/** `replace` where something takes the place of the nodes, else `delete` (D-LOOP-11). */
export const decisionOf = ({ replacements }: DisruptionCommand): 'replace' | 'delete' =>
  replacements.length > 0 ? 'replace' : 'delete'

/** `WhenEmptyOrUnderutilized` as metrics write it. */
export const snakeCase = (text: string): string => text.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase()

/** A command in one line, for people. D-LOOP-15. */
export const renderCommand = ({ id, reason, command }: Pick<RunningCommand, 'id' | 'reason' | 'command'>): string => {
  const { candidates, replacements, savingsPerHour } = command
  const pools = [...new Set(candidates.map(({ nodePool }) => nodePool))]
  const becomes =
    replacements.length === 0
      ? ''
      : ` -> ${replacements.length === 1 ? '1 replacement' : `${replacements.length} replacements`}`
  return `${snakeCase(reason)}/${id}: ${decisionOf(command)}, NodePools [${pools.join(', ')}], nodes [${candidates
    .map(({ node }) => node)
    .join(', ')}]${becomes}, savings ${savingsPerHour.toFixed(2)} per hour`
}

/** What a command means for one of its nodes, without naming the others. D-LOOP-15. */
export const renderForNode = (running: Pick<RunningCommand, 'id' | 'reason' | 'command'>, node: string): string => {
  const { id, reason, command } = running
  const { length } = command.candidates
  const part = length === 1 ? '' : `, part of a disruption of ${length} nodes`
  return `${snakeCase(reason)}/${id}: ${decisionOf(command)} ${node}${part}`
}

/** What the log says of a command as it begins. D-LOOP-14. */
export const commandFacts = (
  { id, reason, command }: Pick<RunningCommand, 'id' | 'reason' | 'command'>,
  about: {
    readonly pods: number
    readonly labelsOf: (node: string) => Readonly<Record<string, string>>
  },
): Readonly<Record<string, unknown>> => {
  const { candidates, replacements, savingsPerHour } = command
  return {
    'command-id': id,
    reason: snakeCase(reason),
    decision: decisionOf(command),
    'disrupted-node-count': candidates.length,
    'replacement-node-count': replacements.length,
    'pod-count': about.pods,
    'disrupted-nodes': candidates.map(({ node, claim }) => {
      const labels = about.labelsOf(node)
      return {
        Node: node,
        NodeClaim: claim,
        'instance-type': labels[labelKeys.instanceType] ?? '',
        'capacity-type': labels[labelKeys.capacityType] ?? '',
      }
    }),
    'replacement-nodes': replacements.map(({ requirements, instanceTypes }) => ({
      'capacity-type': capacityTypeOf(requirements),
      // Of several there is no room to name types.
      ...(replacements.length === 1 && instanceTypes !== undefined
        ? { 'instance-types': namesOf(instanceTypes.map(({ name }) => name)) }
        : {}),
    })),
    'savings-per-hour': Number(savingsPerHour.toFixed(5)),
  }
}

const namesOf = (names: ReadonlyArray<string>): string => {
  const more = names.length - namedTypes
  return `${names.slice(0, namedTypes).join(', ')}${more > 0 ? ` and ${more} others` : ''}`
}

// What is bought if all are on offer.
const capacityTypeOf = (requirements: Requirements): string => {
  const allowed = Requirements.get(requirements, labelKeys.capacityType)
  const { reserved, spot, onDemand } = capacityTypes
  return [reserved, spot, onDemand].find((type) => Requirement.has(allowed, type)) ?? ''
}
