import { s, type Rule } from '../../schema/index.ts'
import {
  durationSchema,
  nillableDurationSchema,
  nodeClassRefSchema,
  requirementsSchema,
  taintsSchema,
} from './fields.ts'

/** The fields that a NodePool's template and a NodeClaim share (P-NPA-03, P-NCA-01). */
export const nodeFields = ({
  allowsNodePool,
  nodeClassRules,
}: {
  readonly allowsNodePool: boolean
  readonly nodeClassRules: ReadonlyArray<Rule>
}) => ({
  nodeClassRef: nodeClassRefSchema(nodeClassRules),
  requirements: requirementsSchema({ allowsNodePool }),
  taints: s.filledIn(taintsSchema('Taints of the node from its start; pods must tolerate them.'), []),
  startupTaints: s.filledIn(
    taintsSchema(
      'Taints that the node starts with and that something on it removes soon. Pods need not tolerate them to have a node provisioned.',
    ),
    [],
  ),
  expireAfter: s.defaulted(nillableDurationSchema('How long a node may live before it is replaced, or Never.'), '720h'),
  terminationGracePeriod: s.optional(
    durationSchema(
      'The longest time that a node takes to drain, from its deletion on. After it pods are deleted whatever their budgets and annotations say, each early enough for its own grace period. Without it draining has no limit.',
    ),
  ),
})
