import * as E from 'fp-ts/lib/Either.js'
import {
  defaultSpread,
  type Labels,
  type OwnerSelector,
  type Pod,
  type PodOwner,
  type ServiceObject,
  type TopologySpreadConstraint,
} from '@scantling/core'
import type { ObjectCache } from '../cache/index.ts'
import { featureKinds, type KubeClient } from '../kube/index.ts'

/** The cluster's default topology spread, for pods that have none of their own. P-DTS. */
export interface SpreadCell {
  /** Looks up the controllers of these pods, so that `spread` knows their selectors. Failures leave a pod without. */
  readonly prepare: (pods: ReadonlyArray<Pod>) => Promise<void>
  /** The pod with the constraints that it is to have; the same object for the same pod until something changed. */
  readonly spread: (pod: Pod) => Pod
}

export interface SpreadCellOptions {
  readonly defaults: ReadonlyArray<TopologySpreadConstraint>
  readonly services: ObjectCache<ServiceObject, 'byNamespace'>
  readonly kube: Pick<KubeClient, 'get'>
  readonly onFailure: (owner: PodOwner, reason: string) => void
}

const lookupsAtOnce = 10
// Beyond this many controllers the oldest are forgotten and asked for again.
const rememberedOwners = 20_000

export const makeSpreadCell = ({ defaults, services, kube, onFailure }: SpreadCellOptions): SpreadCell => {
  // By UID. A controller's selector does not change, so what was found stays; one that was not found is asked for again.
  const owners = new Map<string, OwnerSelector>()
  // While Services and controllers stay, a pod becomes the same pod again: planners compile by identity.
  let spread: ((pod: Pod) => Pod) | undefined
  let made = new WeakMap<Pod, Pod>()
  const forget = () => {
    spread = undefined
    made = new WeakMap()
  }
  services.onChange(forget)
  const spreadOnce = (pod: Pod): Pod => {
    const known = made.get(pod)
    if (known !== undefined) return known
    spread ??= defaultSpread(defaults, {
      services: (namespace) => selectorsOf(services.by('byNamespace', namespace)),
      owner: ({ uid }) => owners.get(uid),
    })
    const result = spread(pod)
    made.set(pod, result)
    return result
  }
  const lookUp = async (owner: PodOwner, namespace: string): Promise<void> => {
    const found = await readOwner(kube, owner, namespace)
    if (E.isLeft(found)) return onFailure(owner, found.left)
    if (found.right === undefined) return
    const [oldest] = owners.keys()
    if (owners.size >= rememberedOwners && oldest !== undefined) owners.delete(oldest)
    owners.set(owner.uid, found.right)
    forget()
  }
  return {
    prepare: async (pods) => {
      const wanted = new Map<string, readonly [PodOwner, string]>()
      for (const { owner, namespace, constraints } of pods)
        if (owner !== undefined && constraints.topologySpread.length === 0 && !owners.has(owner.uid))
          wanted.set(owner.uid, [owner, namespace])
      const queue = [...wanted.values()]
      const work = async () => {
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) await lookUp(...next)
      }
      await Promise.all(Array.from({ length: Math.min(lookupsAtOnce, queue.length) }, work))
    },
    spread: spreadOnce,
  }
}

const selectorsOf = (services: ReadonlyArray<ServiceObject>): ReadonlyArray<Labels | undefined> =>
  [...services].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)).map(({ spec }) => spec.selector)

const readOwner = async (
  kube: Pick<KubeClient, 'get'>,
  { apiVersion, kind, name }: PodOwner,
  namespace: string,
): Promise<E.Either<string, OwnerSelector | undefined>> => {
  const ref = { name, namespace }
  if (apiVersion === 'v1' && kind === 'ReplicationController') {
    const found = await kube.get(featureKinds.replicationControllers, ref)()
    if (E.isLeft(found)) return E.left(found.left.message)
    return E.right({ _tag: 'Labels', labels: found.right.spec.selector ?? {} })
  }
  if (apiVersion !== 'apps/v1') return E.right(undefined)
  const found =
    kind === 'ReplicaSet'
      ? await kube.get(featureKinds.replicaSets, ref)()
      : kind === 'StatefulSet'
        ? await kube.get(featureKinds.statefulSets, ref)()
        : undefined
  if (found === undefined) return E.right(undefined)
  if (E.isLeft(found)) return E.left(found.left.message)
  return E.right({ _tag: 'Selector', selector: found.right.spec.selector ?? {} })
}
