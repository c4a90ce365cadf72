import * as E from 'fp-ts/lib/Either.js'
import type { KubeClient, KubeError, ObjectRef } from '@scantling/controller'
import type { CloudProvider, NodeClassObject } from '@scantling/core'

/** One outgoing call of the controller that changes something. */
export interface Effect {
  /** `create NodeClaim`, `launch`. */
  readonly name: string
  /** What it is done to, as `namespace/name` or `name`; absent where that has no name yet. */
  readonly subject?: string
  readonly atMs: number
  /** The tag of the error with which it was refused, as soon as it was. */
  refusal?: string
}

/** What becomes of an effect. `die`: the process ends there, and nothing that it does afterwards reaches anyone. */
export type Fate = 'pass' | 'die before' | 'die after' | 'fail before' | 'fail after'

/** Decides what becomes of an effect; the first of a controller is number 1. */
export type FateOf = (effect: Effect, number: number) => Fate

/** What stands between a controller and the world: it keeps account of the effects and lets each meet its fate. */
export interface EffectGate {
  readonly effects: ReadonlyArray<Effect>
  readonly isDead: () => boolean
  /** Ends the controller as a crash does. */
  readonly kill: () => void
  readonly kube: (client: KubeClient) => KubeClient
  /** `launchMs`: how long the cloud takes to answer a launch. */
  readonly provider: (provider: CloudProvider<NodeClassObject>, launchMs?: number) => CloudProvider<NodeClassObject>
}

/** Makes the gate of one controller; `onDeath` ends what it has running. */
export const effectGate = (
  clock: { readonly nowMs: () => number; readonly sleep: (ms: number) => Promise<void> },
  fateOf: FateOf,
  onDeath: () => void,
): EffectGate => {
  const effects: Array<Effect> = []
  let dead = false
  const kill = () => {
    dead = true
    onDeath()
  }
  const nothing = new Promise<never>(() => undefined)
  const gate = async <L, A>(
    name: string,
    subject: string | undefined,
    failure: L,
    call: () => Promise<E.Either<L, A>>,
  ): Promise<E.Either<L, A>> => {
    if (dead) return nothing
    const effect: Effect = { name, ...(subject === undefined ? {} : { subject }), atMs: clock.nowMs() }
    effects.push(effect)
    const fate = fateOf(effect, effects.length)
    if (fate === 'die before') {
      kill()
      return nothing
    }
    if (fate === 'fail before') return E.left(failure)
    const answer = await call()
    if (E.isLeft(answer)) effect.refusal = refusalOf(answer.left)
    if (fate === 'die after') kill()
    return dead ? nothing : fate === 'fail after' ? E.left(failure) : answer
  }
  const lost: KubeError = { _tag: 'Timeout', message: 'The answer was lost' }
  const unknown = { _tag: 'Unknown' as const, message: 'The answer was lost' }
  return {
    effects,
    isDead: () => dead,
    kill,
    kube: (client) => ({
      ...client,
      create: (kind, object) => () => gate(`create ${kind.kind}`, nameOf(object), lost, client.create(kind, object)),
      update: (kind, object) => () => gate(`update ${kind.kind}`, nameOf(object), lost, client.update(kind, object)),
      patch:
        (kind, ref, ...rest) =>
        () =>
          gate(`patch ${kind.kind}`, placeOf(ref), lost, client.patch(kind, ref, ...rest)),
      patchStatus:
        (kind, ref, ...rest) =>
        () =>
          gate(`status of ${kind.kind}`, placeOf(ref), lost, client.patchStatus(kind, ref, ...rest)),
      delete:
        (kind, ref, ...rest) =>
        () =>
          gate(`delete ${kind.kind}`, placeOf(ref), lost, client.delete(kind, ref, ...rest)),
      evict:
        (ref, ...rest) =>
        () =>
          gate('evict', placeOf(ref), lost, client.evict(ref, ...rest)),
    }),
    provider: (provider, launchMs) => ({
      ...provider,
      launch: (request, call) => () =>
        gate('launch', request.claim.name, { error: unknown, reason: 'LaunchFailed' }, async () => {
          const launched = await provider.launch(request, call)()
          if (launchMs !== undefined) await clock.sleep(launchMs)
          return launched
        }),
      terminate: (target, call) => () =>
        gate('terminate', target.providerId, unknown, provider.terminate(target, call)),
    }),
  }
}

const refusalOf = (left: unknown): string => (left as { readonly _tag?: string })._tag ?? 'LaunchFailed'

const placeOf = ({ namespace, name }: ObjectRef): string => (namespace === undefined ? name : `${namespace}/${name}`)

const nameOf = (object: object): string | undefined =>
  (object as { readonly metadata?: { readonly name?: string } }).metadata?.name
