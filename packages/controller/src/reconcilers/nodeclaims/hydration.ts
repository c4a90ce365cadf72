import * as E from 'fp-ts/lib/Either.js'
import { Labels } from '@scantling/core'
import type { Reconciler } from '../../queue/index.ts'
import { nodesOf } from '../claim-nodes.ts'
import { writeClaimMetadata } from '../claim-writes.ts'
import type { ReconcilerContext } from '../context.ts'

/**
 * Gives claims of older versions, and their Nodes, the label that names their NodeClass. C-HYD-01.
 *
 * A claim of today has it from its launch, and its Node from the claim.
 */
export const nodeClaimHydration = (context: ReconcilerContext): Reconciler => ({
  name: 'nodeclaim.hydration',
  concurrency: 10,
  reconcile: (key) => async () => {
    const { caches, views, kube, nodeClasses } = context
    const object = caches.nodeClaims.get(key)
    const claim = object && views.claim(object)
    if (claim === undefined || claim.deletionTimestampMs !== undefined || !nodeClasses.isManaged(claim.nodeClass))
      return E.right({})
    const labels = { [Labels.nodeClassLabelKey(claim.nodeClass)]: claim.nodeClass.name }
    const lacks = (present: Labels) => Object.keys(labels).some((name) => Labels.get(present, name) === undefined)
    if (lacks(claim.labels)) {
      const written = await writeClaimMetadata(context, claim, { labels })()
      if (E.isLeft(written)) return written
    }
    for (const node of nodesOf(context, claim)) {
      // A Node that has not registered gets it with everything else of its claim.
      if (Labels.get(node.labels, 'karpenter.sh/registered') !== 'true' || !lacks(node.labels)) continue
      const patched = await kube.patch(
        caches.nodes.kind,
        { name: node.name },
        { type: 'merge', body: { metadata: { labels } } },
      )()
      if (E.isLeft(patched)) return patched
      caches.nodes.observe(patched.right)
    }
    return E.right({})
  },
})
