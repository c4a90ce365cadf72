import { describe, expect, test } from '@jest/globals'
import { evaluateOverlays, Requirement, Requirements, Resources, type InstanceType, type Labels } from '@scantling/core'
import { nodePool, snapshotFor } from '@scantling/core/testing'
import * as E from 'fp-ts/lib/Either.js'
import { azureSettingsOf, nodeClass, skuOf, skuRow } from '../../test/builders.ts'
import { offeringsOf } from '../offerings/index.ts'
import {
  capacityOf,
  diffDiskSettingsFor,
  discoverSkus,
  ephemeralPlacementFor,
  gpuDrivers,
  gpuDriverTypeOf,
  gpuManufacturerOf,
  gpuSizeCount,
  instanceTypeOf,
  isGpuSupportedOn,
  machineOsDiskTypeFor,
  memoryBytesOf,
  overheadOf,
  parseVmSize,
  problemWithSku,
  readSku,
  type Sku,
} from './index.ts'

const region = 'southcentralus'
const noPrices = { prices: { onDemand: new Map(), spot: new Map() }, usages: undefined }
const typeOf = (sku: Sku, of = nodeClass(), settings = azureSettingsOf()): InstanceType =>
  instanceTypeOf(sku, offeringsOf(sku, region, noPrices), of, settings, '1.33.0')
const labelsOf = ({ requirements }: Pick<InstanceType, 'requirements'>): Labels =>
  Object.fromEntries(
    [...requirements.byKey.values()].map((one) => [
      one.key.replace('karpenter.azure.com/', ''),
      Requirement.sortedValues(one).join(','),
    ]),
  )

describe('sizes', () => {
  test.each([
    ['NV16as_v4', 'N', 'V', 16, undefined, 'as', undefined, '4', 'NVas_v4'],
    ['M16ms_v2', 'M', '', 16, undefined, 'ms', undefined, '2', 'Mms_v2'],
    ['NC4as_T4_v3', 'N', 'C', 4, undefined, 'as', 'T4', '3', 'NCas_v3'],
    ['M8-2ms_v2', 'M', '', 8, 2, 'ms', undefined, '2', 'Mms_v2'],
    ['A4_v2', 'A', '', 4, undefined, '', undefined, '2', 'A_v2'],
    ['EC48as_cc_v5', 'E', 'C', 48, undefined, 'as', undefined, '5', 'ECas_v5'],
    ['NV24', 'N', 'V', 24, undefined, '', undefined, '1', 'NV'],
    ['D3_v2_Promo', 'D', '', 3, undefined, '', undefined, '2', 'D_v2'],
    ['D4pls_v6', 'D', '', 4, undefined, 'pls', undefined, '6', 'Dpls_v6'],
    ['NC24ads_A100_v4', 'N', 'C', 24, undefined, 'ads', 'A100', '4', 'NCads_v4'],
    ['NV6ads_A10_v5', 'N', 'V', 6, undefined, 'ads', 'A10', '5', 'NVads_v5'],
    ['NC40ads_H100_v5', 'N', 'C', 40, undefined, 'ads', 'H100', '5', 'NCads_v5'],
    ['M416s_8_v2', 'M', '', 416, undefined, 's', undefined, '2', 'Ms_v2'],
    ['M96s_1_v3', 'M', '', 96, undefined, 's', undefined, '3', 'Ms_v3'],
    ['ND96isr_MI300X_v5', 'N', 'D', 96, undefined, 'isr', undefined, '5', 'NDisr_v5'],
    ['ND96ams_A100_flex_v4', 'N', 'D', 96, undefined, 'ams', 'A100', '4', 'NDams_v4'],
    ['ND128isr_NDR_GB200_v6', 'N', 'D', 128, undefined, 'isr', undefined, '6', 'NDisr_v6'],
    ['NC24lds_xl_RTXPRO6000BSE_v6', 'N', 'C', 24, undefined, 'lds', undefined, '6', 'NClds_v6'],
    ['E64i_v3', 'E', '', 64, undefined, 'i', undefined, '3', 'Ei_v3'],
    ['HB120rs_v3', 'H', 'B', 120, undefined, 'rs', undefined, '3', 'HBrs_v3'],
    ['B12ms', 'B', '', 12, undefined, 'ms', undefined, '1', 'Bms'],
  ])(
    'Z-IT-04: %s is of family %s%s with %i CPUs (%s constrained), features "%s", accelerator %s, version %s, series %s',
    (text, family, subfamily, cpus, constrainedCpus, features, accelerator, version, series) => {
      expect(parseVmSize(text)).toEqual({
        family,
        subfamily,
        cpus,
        features,
        version,
        series,
        ...(constrainedCpus !== undefined && { constrainedCpus }),
        ...(accelerator !== undefined && { accelerator }),
      })
    },
  )

  test.each(['inValid', '', 'D', 'd4s_v5', 'D4s_v10', 'D4s_v5_Other'])('Z-IT-04: "%s" is no size', (text) => {
    expect(parseVmSize(text)).toBeUndefined()
  })
})

