import type { InstanceTypeInfo } from '@aws-sdk/client-ec2'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import {
  amountOf,
  compileExpression,
  isExpression,
  type ExpressionVariables,
  type KubeletSettings,
} from '../kubelet/index.ts'
import { eniLimitsOf, podsOf } from './pods.ts'

type PodOptions = Parameters<typeof podsOf>[1]

/** What of the kubelet's settings depends on the type, as numbers: planning and launching use the same. */
export interface TypeKubelet {
  /** As the user wants it; absent: by the type. */
  readonly maxPods?: number
  /** What a node of the type runs at most. */
  readonly pods: number
  readonly kubeReserved: Readonly<Record<string, string>>
  readonly systemReserved: Readonly<Record<string, string>>
  /** Expressions without a result for this type, which count as not written; a sentence each. */
  readonly dropped: ReadonlyArray<string>
}

export interface TypeKubeletOptions extends Omit<PodOptions, 'maxPods' | 'podsPerCore'> {
  readonly settings: KubeletSettings
  /** Off: expressions count as not written, and validation refuses them. */
  readonly allowsExpressions: boolean
}

const largestPods = 2n ** 31n - 1n

/**
 * Evaluates the kubelet's settings for a type.
 *
 * `max_pods` is the default in the expression for `maxPods` itself, and its result in the others (A-CEL-05). A reserved
 * amount without a result is dropped; errors: a sentence, where `maxPods` has none (A-CEL-06).
 */
export const kubeletOfType = (info: InstanceTypeInfo, options: TypeKubeletOptions): E.Either<string, TypeKubelet> => {
  const { settings, allowsExpressions } = options
  const { podsPerCore } = settings
  const podsWith = (maxPods: number | undefined) =>
    podsOf(info, {
      ...options,
      ...(podsPerCore !== undefined && { podsPerCore }),
      ...(maxPods !== undefined && { maxPods }),
    })
  const variablesWith = (maxPods: number): ExpressionVariables => {
    const { interfaces, addressesPerInterface } = eniLimitsOf(info)
    return {
      vcpus: info.VCpuInfo?.DefaultVCpus ?? 0,
      memoryMib: info.MemoryInfo?.SizeInMiB ?? 0,
      defaultEnis: interfaces,
      ipsPerEni: addressesPerInterface,
      maxPods,
      instanceType: info.InstanceType ?? '',
    }
  }
  const maxPods = maxPodsOf(settings.maxPods, allowsExpressions, () => variablesWith(podsWith(undefined)))
  if (E.isLeft(maxPods)) return maxPods
  const pods = podsWith(maxPods.right)
  const dropped: Array<string> = []
  const resolve = (amounts: Readonly<Record<string, string>> = {}) =>
    Object.fromEntries(
      Object.entries(amounts).flatMap(([resource, value]) => {
        if (!isExpression(value)) return [[resource, value]]
        if (!allowsExpressions) return []
        const result = reservedAmount(resource, value, variablesWith(pods))
        if (E.isRight(result)) return [[resource, result.right]]
        dropped.push(result.left)
        return []
      }),
    )
  return E.right({
    ...(maxPods.right !== undefined && { maxPods: maxPods.right }),
    pods,
    kubeReserved: resolve(settings.kubeReserved),
    systemReserved: resolve(settings.systemReserved),
    dropped,
  })
}

const maxPodsOf = (
  value: number | string | undefined,
  allowsExpressions: boolean,
  variables: () => ExpressionVariables,
): E.Either<string, number | undefined> => {
  if (typeof value !== 'string') return E.right(value)
  if (!allowsExpressions) return E.right(undefined)
  return pipe(
    compileExpression(value),
    E.chain((expression) => expression.evaluate(variables())),
    E.chain((result) =>
      result >= 0n && result <= largestPods
        ? E.right(Number(result))
        : E.left(
            `Cannot use expression ${JSON.stringify(value)} as maxPods of ${variables().instanceType}: ${result} is not within 0..${largestPods}`,
          ),
    ),
  )
}

const reservedAmount = (resource: string, value: string, variables: ExpressionVariables): E.Either<string, string> =>
  pipe(
    compileExpression(value),
    E.chain((expression) => expression.evaluate(variables)),
    E.chain((result) =>
      result < 0n
        ? E.left(
            `Cannot use expression ${JSON.stringify(value)} as ${resource} of ${variables.instanceType}: ${result} is negative`,
          )
        : E.right(amountOf(resource, result)),
    ),
  )
