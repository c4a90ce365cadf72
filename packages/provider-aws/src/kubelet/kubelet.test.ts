import { describe, expect, test } from '@jest/globals'
import { renderFieldError } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import type { ImageFamily } from '../node-class/index.ts'
import {
  amountOf,
  compileExpression,
  isExpression,
  kubeletProblems,
  managedKubeletFields,
  readKubelet,
  unsupportedKubeletFields,
} from './index.ts'

const problems = (kubelet: Readonly<Record<string, unknown>>) => kubeletProblems(kubelet).map(renderFieldError)
const pathsOf = (kubelet: Readonly<Record<string, unknown>>) => kubeletProblems(kubelet).map(({ path }) => path)

// One of everything that the kubelet's form is made of, all of it right.
const everything = {
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  clusterDNS: ['10.0.0.10', 'fd00::10'],
  maxPods: 110,
  podsPerCore: 4,
  systemReserved: { cpu: '100m', memory: '100Mi', 'ephemeral-storage': '1Gi', pid: '100' },
  kubeReserved: { cpu: '0.5' },
  evictionHard: { 'memory.available': '5%', 'nodefs.available': '10Gi', 'pid.available': '0.5%' },
  evictionSoft: { 'imagefs.available': '100%', 'imagefs.inodesFree': '10', 'nodefs.inodesFree': '0' },
  evictionSoftGracePeriod: { 'imagefs.available': '1m30s', 'imagefs.inodesFree': '0s', 'nodefs.inodesFree': '1h' },
  evictionMinimumReclaim: { 'memory.available': '500Mi' },
  evictionMaxPodGracePeriod: 60,
  imageGCHighThresholdPercent: 85,
  imageGCLowThresholdPercent: 80,
  cpuCFSQuota: true,
  featureGates: { SomeGate: true },
  topologyManagerPolicyOptions: { 'prefer-closest-numa-nodes': 'true' },
  shutdownGracePeriod: '30s',
  logging: { format: 'json', verbosity: 4, options: { json: { infoBufferSize: '64Ki' } } },
  authentication: { webhook: { enabled: true, cacheTTL: '2m' } },
  reservedMemory: [{ numaNode: 0, limits: { memory: '1Gi' } }],
  shutdownGracePeriodByPodPriority: [{ priority: 0, shutdownGracePeriodSeconds: 10 }],
  memoryThrottlingFactor: 0.9,
}

