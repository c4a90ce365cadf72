import { resource, type DraftObject, type ResourceRef } from '@scantling/kube-sim'
import type { VirtualCluster } from '../cluster/index.ts'

/** A manifest, as parsed from YAML. */
export type Manifest = DraftObject & {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
}

export const fleetKinds = { nodeClass: 'KWOKNodeClass' } as const

const plurals: Readonly<Record<string, readonly [apiVersion: string, plural: string, isNamespaced: boolean]>> = {
  NodePool: ['karpenter.sh/v1', 'nodepools', false],
  KWOKNodeClass: ['karpenter.kwok.sh/v1alpha1', 'kwoknodeclasses', false],
  Deployment: ['apps/v1', 'deployments', true],
  DaemonSet: ['apps/v1', 'daemonsets', true],
  PodDisruptionBudget: ['policy/v1', 'poddisruptionbudgets', true],
  PriorityClass: ['scheduling.k8s.io/v1', 'priorityclasses', false],
  Namespace: ['v1', 'namespaces', false],
}

/** What a replay makes use of; other kinds are said and left out. */
export const isReplayed = (kind: string): boolean => Object.hasOwn(plurals, kind)

const placeOf = ({ kind, metadata }: Manifest): ResourceRef => {
  const [apiVersion, plural, isNamespaced] = plurals[kind] ?? ['v1', kind.toLowerCase(), true]
  return { ...resource(apiVersion, plural), ...(isNamespaced && { namespace: metadata.namespace ?? 'default' }) }
}

/** Creates manifests; NodePools that name a class of another provider are given the simulated one. */
export const applyManifests = async ({ face }: VirtualCluster, manifests: ReadonlyArray<Manifest>): Promise<void> => {
  const named = manifests.filter(({ kind }) => isReplayed(kind))
  if (!named.some(({ kind }) => kind === fleetKinds.nodeClass))
    named.unshift({
      apiVersion: 'karpenter.kwok.sh/v1alpha1',
      kind: fleetKinds.nodeClass,
      metadata: { name: 'default' },
      spec: {},
    })
  for (const manifest of named) {
    const { namespace } = manifest.metadata
    if (namespace !== undefined && namespace !== 'default')
      await face.create(resource('v1', 'namespaces'), { metadata: { name: namespace } }).catch(() => undefined)
    await face.create(placeOf(manifest), manifest.kind === 'NodePool' ? onSimulatedCloud(manifest) : manifest)
  }
}

const onSimulatedCloud = (pool: Manifest): Manifest => {
  const { spec } = pool as unknown as {
    readonly spec: {
      readonly template: {
        readonly spec: { readonly nodeClassRef?: { readonly group?: string; readonly name?: string } }
      }
    }
  }
  const { group, name } = spec.template.spec.nodeClassRef ?? {}
  const nodeClassRef = {
    group: 'karpenter.kwok.sh',
    kind: fleetKinds.nodeClass,
    name: group === 'karpenter.kwok.sh' ? (name ?? 'default') : 'default',
  }
  const template = { ...spec.template, spec: { ...spec.template.spec, nodeClassRef } }
  return { ...pool, spec: { ...spec, template } } as Manifest
}