describe('discovery', () => {
  const restriction = (type: string, values: ReadonlyArray<string>, zones: ReadonlyArray<string> = []) => ({
    restrictions: [{ type, values, restrictionInfo: { zones } }],
  })
  test.each([
    ['Standard_D2s_v3', {}, {}, undefined],
    ['Standard_A1_v2', {}, {}, 'not for node pools'],
    ['Standard_B1ms', {}, {}, 'not for node pools'],
    ['Standard_E64is_v3', {}, {}, 'not for node pools'],
    ['Basic_A4', {}, {}, 'not for node pools'],
    ['Standard_Odd', {}, {}, 'its size "Odd" follows no naming convention'],
    ['Standard_D2s_v3', {}, restriction('Location', ['SouthCentralUS']), 'restricted in the region'],
    ['Standard_D2s_v3', {}, restriction('Location', ['westus']), undefined],
    ['Standard_D1_v2', { vCPUs: '1' }, {}, 'fewer than 2 vCPUs'],
    ['Standard_D2s_v3', { MemoryGB: '3.4' }, {}, 'less than 3.5 GiB of memory'],
    ['Standard_D2s_v3', { MemoryGB: '3.5' }, {}, undefined],
    ['Standard_NC6s_v3', { GPUs: '1' }, {}, undefined],
    ['Standard_NG8ads_V620_v1', { GPUs: '1' }, {}, 'a GPU that AKS does not support'],
    ['Standard_M8-2ms', {}, {}, 'fewer vCPUs than its size'],
    ['Standard_DC8s_v3', {}, {}, 'confidential'],
    ['Standard_EC8as_v5', {}, {}, 'confidential'],
    ['Standard_D2s_v3', {}, { resourceType: 'disks' }, 'not a VM'],
  ])('Z-IT-03: %s with %j and %j is dropped because %s', (name, capabilities, changes, reason) => {
    const read = readSku(skuRow(name, capabilities, changes), region)
    expect(E.isLeft(read) ? read.left : undefined).toBe(reason)
  })

  test('Z-IT-01, Z-IT-02: VMs alone are taken, in one order; an answer without any is an error', () => {
    const rows = [
      skuRow('Standard_D4s_v3', { vCPUs: '4' }),
      skuRow('Standard_D2s_v3'),
      skuRow('Premium_LRS', {}, { resourceType: 'disks' }),
      skuRow('Standard_D1', { vCPUs: '1' }),
    ]
    const found = discoverSkus(rows, 'South Central US')
    expect(found).toMatchObject({
      right: {
        skus: [{ name: 'Standard_D2s_v3' }, { name: 'Standard_D4s_v3' }],
        dropped: [{ name: 'Standard_D1', reason: 'fewer than 2 vCPUs' }],
      },
    })
    expect(E.isLeft(discoverSkus(rows.slice(2), region))).toBe(true)
  })

  test('Z-IT-05: the capabilities that are read', () => {
    const sku = skuOf(
      'Standard_D8ps_v6',
      {
        vCPUs: '8',
        MemoryGB: '31.5',
        CpuArchitectureType: 'Arm64',
        HyperVGenerations: 'V2',
        NvmeDiskSizeInMiB: '1024000',
        SupportedEphemeralOSDiskPlacements: 'ResourceDisk,NvmeDisk',
        LowPriorityCapable: 'False',
        PremiumIO: 'false',
        UltraSSDAvailable: 'True',
      },
      {
        family: 'standardDPSv6Family',
        locationInfo: [
          {
            location: region,
            zones: ['3', '1'],
            zoneDetails: [{ name: ['1'], capabilities: [{ name: 'UltraSSDAvailable', value: 'True' }] }],
          },
        ],
        restrictions: [{ type: 'Zone', values: [region], restrictionInfo: { zones: ['3'] } }],
      },
    )
    expect(sku).toEqual({
      name: 'Standard_D8ps_v6',
      size: parseVmSize('D8ps_v6'),
      quotaFamily: 'standardDPSv6Family',
      vCpus: 8,
      memoryGib: 31.5,
      gpus: 0,
      arch: 'arm64',
      hyperVGenerations: ['2'],
      zones: ['1'],
      ultraSsdZones: ['1'],
      hasRegionalUltraSsd: true,
      hasPremiumStorage: false,
      hasAcceleratedNetworking: true,
      hasEncryptionAtHost: true,
      hasTrustedLaunch: true,
      isSpotCapable: false,
      ephemeralOsDisk: { placement: 'NvmeDisk', sizeGb: 1073 },
    })
    expect(skuOf('Standard_D2s_v3', { TrustedLaunchDisabled: 'True' }).hasTrustedLaunch).toBe(false)
    expect(skuOf('Standard_D2s_v3', { HyperVGenerations: 'V1' }).hasTrustedLaunch).toBe(false)
  })
})