describe('the form of a kubelet configuration', () => {
  test('A-KUB-01: everything in its place is right', () => {
    expect(problems(everything)).toEqual([])
    expect(problems({})).toEqual([])
    expect(kubeletProblems(undefined)).toEqual([])
  })
  test('A-KUB-01: unknown fields at any depth and wrong types are wrong', () => {
    expect(pathsOf({ maxPod: 1 })).toEqual(['spec.kubelet.maxPod'])
    expect(pathsOf({ MaxPods: 1 })).toEqual(['spec.kubelet.MaxPods'])
    expect(pathsOf({ logging: { options: { json: { size: 1 } } } })).toEqual(['spec.kubelet.logging.options.json.size'])
    expect(pathsOf({ shutdownGracePeriodByPodPriority: [{ prio: 1 }] })).toEqual([
      'spec.kubelet.shutdownGracePeriodByPodPriority[0].prio',
    ])
    for (const wrong of [
      { podsPerCore: '4' },
      { podsPerCore: 1.5 },
      { podsPerCore: 2 ** 31 },
      { clusterDNS: '10.0.0.10' },
      { evictionHard: { 'memory.available': 5 } },
      { cpuCFSQuota: 'true' },
      { syncFrequency: 30 },
      { syncFrequency: 'soon' },
      { featureGates: { A: 'true' } },
      { reservedMemory: [{ numaNode: 0, limits: { memory: 'much' } }] },
    ])
      expect(pathsOf(wrong)).toHaveLength(1)
  })
  test('A-KUB-01, A-KUB-06: an expression in maxPods hides nothing else; all problems are told at once', () => {
    expect(problems({ maxPods: 'vcpus * 10' })).toEqual([])
    expect(pathsOf({ maxPods: 'vcpus * 10', nope: 1, podsPerCore: -1, imageGCLowThresholdPercent: 101 })).toEqual([
      'spec.kubelet.nope',
      'spec.kubelet.imageGCLowThresholdPercent',
      'spec.kubelet.podsPerCore',
    ])
  })
  test('A-KUB-02: registerWithTaints is the provider’s', () => {
    expect(problems({ registerWithTaints: [{ key: 'a', effect: 'NoSchedule' }] })).toEqual([
      'spec.kubelet.registerWithTaints: Invalid value: [{"key":"a","effect":"NoSchedule"}]: it is written at launch; name taints in the NodePool',
    ])
  })
  test('A-KUB-03: eviction maps have six signals; thresholds are percentages or amounts, times are durations', () => {
    for (const field of ['evictionHard', 'evictionMinimumReclaim']) {
      expect(pathsOf({ [field]: { 'allocatableMemory.available': '5%' } })).toEqual([`spec.kubelet.${field}`])
      for (const value of ['101%', '-1%', 'x%', '%', '5', '1Gi', '-1Gi', 'lots'])
        expect(pathsOf({ [field]: { 'memory.available': value } })).toEqual(
          ['5', '1Gi'].includes(value) ? [] : [`spec.kubelet.${field}[memory.available]`],
        )
    }
    const soft = (value: string) =>
      pathsOf({ evictionSoft: { 'memory.available': '1Gi' }, evictionSoftGracePeriod: { 'memory.available': value } })
    expect(['30s', '1.5h', '-1s', 'soon', '30'].map((value) => soft(value).length)).toEqual([0, 0, 1, 1, 1])
  })
  test('A-KUB-04: evictionSoft and evictionSoftGracePeriod name the same signals', () => {
    expect(pathsOf({ evictionSoft: { 'memory.available': '5%' } })).toEqual([
      'spec.kubelet.evictionSoft[memory.available]',
    ])
    expect(pathsOf({ evictionSoftGracePeriod: { 'memory.available': '5s' } })).toEqual([
      'spec.kubelet.evictionSoftGracePeriod[memory.available]',
    ])
  })
  test('A-KUB-05: reserved resources are four, none negative; what is no amount is an expression', () => {
    for (const field of ['kubeReserved', 'systemReserved']) {
      expect(pathsOf({ [field]: { gpu: '1' } })).toEqual([`spec.kubelet.${field}`])
      expect(pathsOf({ [field]: { cpu: '-1' } })).toEqual([`spec.kubelet.${field}[cpu]`])
      expect(pathsOf({ [field]: { cpu: 'vcpus * 10', memory: '-vcpus' } })).toEqual([`spec.kubelet.${field}[memory]`])
    }
    expect(['100m', '1Gi', '0.5', '1e3', 'vcpus', '100 m', 'vcpus * 2'].map(isExpression)).toEqual([
      false,
      false,
      false,
      false,
      true,
      true,
      true,
    ])
  })
  test('A-KUB-06: percentages of image collection in order, counts not negative', () => {
    const of = (imageGCHighThresholdPercent: number, imageGCLowThresholdPercent: number) =>
      pathsOf({ imageGCHighThresholdPercent, imageGCLowThresholdPercent })
    expect(of(85, 80)).toEqual([])
    expect(of(80, 80)).toEqual(['spec.kubelet.imageGCHighThresholdPercent'])
    expect(of(101, 80)).toEqual(['spec.kubelet.imageGCHighThresholdPercent'])
    expect(pathsOf({ maxPods: -1, evictionMaxPodGracePeriod: -1 })).toEqual([
      'spec.kubelet.evictionMaxPodGracePeriod',
      'spec.kubelet.maxPods',
    ])
  })
})

