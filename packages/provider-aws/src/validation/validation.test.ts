import { describe, expect, test } from '@jest/globals'
import { Requirements, type InstanceType, type RequirementSpec } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { nodeClass, recordedTypes, resolvedStatus, typeInfo } from '../../test/subjects.ts'
import { catalogueOf, createInstanceTypes } from '../instance-types/index.ts'
import { conditionTypes, type Ec2NodeClass } from '../node-class/index.ts'
import { initialPrices } from '../pricing/index.ts'
import type { AwsError } from '../sdk/index.ts'
import {
  probeOf,
  staticVerdict,
  validationKey,
  verdictOfProbe,
  verdictTtlMs,
  verdictWithoutObjection,
  type ProbeStep,
  type StaticCheckInput,
} from './index.ts'

const types = createInstanceTypes({
  region: 'eu-west-1',
  vmMemoryOverheadPercent: 0.075,
  reservedEnis: 0,
  allowsExpressions: true,
  usesReservations: true,
})
const ready = new Map(Object.values(conditionTypes).map((type) => [type as string, 'True' as const]))
const conditions = (changes: Readonly<Record<string, 'True' | 'False' | 'Unknown'>>) =>
  new Map([...ready, ...Object.entries(changes)])
const check = (spec: Readonly<Record<string, unknown>>, changes: Partial<StaticCheckInput> = {}) =>
  staticVerdict({
    nodeClass: nodeClass(spec, resolvedStatus),
    cluster: { name: 'demo' },
    allowsExpressions: true,
    clusterCidr: E.right('10.100.0.0/16'),
    conditions: ready,
    types: recordedTypes,
    kubeletOf: types.kubeletOf,
    ...changes,
  })
const reasonOf = (...args: Parameters<typeof check>) => {
  const condition = check(...args)?.condition
  return condition === undefined || condition === 'unchanged' ? condition : `${condition.status} ${condition.reason}`
}
const al2 = { amiSelectorTerms: [{ alias: 'al2@latest' }] }
const expression = { kubelet: { maxPods: 'vcpus * 10' } }

