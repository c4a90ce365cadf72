import type { DraftObject, KubeObject } from '../face.ts'
import type { PodTemplate } from './objects.ts'
import { controllerReference } from './pod-state.ts'

/** A new pod from a workload's template, controlled by `owner`; the API server completes its name. */
export const podFromTemplate = (owner: KubeObject, template: PodTemplate | undefined): DraftObject => {
  const { labels, annotations, finalizers } = template?.metadata ?? {}
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${owner.metadata.name}-`,
      namespace: owner.metadata.namespace ?? '',
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ownerReferences: [controllerReference(owner)],
    },
    spec: template?.spec ?? {},
  }
}
