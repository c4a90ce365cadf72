import { describe, expect, test } from '@jest/globals'
import { Requirements, type JsonObject } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { azureSettingsOf, claimOf, nodeClass, skuOf, subnetId } from '../../test/builders.ts'
import { instanceTypeOf } from '../instance-types/index.ts'
import { offeringsOf } from '../offerings/index.ts'
import type { AksMachine, ArmError } from '../sdk/index.ts'
import {
  batchKeyOf,
  batchRequestOf,
  errorsOfBatch,
  machineBodyOf,
  machineNameOf,
  machineNameOfVm,
  type MachineInput,
} from './index.ts'

const right = <A>(found: E.Either<string, A>): A => {
  if (E.isLeft(found)) throw new Error(found.left)
  return found.right
}

describe('names of machines', () => {
  test('Z-MACH-03: the claim’s name, or its beginning, six characters for the rest, and its end', () => {
    for (const name of ['d-a1b2c', '123456789-123456789-12345678-a1b2c', '-----------------------------a1b2c'])
      expect(machineNameOf(name)).toEqual(E.right(name))
    for (const name of [
      '123456789-123456789-123456789-a1b2c',
      '123456789-123456789-123456789-123456789-a1b2c',
      'a-a-a-a-a-a-a-a-a-a-a-a-a-a-a--a1b2c',
    ]) {
      const short = right(machineNameOf(name))
      expect(short).toHaveLength(34)
      expect(short.startsWith(name.slice(0, 22))).toBe(true)
      expect(short).toMatch(/^.{22}[0-9a-z]{6}-a1b2c$/)
      expect(machineNameOf(name)).toEqual(E.right(short))
    }
    // As the reference names it.
    expect(machineNameOf('123456789-123456789-123456789-a1b2c')).toEqual(E.right('123456789-123456789-12zc32rh-a1b2c'))
    expect(machineNameOf('123456789-123456789-123456789-a1b2c')).not.toEqual(
      machineNameOf('123456789-123456789-12345678X-a1b2c'),
    )
    expect(right(machineNameOf('extremely-long-nodepool-name-that-definitely-exceeds-limits-xyz7890'))).toMatch(
      /-xyz7890$/,
    )
    expect(E.isLeft(machineNameOf('a'.repeat(35)))).toBe(true)
    expect(E.isLeft(machineNameOf(`a-${'b'.repeat(40)}`))).toBe(true)
  })

  test.each([
    ['aks-pool-default-a1b2c-12345678-vm', 'default-a1b2c'],
    ['aks-pool-a-b-c-12345678-vm', 'a-b-c'],
    ['aks-other-default-a1b2c-12345678-vm', undefined],
    ['aks-pool-default-a1b2c-12345678', undefined],
    ['aks-pool-default-a1b2c-1234567-vm', undefined],
    ['aks-default-a1b2c', undefined],
  ])('Z-MACH-04: VM %s is of machine %s', (vm, machine) => {
    expect(machineNameOfVm('pool', vm)).toBe(machine)
  })
})

const imageId =
  '/subscriptions/s/resourceGroups/AKS-Ubuntu/providers/Microsoft.Compute/galleries/AKSUbuntu/images/2204gen2containerd/versions/202510.19.1'
const inputOf = (
  spec: Readonly<Record<string, unknown>> = {},
  changes: Partial<MachineInput> = {},
  name = 'Standard_D2s_v3',
  capabilities: Readonly<Record<string, string>> = {},
): MachineInput => {
  const sku = skuOf(name, capabilities)
  const of = nodeClass(spec)
  const prices = { onDemand: new Map(), spot: new Map() }
  const offerings = offeringsOf(sku, 'southcentralus', { prices, usages: undefined })
  const [offering] = offerings
  if (offering === undefined) throw new Error('no offering')
  return {
    claim: claimOf(),
    nodeClass: of,
    type: instanceTypeOf(sku, offerings, of, azureSettingsOf({ provisionMode: 'aksmachineapi' }), '1.33.5'),
    sku,
    offering,
    zone: 'southcentralus-2',
    capacityType: 'on-demand',
    ultraSsd: false,
    kubernetesVersion: '1.33.5',
    imageId,
    tags: { a: 'b' },
    ...changes,
  }
}
const part = ({ properties = {} }: AksMachine, name: string) => properties[name] as JsonObject
const bodyOf = (...input: Parameters<typeof inputOf>) => right(machineBodyOf(inputOf(...input)))

