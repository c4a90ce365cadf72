import {
  ApiException,
  KubeConfig,
  KubernetesObjectApi,
  PatchStrategy,
  type KubernetesObject,
} from '@kubernetes/client-node'

/** The calls that the tour makes to the cluster as its user would: apply, scale. */
export interface KubeApi {
  /** Creates the object or brings it to what the manifest says. Rejects with the server's words. */
  readonly apply: (manifest: KubernetesObject) => Promise<void>
  /** Merges fields into an object that is there; `null` removes one. */
  readonly merge: (patch: object) => Promise<void>
  readonly scaleDeployment: (
    ref: { readonly name: string; readonly namespace: string },
    replicas: number,
  ) => Promise<void>
}

const fieldManager = 'scantling'

export const connectKubeApi = (server: string): KubeApi => {
  const config = new KubeConfig()
  // client-node takes plain HTTP, which the embedded server speaks on loopback, only when told not to expect TLS.
  config.loadFromOptions({
    clusters: [{ name: 'embedded', server, skipTLSVerify: true }],
    users: [{ name: 'embedded' }],
    contexts: [{ name: 'embedded', cluster: 'embedded', user: 'embedded' }],
    currentContext: 'embedded',
  })
  const api = KubernetesObjectApi.makeApiClient(config)
  const write = async (manifest: KubernetesObject, strategy: PatchStrategy) => {
    await api.patch(
      manifest,
      undefined,
      undefined,
      fieldManager,
      strategy === PatchStrategy.ServerSideApply ? true : undefined,
      strategy,
    )
  }
  return {
    apply: (manifest) => write(manifest, PatchStrategy.ServerSideApply),
    merge: (patch) => write(patch as KubernetesObject, PatchStrategy.MergePatch),
    scaleDeployment: ({ name, namespace }, replicas) =>
      write(
        {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name, namespace },
          spec: { replicas },
        } as KubernetesObject,
        PatchStrategy.MergePatch,
      ),
  }
}

/** Why the server refused an object, in its own words, and what to do where it has none. */
export const refusalOf = (
  cause: unknown,
  { apiVersion, kind }: { readonly apiVersion: string; readonly kind: string },
): string => {
  if (!(cause instanceof ApiException)) return cause instanceof Error ? cause.message : String(cause)
  // The client asks what the server knows before it sends the object.
  if (cause.message.startsWith('Failed to fetch resource metadata') && cause.code === 404)
    return `the server knows no kind ${kind} in ${apiVersion}; correct apiVersion and kind, or apply its CustomResourceDefinition first`
  return statusMessage(cause.body) ?? `the server answered ${cause.code}`
}

const statusMessage = (body: unknown): string | undefined => {
  const status: unknown = typeof body === 'string' ? parsed(body) : body
  const { message } = (status ?? {}) as { readonly message?: unknown }
  return typeof message === 'string' && message !== '' ? message : undefined
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
