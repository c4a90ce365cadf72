import {
  Labels,
  Taints,
  type ClaimState,
  type JsonObject,
  type NodeObject,
  type NodeSync,
  type Taint,
} from '@scantling/core'
import type { PatchBody } from '../kube/index.ts'

/** A taint as the API writes it. */
export const taintManifest = ({ key, value, effect }: Taint): JsonObject => ({
  key,
  effect,
  ...(value === undefined ? {} : { value }),
})

/**
 * The patch that makes a Node carry what its claim says; `undefined`: it does already.
 *
 * Others write to a Node that has just joined: its kubelet, the node lifecycle controller, a CNI. So this names what it
 * changes, and what must not have changed meanwhile (the taint that it takes away, lists that it replaces), instead of a
 * version that each of them moves on.
 */
export const nodePatchOf = (
  sync: NodeSync,
  claim: ClaimState,
  { metadata, spec }: NodeObject,
): PatchBody | undefined => {
  const owner = {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodeClaim',
    name: claim.name,
    uid: claim.uid,
    blockOwnerDeletion: true,
  }
  const owners = metadata.ownerReferences
  const body = [
    ...entryOperations('/metadata/labels', metadata.labels, sync.labels),
    ...entryOperations('/metadata/annotations', metadata.annotations, sync.annotations),
    ...listOperations('/metadata/finalizers', metadata.finalizers, sync.finalizers),
    ...listOperations('/metadata/ownerReferences', owners, sync.needsOwner ? [...owners, owner] : owners),
    ...taintOperations(metadata.resourceVersion, spec.taints, sync.taints),
  ]
  return body.length === 0 ? undefined : { type: 'json', body }
}

// What is empty is not there on the wire, which a test for null says.
const replaced = (path: string, present: object, value: object): ReadonlyArray<object> => [
  { op: 'test', path, value: Object.keys(present).length === 0 ? null : present },
  { op: 'add', path, value },
]

const entryOperations = (path: string, present: Labels, wanted: Labels): ReadonlyArray<object> => {
  const changed = Object.entries(wanted).filter(([key, value]) => Labels.get(present, key) !== value)
  if (changed.length === 0) return []
  if (Object.keys(present).length === 0) return replaced(path, present, wanted)
  return changed.map(([key, value]) => ({
    op: 'add',
    path: `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`,
    value,
  }))
}

const listOperations = (
  path: string,
  present: ReadonlyArray<string | object>,
  wanted: ReadonlyArray<string | object>,
): ReadonlyArray<object> => (wanted.length === present.length ? [] : replaced(path, present, wanted))

// One by one, since taints of others bear times that are not read here. What is new comes last, so places stay.
const taintOperations = (
  version: string,
  present: ReadonlyArray<Taint>,
  wanted: ReadonlyArray<Taint>,
): ReadonlyArray<object> => {
  const path = '/spec/taints'
  const isIn = (taints: ReadonlyArray<Taint>, taint: Taint) => taints.some((each) => Taints.isSameMark(each, taint))
  const added = wanted.filter((taint) => !isIn(present, taint)).map(taintManifest)
  // A list of none may be there or not.
  if (present.length === 0)
    return added.length === 0
      ? []
      : [
          { op: 'test', path: '/metadata/resourceVersion', value: version },
          { op: 'add', path, value: added },
        ]
  const removed = present.flatMap((taint, place) => (isIn(wanted, taint) ? [] : [[taint, place] as const]))
  return [
    ...added.map((value) => ({ op: 'add', path: `${path}/-`, value })),
    ...removed.toReversed().flatMap(([{ key, effect }, place]) => [
      { op: 'test', path: `${path}/${place}/key`, value: key },
      { op: 'test', path: `${path}/${place}/effect`, value: effect },
      { op: 'remove', path: `${path}/${place}` },
    ]),
  ]
}
