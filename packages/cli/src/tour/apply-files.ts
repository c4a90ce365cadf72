import { convertManifests, replacementOf } from '@scantling/core'
import { placeOf, readManifests, type Manifest } from '../manifests/read-manifests.ts'
import { sortObjects } from '../manifests/sort-objects.ts'
import { refusalOf, type KubeApi } from './kube-api.ts'

/** What the NodePools of tutorials name; it is on the cluster before any file. */
export const defaultNodeClass = {
  apiVersion: 'karpenter.kwok.sh/v1alpha1',
  kind: 'KWOKNodeClass',
  metadata: { name: 'default' },
} as const

/**
 * Applies files as they are, old forms converted.
 *
 * Returns a sentence for everything that was refused, or that the server admits though it cannot work, with its file and
 * document; the rest is applied all the same.
 */
export const applyFiles = async (
  api: KubeApi,
  paths: ReadonlyArray<string>,
  onApplied: (kind: string, name: string, namespace: string) => void = () => undefined,
): Promise<ReadonlyArray<string>> => {
  const { manifests, problems } = readManifests(paths)
  const converted = convertManifests(manifests.map(({ object }) => object))
  const refused = [
    ...problems,
    ...converted.unsettled.map(({ index, text }) => `${placeOf(manifests[index] as Manifest)}: ${text}`),
  ]
  const found = sortObjects([{ file: 'the cluster', document: 1, object: defaultNodeClass }, ...manifests]).problems
  for (const [index, object] of converted.manifests.entries()) {
    // What stands for it today was said above; no server knows the kind.
    if (replacementOf(object) !== undefined) continue
    const { apiVersion, kind, metadata } = object as {
      readonly apiVersion: string
      readonly kind: string
      readonly metadata?: { readonly name?: string; readonly namespace?: string }
    }
    const place = placeOf(manifests[index] as Manifest)
    if (metadata?.name === undefined) {
      refused.push(`${place}: metadata.name: Required value; give the object a name`)
      continue
    }
    try {
      await api.apply(object)
      onApplied(kind, metadata.name, metadata.namespace ?? 'default')
      refused.push(...found.filter((problem) => problem.startsWith(`${place}: `) && !refused.includes(problem)))
    } catch (cause) {
      refused.push(`${place}: ${refusalOf(cause, { apiVersion, kind })}`)
    }
  }
  return refused
}