describe('bodies of machines', () => {
  test('Z-MACH-06: image, subnet, mode, priority, tags and zone', () => {
    expect(bodyOf()).toMatchObject({
      zones: ['2'],
      properties: {
        nodeImageVersion: 'AKSUbuntu-2204gen2containerd-202510.19.1',
        network: {},
        mode: 'User',
        priority: 'Regular',
        tags: { a: 'b' },
      },
    })
    expect(bodyOf().properties).not.toHaveProperty('localDNSProfile')
    expect(bodyOf({ vnetSubnetID: subnetId }, { zone: '0', capacityType: 'spot' })).toMatchObject({
      zones: [],
      properties: { network: { vnetSubnetID: subnetId }, priority: 'Spot' },
    })
    const community = '/CommunityGalleries/g/images/2204gen2containerd/versions/1'
    expect(machineBodyOf(inputOf({}, { imageId: community }))).toMatchObject({
      left: expect.stringContaining('--use-sig'),
    })
  })

  test('Z-MACH-07: size, disks, system', () => {
    expect(
      bodyOf({ osDiskSizeGB: 40, linuxOSConfig: { transparentHugePageEnabled: 'never' } }, { ultraSsd: true }),
    ).toMatchObject({
      properties: {
        hardware: { vmSize: 'Standard_D2s_v3', ultraSsdEnabled: true },
        operatingSystem: {
          osType: 'Linux',
          osSKU: 'Ubuntu2204',
          osDiskSizeGB: 40,
          osDiskType: 'Ephemeral',
          enableFIPS: false,
          linuxProfile: { linuxOSConfig: { transparentHugePageEnabled: 'never' } },
        },
      },
    })
    expect(bodyOf()).toMatchObject({ properties: { operatingSystem: { osDiskType: 'Managed' } } })
    expect(bodyOf().properties?.['operatingSystem']).not.toHaveProperty('linuxProfile')
  })

  test('Z-GPU-05: the driver of a machine’s GPU is installed or not; without one nothing is said', () => {
    const gpu = (name: string, mode: string) =>
      part(bodyOf({ gpu: { mode } }, {}, name, { GPUs: '1' }), 'hardware')['gpuProfile']
    expect([
      gpu('Standard_NC4as_T4_v3', 'Driver'),
      gpu('Standard_NC4as_T4_v3', 'None'),
      gpu('Standard_NV4ads_V710_v5', 'None'),
    ]).toEqual([{ driver: 'Install' }, { driver: 'None' }, { driver: 'None' }])
    expect(bodyOf().properties?.['hardware']).not.toHaveProperty('gpuProfile')
  })

  test('Z-MACH-09: version, labels, kubelet, pods, streaming; what the class leaves open stays open', () => {
    const plain = bodyOf().properties?.['kubernetes']
    expect(plain).toMatchObject({ orchestratorVersion: '1.33.5', nodeTaints: [] })
    for (const absent of ['kubeletConfig', 'maxPods', 'artifactStreamingProfile'])
      expect(plain).not.toHaveProperty(absent)
    expect(
      bodyOf({ maxPods: 40, kubelet: { cpuManagerPolicy: 'static' }, artifactStreaming: { enabled: true } }).properties,
    ).toMatchObject({
      kubernetes: {
        maxPods: 40,
        kubeletConfig: { cpuManagerPolicy: 'static' },
        artifactStreamingProfile: { enabled: true },
      },
    })
  })

  test('Z-MACH-10: all taints once, with the unregistered mark, as taints of the start', () => {
    const taint = { key: 'gpu', effect: 'NoSchedule' } as const
    const unregistered = { key: 'karpenter.sh/unregistered', effect: 'NoExecute' } as const
    const taintsOf = (claim: Partial<ReturnType<typeof claimOf>>) =>
      part(bodyOf({}, { claim: claimOf(claim) }), 'kubernetes')['nodeInitializationTaints']
    expect(taintsOf({ taints: [taint], startupTaints: [taint, { key: 'boot', effect: 'NoExecute' }] })).toEqual([
      'gpu:NoSchedule',
      'boot:NoExecute',
      'karpenter.sh/unregistered:NoExecute',
    ])
    expect(taintsOf({ startupTaints: [unregistered] })).toEqual(['karpenter.sh/unregistered:NoExecute'])
  })

  test('Z-MACH-13: security is said aloud, whether on or off', () => {
    const off = { sshAccess: 'LocalUser', enableEncryptionAtHost: false, enableVTPM: false, enableSecureBoot: false }
    expect(bodyOf().properties?.['security']).toEqual(off)
    const security = { encryptionAtHost: true, trustedLaunch: { vtpm: true } }
    expect(bodyOf({ security }).properties?.['security']).toEqual({
      ...off,
      enableEncryptionAtHost: true,
      enableVTPM: true,
    })
  })

  test('Z-MACH-11: a claim for the system makes a machine of mode System', () => {
    const claim = claimOf({ requirements: Requirements.fromLabels({ 'kubernetes.azure.com/mode': 'system' }) })
    expect(bodyOf({}, { claim }).properties?.['mode']).toBe('System')
  })
})