describe('what a class can use', () => {
  const gpu = skuOf('Standard_NC4as_T4_v3', { vCPUs: '4', MemoryGB: '28', GPUs: '1' })
  const amd = skuOf('Standard_ND96isr_MI300X_v5', { vCPUs: '96', MemoryGB: '1850', GPUs: '8' })
  const a100 = skuOf('Standard_NC24ads_A100_v4', { vCPUs: '24', MemoryGB: '220', GPUs: '1' })
  const arm = skuOf('Standard_D4ps_v6', { vCPUs: '4', CpuArchitectureType: 'Arm64', HyperVGenerations: 'V2' })
  const small = skuOf('Standard_D2s_v3')
  const large = skuOf('Standard_D4s_v3', { vCPUs: '4' })
  const trusted = { security: { trustedLaunch: { secureBoot: true } } }
  const unencrypted = (value?: string) => ({ ...small, hasEncryptionAtHost: value !== undefined })

  test.each([
    ['GPU on Ubuntu', gpu, {}, {}, true],
    ['GPU on AzureLinux', gpu, { imageFamily: 'AzureLinux' }, {}, true],
    ['GPU for AzureLinux 3 alone', a100, { imageFamily: 'AzureLinux' }, {}, true],
    [
      'GPU for Ubuntu alone',
      skuOf('Standard_NC6s_v2', { GPUs: '1', vCPUs: '6' }),
      { imageFamily: 'AzureLinux' },
      {},
      false,
    ],
    ['AMD GPU with driver', amd, {}, {}, false],
    ['AMD GPU without driver', amd, { gpu: { mode: 'None' } }, {}, true],
    ['NVIDIA GPU without driver', gpu, { gpu: { mode: 'None' } }, {}, true],
    ['encryption', small, { security: { encryptionAtHost: true } }, {}, true],
    ['encryption that is not there', unencrypted(), { security: { encryptionAtHost: true } }, {}, false],
    ['encryption not asked for', unencrypted(), { security: { encryptionAtHost: false } }, {}, true],
    ['local DNS on 2 vCPUs', small, {}, { localDNSState: 'Enabled' }, false],
    ['local DNS on 4 vCPUs', large, {}, { localDNSState: 'Enabled' }, true],
    ['no local DNS on 2 vCPUs', small, {}, { localDNSState: 'Disabled' }, true],
    ['artifact streaming on arm64', arm, { artifactStreaming: { enabled: true } }, {}, false],
    ['artifact streaming switched off', arm, { artifactStreaming: { enabled: false } }, {}, true],
    ['artifact streaming on amd64', small, { artifactStreaming: { enabled: true } }, {}, true],
    ['trusted launch', small, trusted, {}, true],
    ['trusted launch on gen1', skuOf('Standard_D2_v2', { HyperVGenerations: 'V1' }), trusted, {}, false],
  ])('Z-IT-06: %s', (_, sku, spec, status, isRight) => {
    expect(problemWithSku(sku, nodeClass(spec, status)) === undefined).toBe(isRight)
  })
})