describe('what can be said without asking EC2', () => {
  test('nothing, where nothing is wrong', () => {
    expect([check({}), check(expression), check(al2)]).toEqual([undefined, undefined, undefined])
  })
  test('A-VAL-01, A-STA-07: first finding first, in one order', () => {
    const faults: ReadonlyArray<readonly [reason: string, spec: object, changes: Partial<StaticCheckInput>]> = [
      ['False ClusterCIDRResolutionFailed', {}, { clusterCidr: E.left({ isTransient: false, message: 'no' }) }],
      ['False InvalidKubeletConfiguration', { kubelet: { nope: 1 } }, {}],
      [
        'False KubeletExpressionsDisabled',
        { kubelet: { kubeReserved: { cpu: 'vcpus +' } } },
        { allowsExpressions: false },
      ],
      ['False KubeletExpressionInvalid', { kubelet: { kubeReserved: { cpu: 'vcpus +' } } }, {}],
      ['False UnsupportedKubeletConfiguration', { ...al2, kubelet: { seccompDefault: true } }, {}],
      ['False DependenciesNotReady', {}, { conditions: conditions({ AMIsReady: 'False' }) }],
      ['False KubeletExpressionEvaluationFailed', { kubelet: { maxPods: '10 / (vcpus - 2)' } }, {}],
    ]
    expect(faults.map(([, spec, changes]) => reasonOf({ ...spec }, changes))).toEqual(faults.map(([reason]) => reason))
    // Each fault goes before those after it: with all from the i-th on, the i-th is found.
    const from = (index: number) => {
      const rest = faults.slice(index)
      const kubelet = Object.assign(
        {},
        ...rest.map(([, spec]) => (spec as { kubelet?: object }).kubelet ?? {}),
      ) as object
      const specs = Object.assign({}, ...rest.map(([, spec]) => spec)) as object
      const changes = Object.assign({}, ...rest.map(([, , one]) => one)) as Partial<StaticCheckInput>
      // AL2 has no use for the service range.
      return reasonOf(
        { ...specs, ...(index === 0 && { amiSelectorTerms: [{ alias: 'al2023@latest' }] }), kubelet },
        changes,
      )
    }
    expect(faults.map((_, index) => from(index))).toEqual(faults.map(([reason]) => reason))
  })
  test('A-VAL-02: the service range is for AL2023 alone; what passes by itself leaves the verdict as it is', () => {
    const no = { clusterCidr: E.left({ isTransient: false, message: 'AccessDenied' }) }
    expect(reasonOf(al2, no)).toBeUndefined()
    expect(check({}, no)).toMatchObject({
      condition: { message: expect.stringContaining('let the controller call eks:DescribeCluster') },
      failure: { _tag: 'Unknown' },
    })
    expect(reasonOf({}, { clusterCidr: E.left({ isTransient: true, message: '503' }) })).toBe('unchanged')
  })
  test('A-CEL-07: expressions: switched off, not compiling, without a result for a type, types not loaded', () => {
    expect(check(expression, { allowsExpressions: false })).toMatchObject({
      condition: { reason: 'KubeletExpressionsDisabled', message: expect.stringContaining('NodeClassCEL=true') },
    })
    expect(reasonOf({ kubelet: { systemReserved: { memory: '"text"' } } })).toBe('False KubeletExpressionInvalid')
    expect(check({ kubelet: { kubeReserved: { cpu: 'vcpus - 3' } } })).toMatchObject({
      condition: { reason: 'KubeletExpressionEvaluationFailed', message: expect.stringContaining('is negative') },
    })
    expect(reasonOf({ kubelet: { maxPods: 'memory_mib * 1000000' } })).toBe('False KubeletExpressionEvaluationFailed')
    expect(reasonOf(expression, { types: undefined })).toBe('unchanged')
    expect(check({}, { types: undefined })).toBeUndefined()
  })
  test('A-KUB-06: all that is wrong with kubelet settings stands in one message', () => {
    expect(check({ kubelet: { nope: 1, maxPods: -1 } })).toMatchObject({
      condition: { message: expect.stringMatching(/spec\.kubelet\.nope.*; spec\.kubelet\.maxPods/) },
    })
  })
  test('A-VAL-03: steps that are False, then those that are Unknown; placement group and reservations do not count', () => {
    const of = (changes: Readonly<Record<string, 'True' | 'False' | 'Unknown'>>) =>
      reasonOf({}, { conditions: conditions(changes) })
    expect(of({ AMIsReady: 'Unknown', SubnetsReady: 'False' })).toBe('False DependenciesNotReady')
    expect(of({ SecurityGroupsReady: 'Unknown' })).toBe('Unknown DependenciesNotReady')
    expect(of({ PlacementGroupReady: 'False', CapacityReservationsReady: 'Unknown' })).toBeUndefined()
    expect(check({}, { conditions: conditions({ InstanceProfileReady: 'False' }) })).toMatchObject({
      condition: { message: 'Waiting for InstanceProfileReady' },
      recheckAfterMs: 600_000,
      isLasting: false,
    })
  })
  test('a size that the API server lets through and no volume has is told (S-09)', () => {
    expect(reasonOf({ blockDeviceMappings: [{ ebs: { volumeSize: 'Ti' } }] })).toBe('False InvalidBlockDeviceMappings')
  })
  test('A-VAL-10: tags that are not the user’s are refused, should the API server have let them through', () => {
    const fine = nodeClass({}, resolvedStatus)
    const tagged: Ec2NodeClass = { ...fine, spec: { ...fine.spec, tags: { 'karpenter.sh/nodepool': 'x' } } }
    expect(reasonOf({}, { nodeClass: tagged })).toBe('False TagValidationFailed')
  })
})

