import * as E from 'fp-ts/lib/Either.js'
import {
  bootLabels,
  bootTaints,
  claimLabels,
  Conditions,
  labelKeys,
  Offerings,
  Requirement,
  Requirements,
  Time,
  type ClaimState,
  type Instance,
  type JsonObject,
} from '@scantling/core'
import type { ReconcilerContext } from '../context.ts'
import { taintManifest } from '../node-writes.ts'
import { claimFacts } from '../provider-facts.ts'

// Machines are looked for often while some are expected, and now and then otherwise.
const expectingPollMs = 2000
const idlePollMs = 15_000
// Claims of one batch state their instances one after another, and are looked for together.
const gatherMs = 100

/** The mark by which kwok, and kube-sim's kubelet, know a Node that they are to keep alive. */
const fakeNodeKey = 'kwok.x-k8s.io/node'

/**
 * Makes a Node for every running instance of a provider whose machines have no kubelet (`traits.kubelet: 'simulated'`).
 *
 * The Node is what a kubelet would register: named by the end of the provider id, with the claim's labels and taints and
 * the machine's own. It starts NotReady; whoever keeps fake nodes alive makes it Ready. When its machine vanishes it is
 * let go, and turns NotReady.
 */
export const runSimulatedKubelet = async (context: ReconcilerContext): Promise<void> => {
  const { caches, clock, shutdown, provider, log } = context
  let wake = () => {}
  let isDue = false
  const stopListening = caches.nodeClaims.onChange((change) => {
    if (change._tag === 'Deleted' || change.current.status.providerID === undefined) return
    if (change._tag === 'Modified' && change.previous.status.providerID !== undefined) return
    isDue = true
    wake()
  })
  const untilDue = (ms: number) =>
    new Promise<void>((resolve) => {
      const cancel = clock.setTimer(ms, resolve)
      wake = () => {
        cancel()
        resolve()
      }
      if (isDue || shutdown.aborted) wake()
    })
  shutdown.addEventListener('abort', () => wake())
  while (!shutdown.aborted) {
    isDue = false
    const call = { signal: shutdown, cluster: context.clusterFacts() }
    const listed = await provider.list(call)()
    if (E.isLeft(listed)) {
      if (!shutdown.aborted) log.warn('Cannot list instances', { error: listed.left.message })
    } else {
      await Promise.all(listed.right.instances.map((instance) => join(context, instance)))
      if (listed.right.unreadable.length === 0) await leave(context, listed.right.instances)
    }
    await untilDue(isExpecting(context) ? expectingPollMs : idlePollMs)
    if (isDue) await clock.sleep(gatherMs, shutdown).catch(() => undefined)
  }
  stopListening()
}

const isExpecting = ({ caches, views }: ReconcilerContext): boolean => {
  for (const object of caches.nodeClaims.values())
    if (!Conditions.isTrue(views.claim(object).conditions, 'Registered')) return true
  return false
}

const join = async (context: ReconcilerContext, instance: Instance): Promise<void> => {
  const { caches, views, kube, log } = context
  const name = instance.providerId.slice(instance.providerId.lastIndexOf('/') + 1)
  if (instance.phase !== 'running' || caches.nodes.get(name) !== undefined) return
  const object = caches.nodeClaims.by('byProviderId', instance.providerId)[0]
  // Before the claim states the instance, and after it is on its way out, nothing may join.
  if (object === undefined || object.metadata.deletionTimestamp !== undefined) return
  const made = await nodeManifest(context, views.claim(object), instance, name)
  const created = await kube.create(caches.nodes.kind, made)()
  if (E.isLeft(created)) {
    if (created.left._tag !== 'AlreadyExists')
      log.warn('Cannot create simulated Node', { Node: name, error: created.left.message })
    return
  }
  caches.nodes.observe(created.right)
}

const nodeManifest = async (
  context: ReconcilerContext,
  claim: ClaimState,
  instance: Instance,
  name: string,
): Promise<JsonObject> => {
  const nodeClass = context.nodeClasses.get(claim.nodeClass)
  const call = { signal: context.shutdown, cluster: context.clusterFacts() }
  const types = nodeClass === undefined ? E.right([]) : await context.types.ofNodeClass(nodeClass, call)()
  const type = E.isRight(types) ? types.right.find((one) => one.name === instance.instanceType) : undefined
  const machine = type === undefined ? {} : claimLabels(type, Offerings.offeringIn(type, instance), context.labelPolicy)
  const facts = claimFacts(context, claim)
  const single = (key: string, otherwise: string) =>
    (type && Requirement.singleValue(Requirements.get(type.requirements, key))) ?? otherwise
  const labels = {
    ...bootLabels(facts, machine),
    [labelKeys.hostname]: name,
    [labelKeys.instanceType]: instance.instanceType,
    [labelKeys.zone]: instance.zone,
    [labelKeys.arch]: single(labelKeys.arch, 'amd64'),
    [labelKeys.os]: single(labelKeys.os, 'linux'),
    [fakeNodeKey]: 'fake',
  }
  const version = `v${context.clusterFacts().kubernetesVersion}`
  const at = Time.renderInstant(context.clock.nowMs())
  return {
    metadata: { name, labels, annotations: { [fakeNodeKey]: 'fake' } },
    spec: {
      providerID: instance.providerId,
      taints: [...bootTaints(facts), notReady].map(taintManifest),
    },
    status: {
      capacity: claim.capacity,
      allocatable: claim.allocatable,
      conditions: [
        {
          type: 'Ready',
          status: 'False',
          reason: 'KubeletNotReady',
          message: 'The machine is starting',
          lastTransitionTime: at,
          lastHeartbeatTime: at,
        },
      ],
      nodeInfo: {
        kubeletVersion: version,
        kubeProxyVersion: version,
        architecture: labels[labelKeys.arch] ?? '',
        operatingSystem: labels[labelKeys.os] ?? '',
        osImage: 'Simulated',
        containerRuntimeVersion: 'simulated://1',
        kernelVersion: 'simulated',
        machineID: claim.uid,
        systemUUID: claim.uid,
        bootID: claim.uid,
      },
    },
  }
}

const notReady = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' } as const

/** Nodes of ours whose machine is gone are no longer kept alive, as if their kubelet had died with it. */
const leave = async (context: ReconcilerContext, instances: ReadonlyArray<Instance>): Promise<void> => {
  const { caches, kube, clock } = context
  const alive = new Set(instances.filter(({ phase }) => phase !== 'stopped').map(({ providerId }) => providerId))
  for (const node of caches.nodes.values()) {
    const { name, labels } = node.metadata
    const { providerID } = node.spec
    if (labels[fakeNodeKey] !== 'fake' || providerID === undefined || alive.has(providerID)) continue
    // Another provider's fake nodes are not ours to judge.
    if (caches.nodeClaims.by('byProviderId', providerID).length === 0) continue
    const marks = { metadata: { labels: { [fakeNodeKey]: null }, annotations: { [fakeNodeKey]: null } } }
    const released = await kube.patch(caches.nodes.kind, { name }, { type: 'merge', body: marks })()
    if (E.isLeft(released)) continue
    caches.nodes.observe(released.right)
    const at = Time.renderInstant(clock.nowMs())
    const condition = {
      type: 'Ready',
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
      message: 'The machine is gone',
      lastTransitionTime: at,
      lastHeartbeatTime: at,
    }
    const body = { status: { conditions: [condition] } }
    await kube.patchStatus(caches.nodes.kind, { name }, { type: 'strategic', body })()
  }
}
