import * as E from 'fp-ts/lib/Either.js'
import type { CloudProvider, Instance, NodeClassObject } from '@scantling/core'

/** By which ids the cloud's messages may name an instance. */
export interface InstanceIds {
  /** The provider id of an instance seen since the start, by that id or by an alias of it. */
  readonly resolve: (id: string) => string | undefined
}

// Clouds of that many machines have their messages named by provider id, or lose the oldest aliases.
const mostIds = 200_000

/** The provider, and the ids of every instance that it tells of from now on. */
export const rememberInstanceIds = <C extends NodeClassObject>(
  provider: CloudProvider<C>,
): { readonly provider: CloudProvider<C>; readonly ids: InstanceIds } => {
  const byId = new Map<string, string>()
  const remember = ({ providerId, aliases = [] }: Instance) => {
    for (const id of [providerId, ...aliases]) {
      // Moved to the end, so that those not seen for longest are forgotten first.
      byId.delete(id)
      byId.set(id, providerId)
    }
    for (const oldest of byId.keys()) {
      if (byId.size <= mostIds) break
      byId.delete(oldest)
    }
  }
  const observed: CloudProvider<C> = {
    ...provider,
    launch: (request, call) => async () => {
      const launched = await provider.launch(request, call)()
      if (E.isRight(launched)) remember(launched.right.instance)
      return launched
    },
    list: (call) => async () => {
      const listed = await provider.list(call)()
      if (E.isRight(listed)) listed.right.instances.forEach(remember)
      return listed
    },
  }
  return { provider: observed, ids: { resolve: (id) => byId.get(id) } }
}