describe('labels', () => {
  test('Z-LBL-04, Z-LBL-05, Z-LBL-06, Z-LBL-12, Z-LBL-13: what a size is', () => {
    const labels = labelsOf(
      typeOf(skuOf('Standard_D4pls_v6', { vCPUs: '4', MemoryGB: '7.5', EphemeralOSDiskSupported: 'False' })),
    )
    expect(labels).toEqual({
      'node.kubernetes.io/instance-type': 'Standard_D4pls_v6',
      'kubernetes.io/arch': 'amd64',
      'kubernetes.io/os': 'linux',
      'topology.kubernetes.io/region': 'southcentralus',
      'sku-name': 'Standard_D4pls_v6',
      'sku-family': 'D',
      'sku-series': 'Dpls_v6',
      'sku-version': '6',
      'sku-cpu': '4',
      'sku-memory': '7680',
      'kubernetes.azure.com/sku-cpu': '4',
      'kubernetes.azure.com/sku-memory': '7680',
      'sku-gpu-count': '0',
      'sku-networking-accelerated': 'true',
      'sku-storage-premium-capable': 'true',
      'kubernetes.azure.com/cluster': 'MC_rg_cluster_southcentralus',
      'kubernetes.azure.com/mode': 'system,user',
      'kubernetes.azure.com/scalesetpriority': 'regular,spot',
      'kubernetes.azure.com/priority': 'regular,spot',
      'kubernetes.azure.com/os-sku': 'Ubuntu',
      'sku-hyperv-generation': '1,2',
      'sku-quota-family': 'standarddsv3family',
    })
    const cached = labelsOf(typeOf(skuOf('Standard_B2ms')))
    expect([cached['sku-version'], cached['sku-storage-ephemeralos-maxsize']]).toEqual(['1', '53'])
    expect(labelsOf(typeOf(skuOf('Standard_NC24ads_A100_v4', { GPUs: '1' })))['sku-family']).toBe('N')
    expect(labelsOf(typeOf(skuOf('Standard_D2s_v3', { HyperVGenerations: 'V2' })))['sku-hyperv-generation']).toBe('2')
  })

  test('Z-LBL-07: GPUs: count, maker and name', () => {
    const of = (name: string, gpus: string) => {
      const labels = labelsOf(typeOf(skuOf(name, { GPUs: gpus })))
      return [labels['sku-gpu-count'], labels['sku-gpu-manufacturer'], labels['sku-gpu-name']]
    }
    expect(of('Standard_NC24ads_A100_v4', '1')).toEqual(['1', 'nvidia', 'A100'])
    expect(of('Standard_NC6s_v3', '1')).toEqual(['1', 'nvidia', undefined])
    expect(of('Standard_NV4ads_V710_v5', '1')).toEqual(['1', 'amd', 'V710'])
    expect(of('Standard_D2s_v3', '0')).toEqual(['0', undefined, undefined])
  })

  test('Z-LBL-11: os-sku is one for all Ubuntu families, and fips_enabled is there with FIPS alone', () => {
    const of = (spec: Readonly<Record<string, unknown>>) => {
      const labels = labelsOf(typeOf(skuOf('Standard_D2s_v3'), nodeClass(spec)))
      return [labels['kubernetes.azure.com/os-sku'], labels['kubernetes.azure.com/fips_enabled']]
    }
    expect(of({ imageFamily: 'Ubuntu2404' })).toEqual(['Ubuntu', undefined])
    expect(of({ imageFamily: 'AzureLinux', fipsMode: 'FIPS' })).toEqual(['AzureLinux', 'true'])
    expect(of({ fipsMode: 'Disabled' })).toEqual(['Ubuntu', undefined])
  })

  test.each([
    ['x64', 'amd64'],
    ['Arm64', 'arm64'],
    ['RiscV', 'RiscV'],
  ])('Z-LBL-14: architecture %s is %s', (azure, arch) => {
    expect(labelsOf(typeOf(skuOf('Standard_D2s_v3', { CpuArchitectureType: azure })))['kubernetes.io/arch']).toBe(arch)
  })
})