describe('the machine that is tried', () => {
  const catalogue = catalogueOf(
    recordedTypes,
    recordedTypes.flatMap(({ InstanceType: type }) =>
      ['eu-west-1a', 'eu-west-1b'].map((zone) => ({ type: String(type), zone })),
    ),
  )
  const typesOf = (subject: Ec2NodeClass, only: ReadonlyArray<string> = []): ReadonlyArray<InstanceType> => {
    const found = types.of({
      nodeClass: subject,
      catalogue:
        only.length === 0
          ? catalogue
          : catalogueOf(
              only.map((name) => typeInfo(name)),
              only.map((type) => ({ type, zone: 'eu-west-1a' })),
            ),
      prices: initialPrices({ source: 'test', byRegion: new Map() }, 'eu-west-1'),
      shiftedZoneIds: new Set(),
      exhaustedSubnetIds: new Set(),
      reservationCounts: new Map(),
    })
    if (E.isLeft(found)) throw new Error(found.left.message)
    return found.right
  }
  const pool = (...specs: ReadonlyArray<RequirementSpec>) => ({
    name: 'p',
    labels: {},
    requirements: Requirements.fromSpecs(specs),
  })
  const subject = nodeClass({}, resolvedStatus)
  const probe = (pools: Parameters<typeof probeOf>[2], only?: ReadonlyArray<string>, of = subject) => {
    const found = probeOf(of, typesOf(of, only), pools)
    return E.isLeft(found) ? found.left.condition : `${found.right.type.name} ${found.right.tenancy}`
  }
  const family = (value: string) =>
    ({ key: 'karpenter.k8s.aws/instance-family', operator: 'In', values: [value] }) as const
  test('A-VAL-05: of a type that a NodePool may launch, rather without accelerators; without NodePools a plain one', () => {
    expect(probe([pool(family('c6g'))])).toMatch(/^c6g\./)
    expect(probe([pool(family('g4dn'))])).toBe('g4dn.8xlarge default')
    expect(probe([pool(family('g4dn')), pool(family('t3'))])).toBe('t3.large default')
    expect(probe([])).toBe('m5.large default')
    expect(probe([pool(family('made-up'))])).toBe('m5.large default')
    expect(probe([], ['c6g.large', 't3.large'])).toBe('c6g.large default')
    const windows = nodeClass(
      { amiSelectorTerms: [{ alias: 'windows2022@latest' }] },
      {
        ...resolvedStatus,
        amis: [{ id: 'ami-win', requirements: [{ key: 'kubernetes.io/os', operator: 'In', values: ['windows'] }] }],
      },
    )
    expect(probe([pool(family('t3'))], undefined, windows)).toBe('m5.large default')
    expect(
      probe([{ name: 'p', labels: { 'karpenter.k8s.aws/instance-family': 'm6g' }, requirements: Requirements.empty }]),
    ).toBe('m6g.large default')
  })
  test('A-VAL-05: no image for any type of the NodePools is a verdict, and not the end of the process (W-06)', () => {
    const arm = nodeClass({}, { ...resolvedStatus, amis: [resolvedStatus.amis[1]] })
    expect(
      probe([pool({ key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] })], undefined, arm),
    ).toMatchObject({ status: 'False', reason: 'NoInstanceTypeForImages' })
    const nested = nodeClass({ cpuOptions: { nestedVirtualization: 'enabled' } }, resolvedStatus)
    expect(probe([], ['m5.large'], nested)).toMatchObject({ message: expect.stringContaining('cpuOptions') })
  })
  test('A-VAL-06: dedicated where a NodePool allows it', () => {
    const tenancy = (...values: ReadonlyArray<string>) =>
      pool({ key: 'karpenter.k8s.aws/instance-tenancy', operator: 'In', values })
    expect(
      [probe([tenancy('default')]), probe([tenancy('default'), tenancy('default', 'dedicated')]), probe([pool()])].map(
        (text) => String(text).split(' ')[1],
      ),
    ).toEqual(['default', 'dedicated', 'default'])
  })
})

