import type { DraftObject } from '../../face.ts'
import type { PodObject, PodTemplate, PodVolume, StatefulSetObject } from '../objects.ts'
import { podFromTemplate } from '../pod-template.ts'

export const revisionLabel = 'controller-revision-hash'
const podNameLabel = 'statefulset.kubernetes.io/pod-name'
const podIndexLabel = 'apps.kubernetes.io/pod-index'

/** The ordinal in a pod's name; nothing for a name that the set does not give. */
export const ordinalOf = (set: StatefulSetObject, podName: string): number | undefined => {
  const prefix = `${set.metadata.name}-`
  const text = podName.startsWith(prefix) ? podName.slice(prefix.length) : ''
  return /^(0|[1-9]\d*)$/.test(text) ? Number(text) : undefined
}

export const podName = (set: StatefulSetObject, ordinal: number): string => `${set.metadata.name}-${ordinal}`

export const claimName = (set: StatefulSetObject, template: string, ordinal: number): string =>
  `${template}-${podName(set, ordinal)}`

/** The names of the claims of one pod, by the name of their template. */
export const claimNames = (set: StatefulSetObject, ordinal: number): ReadonlyMap<string, string> =>
  new Map(
    (set.spec.volumeClaimTemplates ?? []).map(({ metadata }) => {
      const template = metadata?.name ?? ''
      return [template, claimName(set, template, ordinal)]
    }),
  )

/**
 * The pod of one ordinal: its name, its place in the network, and its volumes last as long as the set.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#pod-identity
 */
export const statefulPod = (
  set: StatefulSetObject,
  template: PodTemplate | undefined,
  ordinal: number,
  revision: string,
): DraftObject => {
  const name = podName(set, ordinal)
  const draft = podFromTemplate(set, template)
  const claims = claimNames(set, ordinal)
  const others = (template?.spec?.volumes ?? []).filter(({ name: volume }) => !claims.has(volume))
  const own = [...claims].map(([volume, claim]): PodVolume => ({
    name: volume,
    persistentVolumeClaim: { claimName: claim },
  }))
  const labels = {
    ...draft.metadata?.labels,
    [podNameLabel]: name,
    [podIndexLabel]: String(ordinal),
    [revisionLabel]: revision,
  }
  const volumes = [...own, ...others]
  return {
    ...draft,
    metadata: { ...draft.metadata, name, labels },
    spec: {
      ...template?.spec,
      hostname: name,
      ...(set.spec.serviceName === undefined ? {} : { subdomain: set.spec.serviceName }),
      ...(volumes.length === 0 ? {} : { volumes }),
    },
  }
}

export const revisionOf = (pod: PodObject): string | undefined => pod.metadata.labels?.[revisionLabel]
