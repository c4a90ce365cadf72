import { Quantity, renderFieldError, type ClusterFacts, type Json } from '@scantling/core'
import { canonical, fingerprint } from '@scantling/provider-kit'
import type { InstanceTypeInfo } from '@aws-sdk/client-ec2'
import * as E from 'fp-ts/lib/Either.js'
import type { TypeKubelet } from '../instance-types/index.ts'
import {
  compileExpression,
  isExpression,
  kubeletProblems,
  readKubelet,
  unsupportedKubeletFields,
  type KubeletSettings,
} from '../kubelet/index.ts'
import { conditionTypes, familyOf, type Ec2NodeClass } from '../node-class/index.ts'
import { launchTags } from '../tags.ts'
import { awaiting, refused, undecided, type Verdict } from './verdict.ts'

export interface StaticCheckInput {
  readonly nodeClass: Ec2NodeClass
  readonly cluster: Pick<ClusterFacts, 'name'>
  /** The gate NodeClassCEL. */
  readonly allowsExpressions: boolean
  /**
   * Range of the cluster's service addresses, looked up for AL2023 alone. Left: it could not be; `isTransient` where
   * asking again may help.
   */
  readonly clusterCidr?: E.Either<{ readonly isTransient: boolean; readonly message: string }, string>
  /** Status of the conditions that other steps of this pass came to, by type. */
  readonly conditions: ReadonlyMap<string, 'True' | 'False' | 'Unknown'>
  /** Types of the catalogue; `undefined`: not loaded. */
  readonly types: Iterable<InstanceTypeInfo> | undefined
  readonly kubeletOf: (nodeClass: Ec2NodeClass, info: InstanceTypeInfo) => E.Either<string, TypeKubelet>
}

/**
 * What can be said of a NodeClass without asking EC2, first finding first (A-VAL-01); `undefined`: nothing is wrong, and
 * dry runs may tell more.
 */
export const staticVerdict = (input: StaticCheckInput): Verdict | undefined => {
  for (const check of checks) {
    const verdict = check(input)
    if (verdict !== undefined) return verdict
  }
  return undefined
}

const serviceRange = ({ nodeClass, clusterCidr }: StaticCheckInput): Verdict | undefined => {
  if (familyOf(nodeClass.spec) !== 'AL2023' || (clusterCidr !== undefined && E.isRight(clusterCidr))) return undefined
  const { isTransient, message } = clusterCidr?.left ?? { isTransient: false, message: 'it was not looked up' }
  const text = `Cannot find the range of the cluster’s service addresses, which AL2023 needs: ${message}; name the cluster and its region as EKS does, and let the controller call eks:DescribeCluster`
  const failure = { _tag: 'Unknown', message: text } as const
  return isTransient ? undecided(failure) : { ...refused('ClusterCIDRResolutionFailed', text), failure }
}

const kubeletForm = ({ nodeClass }: StaticCheckInput): Verdict | undefined => {
  const problems = kubeletProblems(nodeClass.spec.kubelet)
  if (problems.length > 0) return refused('InvalidKubeletConfiguration', problems.map(renderFieldError).join('; '))
  const read = readKubelet(nodeClass.spec.kubelet)
  return E.isLeft(read) ? refused('InvalidKubeletConfiguration', read.left) : undefined
}

const settingsOf = ({ nodeClass }: StaticCheckInput): KubeletSettings => {
  const read = readKubelet(nodeClass.spec.kubelet)
  return E.isRight(read) ? read.right : {}
}

/** The expressions among kubelet settings, each with its field. */
export const expressionsIn = ({
  maxPods,
  kubeReserved = {},
  systemReserved = {},
}: KubeletSettings): ReadonlyArray<{ readonly field: string; readonly text: string }> => [
  ...(typeof maxPods === 'string' ? [{ field: 'spec.kubelet.maxPods', text: maxPods }] : []),
  ...Object.entries({ kubeReserved, systemReserved }).flatMap(([field, amounts]) =>
    Object.entries(amounts)
      .filter(([, value]) => isExpression(value))
      .map(([resource, text]) => ({ field: `spec.kubelet.${field}[${resource}]`, text })),
  ),
]

