import { groupOf, objectAt, textAt, without, type Manifest } from './manifest.ts'

/** An object in today's form, and what was changed to get there, one sentence each. */
export interface Conversion {
  readonly manifest: Manifest
  readonly changes: ReadonlyArray<string>
  /** What could not be carried over and is for the user to settle, one sentence each. */
  readonly unsettled: ReadonlyArray<string>
  /** Kubelet settings, which today stand in the NodeClass. */
  readonly kubelet?: { readonly nodeClass: NodeClassName; readonly settings: Manifest }
}

export interface NodeClassName {
  readonly group: string
  readonly kind: string
  readonly name: string
}

/**
 * A `karpenter.sh/v1beta1` NodePool as `karpenter.sh/v1`.
 *
 * Works on the manifest, not on a decoded form: fields that the old schema did not know stay, for the new one to judge.
 */
export const convertNodePool = (manifest: Manifest): Conversion => {
  const changes: Array<string> = ['apiVersion is now karpenter.sh/v1']
  const spec = objectAt(manifest, 'spec') ?? {}
  const template = objectAt(spec, 'template') ?? {}
  const node = convertNodeFields(objectAt(template, 'spec') ?? {}, 'spec.template.spec', changes)
  const disruption = objectAt(spec, 'disruption')
  const expireAfter = textAt(disruption, 'expireAfter')
  if (expireAfter !== undefined) changes.push('spec.disruption.expireAfter is now spec.template.spec.expireAfter')
  const policy = textAt(disruption, 'consolidationPolicy')
  const isRenamed = policy === 'WhenUnderutilized'
  if (isRenamed) {
    changes.push('spec.disruption.consolidationPolicy WhenUnderutilized is now WhenEmptyOrUnderutilized')
  }
  const nodeSpec = expireAfter === undefined ? node.fields : { ...node.fields, expireAfter }
  return {
    manifest: {
      ...manifest,
      apiVersion: 'karpenter.sh/v1',
      spec: {
        ...spec,
        template: { ...template, spec: nodeSpec },
        ...(disruption === undefined
          ? {}
          : {
              disruption: {
                ...without(disruption, 'expireAfter'),
                ...(isRenamed ? { consolidationPolicy: 'WhenEmptyOrUnderutilized' } : {}),
              },
            }),
      },
    },
    changes,
    unsettled: [],
    ...(node.kubelet === undefined ? {} : { kubelet: node.kubelet }),
  }
}

/** A `karpenter.sh/v1beta1` NodeClaim as `karpenter.sh/v1`. */
export const convertNodeClaim = (manifest: Manifest): Conversion => {
  const changes: Array<string> = ['apiVersion is now karpenter.sh/v1']
  const node = convertNodeFields(objectAt(manifest, 'spec') ?? {}, 'spec', changes)
  return {
    manifest: { ...manifest, apiVersion: 'karpenter.sh/v1', spec: node.fields },
    changes,
    unsettled: [],
    ...(node.kubelet === undefined ? {} : { kubelet: node.kubelet }),
  }
}

// The part that templates and NodeClaims share: the reference to the NodeClass, and kubelet.
const convertNodeFields = (
  fields: Manifest,
  path: string,
  changes: Array<string>,
): { readonly fields: Manifest; readonly kubelet?: NonNullable<Conversion['kubelet']> } => {
  const reference = objectAt(fields, 'nodeClassRef')
  const apiVersion = textAt(reference, 'apiVersion')
  const group = textAt(reference, 'group') ?? (apiVersion === undefined ? undefined : groupOf(apiVersion))
  if (apiVersion !== undefined) {
    changes.push(`${path}.nodeClassRef.apiVersion ${apiVersion} is now ${path}.nodeClassRef.group ${group}`)
  }
  const converted =
    reference === undefined
      ? fields
      : {
          ...fields,
          nodeClassRef: { ...without(reference, 'apiVersion'), ...(group === undefined ? {} : { group }) },
        }
  const settings = objectAt(fields, 'kubelet')
  if (settings === undefined) return { fields: converted }
  const nodeClass = {
    group: group ?? '',
    kind: textAt(reference, 'kind') ?? '',
    name: textAt(reference, 'name') ?? '',
  }
  changes.push(`${path}.kubelet is now spec.kubelet of ${nodeClass.kind} ${nodeClass.name}`)
  return { fields: without(converted, 'kubelet'), kubelet: { nodeClass, settings } }
}
