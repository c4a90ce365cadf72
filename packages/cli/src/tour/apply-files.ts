import { convertManifests, replacementOf } from '@scantling/core'
import { placeOf, readManifests, type Manifest } from '../manifests/read-manifests.ts'
import { refusalOf, type KubeApi } from './kube-api.ts'

/**
 * Applies files as they are, old forms converted.
 *
 * Returns a sentence for everything that was refused, with its file and document; the rest is applied all the same.
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
    } catch (cause) {
      refused.push(`${place}: ${refusalOf(cause, { apiVersion, kind })}`)
    }
  }
  return refused
}
