import type { KubeObject, PatchType, WriteOptions } from '../face.ts'
import { accept, kindSubject, type Core, type Target } from './core.ts'
import { badRequest, invalid, invalidValue } from './failures.ts'
import { isObject, objectAt, valueAtPath, withValueAtPath, type JsonObject } from './json.ts'
import { builtInListSemantics } from '../patching/index.ts'
import type { ScalePaths } from './registry.ts'
import { renderLabelSelector } from './selectors.ts'
import { applyPatch, getExisting, replaceObject } from './writing.ts'

/** The `autoscaling/v1` Scale of an object. */
export const scaleOf = (object: KubeObject, paths: ScalePaths): KubeObject => {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const replicas = valueAtPath(object, paths.specReplicas)
  const current = valueAtPath(object, paths.statusReplicas)
  const selector = paths.selector === undefined ? undefined : valueAtPath(object, paths.selector)
  const selectorText =
    typeof selector === 'string' ? selector : selector === undefined ? '' : renderLabelSelector(selector)
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), uid, resourceVersion, creationTimestamp },
    spec: typeof replicas === 'number' ? { replicas } : {},
    status: {
      replicas: typeof current === 'number' ? current : 0,
      ...(selectorText === '' ? {} : { selector: selectorText }),
    },
  }
}

export const scalePathsOf = (target: Target): ScalePaths => {
  const { scale } = target.type
  if (scale === undefined) throw badRequest(`${target.type.plural} cannot be scaled`)
  return scale
}

/** Writes the replicas of a Scale back to the object. Errors: as an update of the object. */
export const updateScale = (
  core: Core,
  target: Target,
  change: { readonly body: unknown } | { readonly patchType: PatchType; readonly patch: unknown },
  options: WriteOptions,
): KubeObject => {
  const paths = scalePathsOf(target)
  const previous = getExisting(core, target)
  const current = scaleOf(previous, paths)
  const scale =
    'body' in change
      ? change.body
      : applyPatch(
          { strategicPatch: true, lists: builtInListSemantics },
          change.patchType,
          current as unknown as JsonObject,
          change.patch,
        )
  if (!isObject(scale)) throw badRequest('the body of the request is not a Scale')
  const replicas = valueAtPath(scale, 'spec.replicas') ?? 0
  if (typeof replicas !== 'number' || !Number.isInteger(replicas) || replicas < 0) {
    throw invalid(kindSubject({ ...target.type, kind: 'Scale', group: 'autoscaling' }, previous.metadata.name), [
      invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0'),
    ])
  }
  const desired = withValueAtPath(previous as unknown as JsonObject, paths.specReplicas, replicas)
  const resourceVersion = objectAt(scale, 'metadata')?.['resourceVersion']
  const incoming: JsonObject = {
    ...desired,
    metadata: {
      ...previous.metadata,
      ...(typeof resourceVersion === 'string' && resourceVersion !== '' ? { resourceVersion } : {}),
    },
  }
  const main: Target = { ...target, subresource: undefined }
  const stored: Target = { ...main, served: { ...target.served, apiVersion: previous.apiVersion } }
  return scaleOf(replaceObject(core, stored, previous, accept(stored, incoming), options), paths)
}
