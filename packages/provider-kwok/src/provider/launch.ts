import {
  labelKeys,
  Offerings,
  Requirements,
  Time,
  type Call,
  type InstanceType,
  type Launched,
  type LaunchFailure,
  type LaunchRequest,
  type UnavailableMark,
} from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { seededFraction } from '../catalog/index.ts'
import type { KwokCloud } from '../cloud/index.ts'
import { providerErrorOf } from './error-codes.ts'
import { instanceOf, tagKeys } from './instance.ts'
import type { KwokNodeClass } from './node-class.ts'

/** How long an offering that was sold out is left alone. */
export const soldOutForMs = 180_000

// Beyond this, another pass with the marks applied finds a better list than this one's tail.
const mostAttempts = 25

interface Way {
  readonly instanceType: string
  readonly zone: string
  readonly capacityType: string
  readonly pricePerHour: number
}

/**
 * Launches the cheapest way that the cloud has room for.
 *
 * Ways without room are marked and the next is tried. The token makes retries and races harmless: the cloud answers
 * with the machine that the token has, whichever way it was asked for.
 */
export const launch =
  (cloud: KwokCloud, request: LaunchRequest<KwokNodeClass>, call: Call): TaskEither<LaunchFailure, Launched<unknown>> =>
  async () => {
    const { token, claim, nodeClass } = request
    const delayText = nodeClass.spec.nodeRegistrationDelay
    const delay = delayText === undefined ? E.right(0) : Time.parseDuration(delayText)
    if (E.isLeft(delay))
      return E.left({
        reason: 'InvalidNodeClass',
        error: {
          _tag: 'InvalidRequest',
          field: 'spec.nodeRegistrationDelay',
          message: `Cannot launch with KWOKNodeClass ${nodeClass.metadata.name}: ${delay.left}`,
        },
      })
    const tags = {
      [tagKeys.cluster]: call.cluster.name,
      [tagKeys.nodeClaim]: claim.name,
      [tagKeys.nodeClass]: claim.nodeClass,
      ...(claim.nodePool !== undefined && { [tagKeys.nodePool]: claim.nodePool }),
    }
    // Candidates come cheapest first, so the cheapest ways are among those of as many types.
    const ways = waysOf(request.candidates.slice(0, mostAttempts), token)
    const hasMore = ways.length > mostAttempts || request.candidates.length > mostAttempts
    const unavailable: Array<UnavailableMark> = []
    for (const { instanceType, zone, capacityType } of ways.slice(0, mostAttempts)) {
      const launched = await cloud.launch(
        { token, instanceType, zone, capacityType, tags, registrationDelayMs: delay.right },
        call.signal,
      )()
      if (E.isRight(launched)) return E.right({ instance: instanceOf(launched.right), unavailable })
      const error = providerErrorOf(launched.left)
      if (error.code !== 'InsufficientInstanceCapacity')
        return E.left({ error, reason: launched.left.code, unavailable })
      unavailable.push({
        match: Requirements.fromLabels({
          [labelKeys.instanceType]: instanceType,
          [labelKeys.zone]: zone,
          [labelKeys.capacityType]: capacityType,
        }),
        forMs: soldOutForMs,
        reason: launched.left.code,
        message: error.message,
      })
    }
    return E.left({
      reason: 'InsufficientCapacity',
      error: {
        _tag: 'InsufficientCapacity',
        message:
          ways.length === 0
            ? 'None of the candidates has an offering that is on sale'
            : `There is no capacity for any of the ${unavailable.length} cheapest offerings`,
      },
      unavailable,
      ...(hasMore && { keepClaim: true }),
    })
  }

/** Every way to buy one of the types, cheapest first; ways of one price in an order drawn from the token (K-06). */
const waysOf = (types: ReadonlyArray<InstanceType>, token: string): ReadonlyArray<Way> =>
  types
    .flatMap((type) =>
      type.offerings.flatMap((offering) => {
        const zone = Offerings.zoneOf(offering)
        const capacityType = Offerings.capacityTypeOf(offering)
        return zone === undefined || capacityType === undefined || offering.unavailable !== undefined
          ? []
          : [{ instanceType: type.name, zone, capacityType, pricePerHour: offering.pricePerHour ?? Infinity }]
      }),
    )
    .map((way) => ({ way, draw: seededFraction(token, way.instanceType, way.zone, way.capacityType) }))
    .sort((a, b) =>
      a.way.pricePerHour === b.way.pricePerHour ? a.draw - b.draw : a.way.pricePerHour < b.way.pricePerHour ? -1 : 1,
    )
    .map(({ way }) => way)