describe('capacity', () => {
  const options = { osDiskSizeGb: 128, maxPods: 250, memoryOverheadPercent: 0.075 }

  test('Z-CAP-01: every resource, with zeros for GPUs of the other maker', () => {
    expect(capacityOf(skuOf('Standard_NC4as_T4_v3', { vCPUs: '4', MemoryGB: '28', GPUs: '1' }), options)).toEqual({
      cpu: '4',
      memory: String(28 * 2 ** 30 - Math.ceil(28 * 2 ** 30 * 0.075)),
      'ephemeral-storage': '128G',
      pods: '250',
      'nvidia.com/gpu': '1',
      'amd.com/gpu': '0',
    })
    expect(capacityOf(skuOf('Standard_NV4ads_V710_v5', { GPUs: '1' }), options)).toMatchObject({
      'nvidia.com/gpu': '0',
      'amd.com/gpu': '1',
    })
  })

  test.each([
    [8, 0.075, 7_945_689_497],
    [3.5, 0.075, 2_979_633_561],
    [0.75, 0.075, 0],
    [8, 0, 8 * 2 ** 30],
    [1, 0.1, 966_367_641],
  ])('Z-CAP-02: %d GiB less %d leaves %i bytes: whole GiB, and the share rounded up', (gib, percent, expected) => {
    expect(memoryBytesOf(gib, percent)).toBe(expected)
  })

  const scriptless = { maxPods: 250, kubernetesVersion: '1.33.0', provisionMode: 'aksscriptless' } as const
  test.each([
    [4, 7, '140m', '1638Mi'],
    [2, 8, '100m', '1843Mi'],
    [3, 64, '120m', '5611Mi'],
    [64, 256, '740m', '12165Mi'],
    [2, 3.5, '100m', '896Mi'],
  ])('Z-CAP-03, Z-CAP-04: %i vCPUs and %d GiB keep %s and %s', (vCpus, memoryGib, cpu, memory) => {
    expect(overheadOf({ vCpus, memoryGib }, scriptless).kubeReserved).toEqual({ cpu, memory })
  })

  test('Z-CAP-05, Z-CAP-06: nothing for the system, 750Mi before eviction', () => {
    expect(overheadOf({ vCpus: 4, memoryGib: 16 }, scriptless)).toMatchObject({
      systemReserved: { cpu: '0', memory: '0' },
      evictionThreshold: { memory: '750Mi' },
    })
  })

  test.each([
    ['aksmachineapi', '1.29.0', 110, 64, '2250Mi', '100Mi'],
    ['bootstrappingclient', '1.33.0', 250, 8, '2Gi', '100Mi'],
    ['aksmachineapiheaderbatch', '1.33.0', 30, 64, '650Mi', '100Mi'],
    ['aksmachineapi', '1.28.9', 110, 64, '5611Mi', '750Mi'],
    ['aksscriptless', '1.33.0', 110, 64, '5611Mi', '750Mi'],
  ] as const)(
    'where AKS writes the flags, what AKS writes: %s at %s, %i pods, %i GiB keep %s, %s before eviction (W-02)',
    (provisionMode, kubernetesVersion, maxPods, memoryGib, memory, eviction) => {
      const overhead = overheadOf({ vCpus: 4, memoryGib }, { maxPods, kubernetesVersion, provisionMode })
      expect([overhead.kubeReserved['memory'], overhead.evictionThreshold['memory']]).toEqual([memory, eviction])
    },
  )
})