describe('settings that are read', () => {
  test('A-KUB-07: the fields that scheduling and bootstrapping read', () => {
    expect([...managedKubeletFields].sort()).toEqual(
      'clusterDNS cpuCFSQuota evictionHard evictionMaxPodGracePeriod evictionSoft evictionSoftGracePeriod imageGCHighThresholdPercent imageGCLowThresholdPercent kubeReserved maxPods podsPerCore systemReserved'.split(
        ' ',
      ),
    )
    const read = readKubelet(everything)
    expect(E.isRight(read) && Object.keys(read.right).sort()).toEqual([...managedKubeletFields].sort())
  })
  test('A-KUB-09: what has no problems can be read, and what cannot be read is an error, not a default', () => {
    for (const kubelet of [{}, everything, { maxPods: 'vcpus' }, { maxPods: null, clusterDNS: null }])
      expect([problems(kubelet), E.isRight(readKubelet(kubelet))]).toEqual([[], true])
    for (const kubelet of [{ maxPods: 1.5 }, { maxPods: [] }, { kubeReserved: { cpu: 1 } }, { podsPerCore: 'x' }]) {
      expect(problems(kubelet)).not.toEqual([])
      expect(E.isLeft(readKubelet(kubelet))).toBe(true)
    }
  })
  test('A-KUB-08: what a family cannot carry to its nodes', () => {
    const of = (family: ImageFamily, kubelet: Readonly<Record<string, unknown>>) =>
      unsupportedKubeletFields(family, kubelet).map(({ path }) => path.slice('spec.kubelet.'.length))
    const mixed = { maxPods: 1, podsPerCore: 1, clusterDNS: ['a', 'b'], syncFrequency: '1m', seccompDefault: true }
    expect(of('AL2', mixed)).toEqual(['seccompDefault', 'syncFrequency', 'clusterDNS'])
    expect(of('Bottlerocket', mixed)).toEqual(['seccompDefault', 'syncFrequency', 'podsPerCore', 'clusterDNS'])
    expect(of('Windows2022', mixed)).toEqual(['seccompDefault', 'syncFrequency', 'clusterDNS'])
    expect([of('AL2023', mixed), of('Custom', mixed), of('AL2', { clusterDNS: ['a'] })]).toEqual([[], [], []])
  })
})

const variables = { vcpus: 4, memoryMib: 16384, defaultEnis: 4, ipsPerEni: 15, maxPods: 58, instanceType: 'm5.xlarge' }
const valueOf = (text: string) => {
  const compiled = compileExpression(text)
  if (E.isLeft(compiled)) return compiled.left
  const value = compiled.right.evaluate(variables)
  return E.isLeft(value) ? value.left : Number(value.right)
}

describe('expressions', () => {
  test('A-CEL-02: variables, max and min over whole and other numbers, a number as the result', () => {
    expect(
      ['vcpus', 'memory_mib', 'default_enis', 'ips_per_eni', 'max_pods', 'instance_type.startsWith("m5") ? 1 : 2'].map(
        valueOf,
      ),
    ).toEqual([4, 16384, 4, 15, 58, 1])
    expect(
      [
        'max(vcpus, 3)',
        'max(2.5, vcpus)',
        'min(vcpus, 2.5)',
        'min(1.5, 2.5)',
        'default_enis * (ips_per_eni - 1) + 2',
      ].map(valueOf),
    ).toEqual([4, 4, 2, 1, 58])
    for (const text of ['vcpus +', 'nope', '"text"', 'vcpus > 3', 'vcpus * 1.5', 'max(1, 2, 3)', 'dyn(3)', 'uint(3)'])
      expect(E.isLeft(compileExpression(text))).toBe(true)
    expect(compileExpression('vcpus > 3')).toEqual(
      E.left('Cannot use expression "vcpus > 3": it yields bool, not a number'),
    )
  })
  test('A-CEL-03: results are cut off at the point; there is no infinity and no division by zero', () => {
    expect(['double(vcpus) * 0.9', '-7 / 2', '0.0 - 2.9'].map(valueOf)).toEqual([3, -3, -2])
    for (const text of ['vcpus / 0', 'vcpus % 0', 'double(vcpus) / 0.0', '0.0 / 0.0', '9223372036854775807 + vcpus'])
      expect(valueOf(text)).toContain('Cannot use expression')
  })
  test('A-CEL-04: results as amounts: rounded up, never beyond what 64 bits hold', () => {
    const largest = 2n ** 63n - 1n
    expect([
      amountOf('cpu', 471n),
      amountOf('cpu', 480n),
      amountOf('memory', 630n),
      amountOf('ephemeral-storage', 3n),
      amountOf('pid', 1001n),
      amountOf('cpu', 0n),
      amountOf('memory', 0n),
      amountOf('memory', largest),
    ]).toEqual(['480m', '480m', '640Mi', '3Gi', '1001', '0', '0', `${largest}Mi`])
  })
  test('A-CEL-09: an expression is compiled once, a wrong one is looked at again', () => {
    const [first, second] = [compileExpression('vcpus + 41'), compileExpression('vcpus + 41')]
    expect(E.isRight(first) && E.isRight(second) && first.right === second.right).toBe(true)
    expect(compileExpression('vcpus +')).toEqual(compileExpression('vcpus +'))
  })
})