describe('what probes say', () => {
  const error = (code: string, message = 'no', httpStatus = 400): AwsError => ({
    action: 'ec2:Call',
    code,
    message,
    httpStatus,
  })
  const say = (step: ProbeStep, failure: AwsError, spec: Readonly<Record<string, unknown>> = {}) =>
    verdictOfProbe(step, E.left(failure), nodeClass(spec, resolvedStatus))
  const reason = (...args: Parameters<typeof say>) => {
    const condition = say(...args)?.condition
    return condition === undefined || condition === 'unchanged' ? condition : condition.reason
  }
  test('A-VAL-08: the code of a successful dry run is success', () => {
    expect([
      say('CreateFleet', error('DryRunOperation')),
      say('RunInstances', error('DryRunOperation')),
      verdictOfProbe('CreateLaunchTemplate', E.right(1), nodeClass()),
    ]).toEqual([undefined, undefined, undefined])
  })
  test('A-VAL-07: of the template: denied, too large, throttled, otherwise wrong', () => {
    const of = (failure: AwsError) => reason('CreateLaunchTemplate', failure)
    expect(of(error('UnauthorizedOperation'))).toBe('CreateLaunchTemplateAuthCheckFailed')
    expect(of(error('InvalidUserData.Malformed', 'User data is limited to 16384 bytes'))).toBe(
      'UserDataSizeLimitExceeded',
    )
    expect([
      of(error('RequestLimitExceeded')),
      of(error('InternalError', 'x', 500)),
      of(error('SomethingElse')),
    ]).toEqual(['unchanged', 'unchanged', 'unchanged'])
    // What no repetition makes right is told at once, where the reference leaves the condition as it was.
    expect(of(error('InvalidBlockDeviceMapping', 'snapshot is larger than 1GiB'))).toBe('CreateLaunchTemplateRejected')
  })
  test('A-VAL-10: denials name the call and what stands in the way, and last', () => {
    const boundary = error('UnauthorizedOperation', 'not authorized because no permissions boundary allows it')
    const policy = error('UnauthorizedOperation', 'with an explicit deny in a service control policy')
    expect(say('CreateFleet', boundary)).toMatchObject({
      condition: {
        status: 'False',
        reason: 'CreateFleetAuthCheckFailed',
        message:
          'The controller is not authorized to call ec2:CreateFleet: Not authorized: a permissions boundary does not allow it',
      },
      isLasting: true,
      recheckAfterMs: 600_000,
    })
    expect(say('RunInstances', policy)).toMatchObject({
      condition: { reason: 'RunInstancesAuthCheckFailed', message: expect.stringContaining('service control policy') },
    })
  })
  test('A-VAL-09: a profile that EC2 does not see: told where the user named it, asked again in any case', () => {
    const missing = error(
      'InvalidParameterValue',
      'Value (x) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name',
    )
    const own = say('RunInstances', missing, { role: undefined, instanceProfile: 'mine' })
    expect(own).toMatchObject({
      condition: { status: 'False', reason: 'InstanceProfileNotFound' },
      isLasting: false,
      failure: { retryAfterMs: 5000 },
    })
    expect(say('RunInstances', missing)).toMatchObject({
      condition: 'unchanged',
      isLasting: false,
      failure: { retryAfterMs: 5000 },
    })
  })
  test('A-VAL-11: no objection is success, which lasts', () => {
    expect(verdictWithoutObjection).toMatchObject({ condition: { status: 'True' }, isLasting: true })
  })
  test('A-VAL-04: a verdict stands for half an hour, for the same spec, status, annotations and tags', () => {
    expect(verdictTtlMs).toBe(1_800_000)
    const key = (subject: Ec2NodeClass, tags = {}) => validationKey(subject, tags)
    const base = nodeClass({}, resolvedStatus)
    expect(key(nodeClass({}, { ...resolvedStatus, subnets: [...resolvedStatus.subnets].reverse() }))).toBe(key(base))
    const others = [
      key(nodeClass({ kubelet: { maxPods: 5 } }, resolvedStatus)),
      key(nodeClass({}, { ...resolvedStatus, instanceProfile: 'other' })),
      key(nodeClass({}, { ...resolvedStatus, amis: [] })),
      key(nodeClass({}, resolvedStatus, { annotations: { look: 'again' } })),
      key(nodeClass({}, resolvedStatus, { name: 'other' })),
      key(base, { team: 'a' }),
    ]
    expect(new Set([key(base), ...others]).size).toBe(7)
  })
})