describe('overlays', () => {
  test('Z-CAP-09: a NodeOverlay changes prices and capacity of the types of a pool, by Azure’s labels', () => {
    const types = [typeOf(skuOf('Standard_D2s_v3')), typeOf(skuOf('Standard_E2s_v5'))]
    const { instanceTypes } = evaluateOverlays({
      overlays: [
        {
          name: 'reserved-instances',
          weight: 1,
          requirements: [{ key: 'karpenter.azure.com/sku-family', operator: 'In', values: ['D'] }],
          price: { _tag: 'Replace', pricePerHour: 0.01 },
          capacity: Resources.parse({ 'example.com/fpga': '1' }),
          problems: [],
        },
      ],
      instanceTypes: new Map([['general', types]]),
      nodePools: [nodePool('general')],
      labelRules: snapshotFor({}).labelRules,
    })
    const [changed, same] = instanceTypes.get('general') ?? []
    expect(changed?.offerings.every(({ pricePerHour }) => pricePerHour === 0.01)).toBe(true)
    expect(changed?.capacity['example.com/fpga']).toBe('1')
    expect(same).toBe(types[1])
  })
})

describe('ephemeral OS disks', () => {
  const disk = (capabilities: Readonly<Record<string, string>>) =>
    skuOf('Standard_D2s_v3', { CachedDiskBytes: '0', MaxResourceVolumeMB: '0', ...capabilities }).ephemeralOsDisk

  test('Z-EPH-01: NVMe first, then the cache, then the temporary disk', () => {
    const all = {
      NvmeDiskSizeInMiB: '100000',
      SupportedEphemeralOSDiskPlacements: 'NvmeDisk',
      CachedDiskBytes: '200000000000',
      MaxResourceVolumeMB: '300000',
    }
    expect(disk(all)?.placement).toBe('NvmeDisk')
    expect(disk({ ...all, SupportedEphemeralOSDiskPlacements: 'CacheDisk,ResourceDisk' })?.placement).toBe('CacheDisk')
    expect(disk({ ...all, NvmeDiskSizeInMiB: '0' })?.placement).toBe('CacheDisk')
    expect(disk({ MaxResourceVolumeMB: '300000' })?.placement).toBe('ResourceDisk')
    expect(disk({ ...all, EphemeralOSDiskSupported: 'False' })).toBeUndefined()
    expect(disk({})).toBeUndefined()
  })

  test('Z-EPH-02: sizes in whole decimal GB', () => {
    const nvme = (mib: string) => disk({ NvmeDiskSizeInMiB: mib, SupportedEphemeralOSDiskPlacements: 'NvmeDisk' })
    expect(nvme('7208960')?.sizeGb).toBe(7559)
    expect(disk({ CachedDiskBytes: '429496729600' })?.sizeGb).toBe(429)
    expect(disk({ CachedDiskBytes: '274877906944' })?.sizeGb).toBe(274)
    expect(disk({ CachedDiskBytes: '1717986918400' })?.sizeGb).toBe(1717)
    expect(disk({ MaxResourceVolumeMB: '16384' })?.sizeGb).toBe(17)
  })

  test('Z-EPH-03: used where it is large enough; a larger medium that comes second does not help', () => {
    const cache = disk({ CachedDiskBytes: '53687091200', MaxResourceVolumeMB: '1000000' })
    expect(cache).toEqual({ placement: 'CacheDisk', sizeGb: 53 })
    expect([53, 54, 128].map((size) => ephemeralPlacementFor(cache, size))).toEqual(['CacheDisk', undefined, undefined])
    expect(ephemeralPlacementFor(undefined, 30)).toBeUndefined()
  })

  test('Z-EPH-04: a VM is told the medium, a machine that there is one; otherwise Azure chooses the disk', () => {
    const nvme = { placement: 'NvmeDisk', sizeGb: 100 } as const
    expect([
      diffDiskSettingsFor(nvme, 100),
      diffDiskSettingsFor(nvme, 101),
      diffDiskSettingsFor(undefined, 30),
    ]).toEqual([{ option: 'Local', placement: 'NvmeDisk' }, undefined, undefined])
    expect([machineOsDiskTypeFor(nvme, 100), machineOsDiskTypeFor(nvme, 101)]).toEqual(['Ephemeral', 'Managed'])
  })

  test('Z-EPH-05: a pod can ask for such a disk by its size', () => {
    const demand = Requirements.fromSpecs([
      { key: 'karpenter.azure.com/sku-storage-ephemeralos-maxsize', operator: 'Gt', values: ['128'] },
    ])
    const fits = (bytes: string) =>
      Requirements.intersects(typeOf(skuOf('Standard_D2s_v3', { CachedDiskBytes: bytes })).requirements, demand)
    expect([fits('429496729600'), fits('53687091200')]).toEqual([true, false])
  })
})