const expressionGate = (input: StaticCheckInput): Verdict | undefined => {
  const [first] = expressionsIn(settingsOf(input))
  return first !== undefined && !input.allowsExpressions
    ? refused(
        'KubeletExpressionsDisabled',
        `${first.field} is an expression (${JSON.stringify(first.text)}), and the gate NodeClassCEL is off: write a quantity, or set aws-feature-gates to NodeClassCEL=true`,
      )
    : undefined
}

const expressionForm = (input: StaticCheckInput): Verdict | undefined => {
  const problems = expressionsIn(settingsOf(input)).flatMap(({ field, text }) => {
    const compiled = compileExpression(text)
    return E.isLeft(compiled) ? [`${field}: ${compiled.left}`] : []
  })
  return problems.length > 0 ? refused('KubeletExpressionInvalid', problems.join('; ')) : undefined
}

const familySupport = ({ nodeClass }: StaticCheckInput): Verdict | undefined => {
  const problems = unsupportedKubeletFields(familyOf(nodeClass.spec), nodeClass.spec.kubelet)
  return problems.length > 0
    ? refused('UnsupportedKubeletConfiguration', problems.map(renderFieldError).join('; '))
    : undefined
}

// The API server's pattern lets "Ti" through, and no volume is of that size.
const volumeSizes = ({ nodeClass }: StaticCheckInput): Verdict | undefined => {
  const problems = (nodeClass.spec.blockDeviceMappings ?? []).flatMap(({ ebs }, index) => {
    const size = ebs?.volumeSize
    if (size === undefined) return []
    const parsed = Quantity.parse(size)
    return E.isLeft(parsed) ? [`spec.blockDeviceMappings[${index}].ebs.volumeSize: ${parsed.left}`] : []
  })
  return problems.length > 0 ? refused('InvalidBlockDeviceMappings', problems.join('; ')) : undefined
}

const dependencies = [
  conditionTypes.images,
  conditionTypes.instanceProfile,
  conditionTypes.securityGroups,
  conditionTypes.subnets,
]

const dependenciesReady = ({ conditions }: StaticCheckInput): Verdict | undefined => {
  for (const status of ['False', 'Unknown'] as const) {
    const waiting = dependencies.filter((type) => (conditions.get(type) ?? 'Unknown') === status)
    if (waiting.length > 0) return awaiting(status, `Waiting for ${waiting.join(', ')}`)
  }
  return undefined
}

const expressionResults = (input: StaticCheckInput): Verdict | undefined => {
  const { nodeClass, types, kubeletOf } = input
  if (expressionsIn(settingsOf(input)).length === 0) return undefined
  if (types === undefined)
    return undecided({
      _tag: 'Unknown',
      message: 'Cannot evaluate kubelet expressions: the catalogue of instance types is not loaded yet',
      retryAfterMs: 1000,
    })
  for (const info of types) {
    const kubelet = kubeletOf(nodeClass, info)
    const problem = E.isLeft(kubelet) ? kubelet.left : kubelet.right.dropped[0]
    if (problem !== undefined) return refused('KubeletExpressionEvaluationFailed', problem)
  }
  return undefined
}

const tags = ({ nodeClass, cluster }: StaticCheckInput): Verdict | undefined => {
  const made = launchTags(nodeClass, cluster, '')
  return E.isLeft(made) ? refused('TagValidationFailed', made.left) : undefined
}

const checks = [
  serviceRange,
  kubeletForm,
  expressionGate,
  expressionForm,
  familySupport,
  volumeSizes,
  dependenciesReady,
  expressionResults,
  tags,
]

/**
 * What a lasting verdict depends on, as a text (A-VAL-04): while it is the same, dry runs need not be repeated.
 *
 * Annotations count, so that a user can ask for another look by changing one.
 */
export const validationKey = (nodeClass: Ec2NodeClass, tagsOfLaunch: Readonly<Record<string, string>>): string => {
  const { metadata, spec, status } = nodeClass
  const { subnets, securityGroups, amis, instanceProfile = '' } = status
  const sorted = (list: ReadonlyArray<unknown>) => list.map((item) => canonical(plain(item))).sort()
  return fingerprint([
    metadata.name,
    sorted(subnets),
    sorted(securityGroups),
    sorted(amis),
    instanceProfile,
    plain(spec),
    plain(metadata.annotations),
    plain(tagsOfLaunch),
  ])
}

const plain = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json