describe('batches', () => {
  const machine = (changes: JsonObject = {}, zones = ['1']): AksMachine => ({
    zones,
    properties: { hardware: { vmSize: 'a', ultraSsdEnabled: false }, tags: { claim: 'x' }, ...changes },
  })

  test('Z-BAT-01: machines go together that differ in tags and zones alone; with ultra disks the zone counts', () => {
    const key = batchKeyOf('rg/c/p', machine())
    expect(key).toMatch(/^rg\/c\/p\/[0-9a-f]{16}$/)
    expect(
      batchKeyOf(
        'rg/c/p',
        machine({ tags: {}, eTag: 'e', provisioningState: 'Creating', resourceId: 'r', status: {} }, ['2']),
      ),
    ).toBe(key)
    expect(batchKeyOf('rg/c/q', machine())).not.toBe(key)
    expect(batchKeyOf('rg/c/p', machine({ mode: 'System' }))).not.toBe(key)
    const ultra = { hardware: { vmSize: 'a', ultraSsdEnabled: true } }
    expect(batchKeyOf('rg/c/p', machine(ultra, ['1']))).not.toBe(batchKeyOf('rg/c/p', machine(ultra, ['2'])))
  })

  test('Z-BAT-03: one request to the first’s address, with all of them in its header', () => {
    const request = batchRequestOf([
      { name: 'm1', body: machine() },
      { name: 'm2', body: machine({ tags: { claim: 'y' } }, []) },
    ])
    expect([request.name, request.body]).toEqual([
      'm1',
      { properties: { hardware: { vmSize: 'a', ultraSsdEnabled: false } } },
    ])
    expect(JSON.parse(request.header)).toEqual({
      batchMachines: [
        { machineName: 'm1', zones: ['1'], tags: { claim: 'x' } },
        { machineName: 'm2', zones: [], tags: { claim: 'y' } },
      ],
    })
  })

  const error = (code: string, changes: Partial<ArmError> = {}): ArmError => ({
    action: 'a',
    code,
    message: 'm',
    phase: 'request',
    status: 400,
    ...changes,
  })
  const detail = { code: 'SkuNotAvailable', message: 'no', target: 'm2' }
  const codes = (failure: ArmError) => {
    const found = errorsOfBatch(failure, ['m1', 'm2'])
    return E.isLeft(found) ? 'in doubt' : [...found.right].map(([name, { code }]) => `${name}: ${code}`)
  }
  test('Z-BAT-04: errors concern the machines that they name, in both forms; others all', () => {
    expect(codes(error('BatchMachineClientError', { details: [detail] }))).toEqual(['m2: SkuNotAvailable'])
    expect(codes(error('BatchMachineInternalServerError', { message: JSON.stringify({ details: [detail] }) }))).toEqual(
      ['m2: SkuNotAvailable'],
    )
    expect(codes(error('Throttled'))).toEqual(['m1: Throttled', 'm2: Throttled'])
    for (const failure of [
      error('BatchMachineClientError'),
      error('BatchMachineClientError', { details: [{ code: 'a', message: 'b' }] }),
      error('BatchMachineClientError', { details: [{ ...detail, target: 'm3' }] }),
      error('BatchMachineInternalServerError', { message: 'no JSON' }),
      error('BatchMachineInternalServerError', { message: '{}' }),
    ]) {
      expect(codes(failure)).toBe('in doubt')
    }
  })
})