describe('GPUs', () => {
  test('Z-GPU-01: 89 sizes, 82 of NVIDIA and 7 of AMD, in any case and as promotion', () => {
    expect(gpuSizeCount).toBe(89)
    expect(gpuManufacturerOf('Standard_NC24ads_A100_v4')).toBe('nvidia')
    expect(gpuManufacturerOf('STANDARD_NC6_PROMO')).toBe('nvidia')
    expect(gpuManufacturerOf('standard_nd96isr_mi300x_v5')).toBe('amd')
    expect(gpuManufacturerOf('Standard_D2s_v3')).toBeUndefined()
    expect(
      (['Ubuntu', 'Ubuntu2204', 'Ubuntu2404', 'AzureLinux', 'Other'] as const).map((family) => [
        isGpuSupportedOn('Standard_NC4as_T4_v3', family),
        isGpuSupportedOn('Standard_NC6s_v2', family),
        isGpuSupportedOn('Standard_D2s_v3', family),
      ]),
    ).toEqual([
      [true, true, true],
      [true, true, true],
      [true, true, true],
      [true, false, true],
      [false, false, true],
    ])
  })

  test.each([
    ['Standard_NC8ads_A10_v4', 'grid'],
    ['Standard_NV6ads_A10_v5', 'grid'],
    ['Standard_NV36adms_A10_v5', 'grid'],
    ['Standard_NC24lds_xl_RTXPRO6000BSE_v6', 'grid-v20'],
    ['standard_nc288ds_xl_rtxpro6000bse_v6', 'grid-v20'],
    ['Standard_NC6', 'cuda'],
    ['Standard_NC24r_Promo', 'cuda'],
    ['Standard_NC6s_v3', 'cuda-lts'],
    ['Standard_NC24ads_A100_v4', 'cuda-lts'],
    ['Standard_NV6', 'cuda-lts'],
    ['unknown_sku', 'cuda-lts'],
  ] as const)('Z-GPU-02: %s has the driver %s', (name, type) => {
    expect(gpuDriverTypeOf(name)).toBe(type)
  })

  test('Z-GPU-03: the versions of drivers, and of the images that install them', () => {
    expect(gpuDrivers).toEqual({
      'grid-v20': { version: '595.58.03', imageSuffix: '20260609172331' },
      grid: { version: '570.211.01', imageSuffix: '20260522192315' },
      cuda: { version: '470.82.01', imageSuffix: '20260629214430' },
      'cuda-lts': { version: '580.159.04', imageSuffix: '20260629214430' },
    })
  })

  test('Z-GPU-06: the amount is what the size has; the device plugin that shows it is the user’s', () => {
    const { capacity, overhead } = typeOf(skuOf('Standard_NC4as_T4_v3', { GPUs: '4' }))
    expect(capacity['nvidia.com/gpu']).toBe('4')
    expect(overhead.kubeReserved).not.toHaveProperty('nvidia.com/gpu')
  })
})

describe('images', () => {
  const images = [
    {
      id: '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/AKSUbuntu/images/a/versions/1',
      requirements: [{ key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] }],
    },
  ]
  test('a type carries the image that it would boot; where there is none, nothing of it can be bought', () => {
    const of = nodeClass({}, { images })
    const amd = typeOf(skuOf('Standard_D2s_v3'), of)
    expect(amd.imageId).toBe(images[0]?.id)
    expect(typeOf(skuOf('Standard_D2s_v3'), of, azureSettingsOf({ provisionMode: 'aksmachineapi' })).imageId).toBe(
      'AKSUbuntu-a-1',
    )
    const arm = typeOf(skuOf('Standard_D2ps_v6', { CpuArchitectureType: 'Arm64' }), of)
    expect(arm.imageId).toBeUndefined()
    expect(arm.offerings.every(({ unavailable }) => unavailable?.reason === 'ImageNotFound')).toBe(true)
  })
})
