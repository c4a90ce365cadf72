import { nodeClassSchema, type NodeClassKind, type NodeClassObject } from '@scantling/core'
import { kwokGroup } from '../catalog/index.ts'

/** A NodeClass of the simulated cloud. */
export interface KwokNodeClass extends NodeClassObject {
  readonly spec: {
    /** How much longer than the cloud's own latency a node takes to register: a duration such as `30s`. */
    readonly nodeRegistrationDelay?: string
  }
}

/** KWOKNodeClass, as the reference's kwok provider has it: cluster scoped, one field, Ready by default (K-05). */
export const kwokNodeClass: NodeClassKind<KwokNodeClass> = {
  group: kwokGroup,
  kind: 'KWOKNodeClass',
  names: { plural: 'kwoknodeclasses', short: ['kwoknc', 'kwokncs'], categories: ['karpenter'] },
  versions: [
    {
      name: 'v1alpha1',
      schema: nodeClassSchema<KwokNodeClass>(
        'KWOKNodeClass',
        { nodeRegistrationDelay: 'duration?' },
        {
          description: 'How nodes of the simulated cloud are made.',
          isSpecOptional: true,
          status: {},
          statusDefault: {
            conditions: [
              {
                type: 'Ready',
                status: 'True',
                reason: 'Ready',
                message: '',
                lastTransitionTime: '2024-01-01T01:01:01Z',
              },
            ],
          },
          hasPlainConditions: true,
        },
      ),
    },
  ],
}
