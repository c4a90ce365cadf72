import { describe, expect, test } from '@jest/globals'
import { crdOf, decoderOf, renderFieldError, type OpenApiNode } from '@scantling/core'
import { createApiServer, type DraftObject } from '@scantling/kube-sim'
import { virtualClock } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import {
  aksNodeClass,
  conditionTypes,
  hashOf,
  hashVersion,
  hasTrustedLaunch,
  installsGpuDriver,
  isFips,
  localDnsForWire,
  maxPodsOf,
  readyImages,
  readyKubernetesVersion,
  streamsArtifacts,
  sysctlRanges,
  type AksNodeClass,
} from './index.ts'

const decode = decoderOf(aksNodeClass.versions[0].schema)
const manifest = (spec: unknown, name = 'default') => ({
  apiVersion: 'karpenter.azure.com/v1beta1',
  kind: 'AKSNodeClass',
  metadata: { name },
  spec,
})
const read = (spec: unknown): AksNodeClass => {
  const decoded = decode(manifest(spec))
  if (E.isRight(decoded)) return decoded.right
  throw new Error(decoded.left.map(renderFieldError).join('; '))
}
const problems = (spec: unknown): ReadonlyArray<string> => {
  const decoded = decode(manifest(spec))
  return E.isRight(decoded) ? [] : decoded.left.map(renderFieldError)
}

// An API server with the generated CRD: what it admits must be what the decoder admits.
const server = createApiServer({ clock: virtualClock(0) })
const client = server.face('test')
const installed = client.create(
  { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' },
  crdOf(aksNodeClass) as DraftObject,
)
let created = 0
const isAdmitted = async (spec: unknown): Promise<boolean> => {
  await installed
  created += 1
  try {
    await client.create(
      { group: aksNodeClass.group, version: 'v1beta1', plural: 'aksnodeclasses' },
      manifest(spec, `class-${created}`) as DraftObject,
    )
    return true
  } catch {
    return false
  }
}
const expectVerdict = async (spec: unknown, isRight: boolean) => {
  expect([problems(spec).length === 0, await isAdmitted(spec)]).toEqual([isRight, isRight])
}

const crd = crdOf(aksNodeClass) as {
  readonly spec: { readonly names: OpenApiNode; readonly scope: string; readonly versions: ReadonlyArray<OpenApiNode> }
}

describe('the kind', () => {
  test('Z-API-01: group, names, scope, columns and status of AKSNodeClass', () => {
    expect(crd.spec.names).toEqual({
      kind: 'AKSNodeClass',
      listKind: 'AKSNodeClassList',
      plural: 'aksnodeclasses',
      singular: 'aksnodeclass',
      shortNames: ['aksnc', 'aksncs'],
      categories: ['karpenter', 'nap'],
    })
    expect(aksNodeClass.group).toBe('karpenter.azure.com')
    expect(crd.spec.scope).toBe('Cluster')
    for (const version of crd.spec.versions) {
      expect(version['additionalPrinterColumns']).toEqual([
        { name: 'Ready', type: 'string', jsonPath: ".status.conditions[?(@.type=='Ready')].status" },
        { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        { name: 'ImageFamily', type: 'string', jsonPath: '.spec.imageFamily', priority: 1 },
      ])
      expect(version['subresources']).toEqual({ status: {} })
    }
  })

  test('Z-API-02: two versions of one form are served, v1beta1 stored, v1alpha2 deprecated', () => {
    const [stored, older] = crd.spec.versions
    expect(stored).toMatchObject({ name: 'v1beta1', served: true, storage: true })
    expect(older).toMatchObject({
      name: 'v1alpha2',
      served: true,
      storage: false,
      deprecated: true,
      deprecationWarning: 'use v1beta1.AKSNodeClass instead',
    })
    expect(older?.['schema']).toEqual(stored?.['schema'])
  })

  test('every AKSNodeClass of the reference’s examples is accepted unchanged, by decoder and API server', async () => {
    for (const spec of [
      { imageFamily: 'Ubuntu' },
      { imageFamily: 'Ubuntu2204', osDiskSizeGB: 128 },
      { imageFamily: 'AzureLinux' },
      {},
      { artifactStreaming: { enabled: true } },
      {
        imageFamily: 'Ubuntu2204',
        osDiskSizeGB: 128,
        kubelet: { cpuManagerPolicy: 'static', allowedUnsafeSysctls: ['net.core.somaxconn'] },
      },
    ]) {
      await expectVerdict(spec, true)
    }
    const spec = read({ imageFamily: 'Ubuntu' }).spec
    expect(spec).toEqual({ imageFamily: 'Ubuntu', osDiskSizeGB: 128 })
  })
})

const subscription = '/subscriptions/12345678-1234-1234-1234-123456789012'
const network = 'providers/Microsoft.Network/virtualNetworks/vnet/subnets/subnet'
const inGroup = (name: string) => `${subscription}/resourceGroups/${name}/${network}`

describe('fields of the spec', () => {
  test.each([
    [inGroup('rgname'), true],
    [inGroup('rgname').replace('resourceGroups', 'RESOURCEGROUPS'), true],
    [inGroup('a'.repeat(90)), true],
    [inGroup('a'.repeat(91)), false],
    [inGroup('my-resource_group'), true],
    [inGroup('.starting.with.dot'), true],
    [inGroup('ends-with-hyphen-'), true],
    [inGroup('contains.(parentheses)'), true],
    [inGroup('ends.with.dot.'), false],
    [inGroup('invalid#character'), false],
    [inGroup('name@with*unsupported&chars'), false],
    [`${subscription}/rgname/${network}`, false],
    [inGroup('rgname').replace('Microsoft.Network', 'Microsoft.Storage'), false],
    [inGroup('rgname').replace('virtualNetworks/vnet/', ''), false],
  ])('Z-API-03: subnet %s is accepted: %s', async (vnetSubnetID, isRight) => {
    await expectVerdict({ vnetSubnetID }, isRight)
  })

  test('Z-API-04: the OS disk has 128 GB by default, 30 to 2048', async () => {
    expect(read({}).spec.osDiskSizeGB).toBe(128)
    for (const [size, isRight] of [
      [29, false],
      [30, true],
      [2048, true],
      [2049, false],
      [64.5, false],
    ] as const) {
      await expectVerdict({ osDiskSizeGB: size }, isRight)
    }
  })

  test('Z-API-05, Z-API-06: image families and FIPS modes', async () => {
    expect(read({}).spec.imageFamily).toBe('Ubuntu')
    for (const imageFamily of ['Ubuntu', 'Ubuntu2204', 'Ubuntu2404', 'AzureLinux'])
      await expectVerdict({ imageFamily }, true)
    for (const imageFamily of ['123', 'AzureLinux3', '']) await expectVerdict({ imageFamily }, false)
    expect([read({}), read({ fipsMode: 'Disabled' }), read({ fipsMode: 'FIPS' })].map(isFips)).toEqual([
      false,
      false,
      true,
    ])
    await expectVerdict({ fipsMode: '123' }, false)
  })

  test('Z-API-07: tags: lengths, forbidden characters, and slashes that are allowed', async () => {
    await expectVerdict({ tags: { 'a/b': 'c', ['k'.repeat(512)]: 'v'.repeat(256) } }, true)
    for (const key of ['a<', 'a>', 'a%', 'a&', 'a?', 'a\\b', 'k'.repeat(513)])
      await expectVerdict({ tags: { [key]: 'v' } }, false)
    await expectVerdict({ tags: { a: 'v'.repeat(257) } }, false)
    expect(problems({ tags: { 'a<': 'v' } })[0]).toContain("tags keys must not contain '<'")
  })

  test('Z-API-08: maxPods from 10 to 250, without a default', async () => {
    expect(read({}).spec.maxPods).toBeUndefined()
    for (const [maxPods, isRight] of [
      [9, false],
      [10, true],
      [250, true],
      [251, false],
    ] as const) {
      await expectVerdict({ maxPods }, isRight)
    }
  })

  test('Z-API-09, Z-API-10, Z-API-11: the kubelet: defaults, choices, bounds', async () => {
    expect(read({ kubelet: {} }).spec.kubelet).toEqual({
      cpuManagerPolicy: 'none',
      cpuCFSQuota: true,
      cpuCFSQuotaPeriod: '100ms',
      topologyManagerPolicy: 'none',
      containerLogMaxSize: '50Mi',
      containerLogMaxFiles: 5,
    })
    for (const [kubelet, isRight] of [
      [{ cpuManagerPolicy: 'static', topologyManagerPolicy: 'single-numa-node', podPidsLimit: -1 }, true],
      [{ topologyManagerPolicy: 'best-effort', allowedUnsafeSysctls: ['kernel.msg*'], failSwapOn: false }, true],
      [{ cpuManagerPolicy: 'dynamic' }, false],
      [{ topologyManagerPolicy: 'all' }, false],
      [{ imageGCHighThresholdPercent: 85, imageGCLowThresholdPercent: 80 }, true],
      [{ imageGCHighThresholdPercent: 80, imageGCLowThresholdPercent: 80 }, false],
      [{ imageGCHighThresholdPercent: 101 }, false],
      [{ imageGCLowThresholdPercent: -1 }, false],
      [{ imageGCHighThresholdPercent: 5 }, true],
      [{ containerLogMaxSize: '10Ki' }, true],
      [{ containerLogMaxSize: '10k' }, false],
      [{ containerLogMaxSize: '1.5Mi' }, false],
      [{ containerLogMaxFiles: 2 }, true],
      [{ containerLogMaxFiles: 1 }, false],
    ] as const) {
      await expectVerdict({ kubelet }, isRight)
    }
    expect(problems({ kubelet: { cpuCFSQuotaPeriod: 'soon' } })).toEqual([
      'spec.kubelet.cpuCFSQuotaPeriod: Invalid value: "soon": expected a duration such as 100ms',
    ])
  })

  test('Z-API-12: trusted launch is on when one of its parts is', () => {
    const launch = (trustedLaunch: unknown) => hasTrustedLaunch(read({ security: { trustedLaunch } }))
    expect([{}, { vtpm: false }, { vtpm: true }, { secureBoot: true }].map(launch)).toEqual([false, false, true, true])
    expect(hasTrustedLaunch(read({ security: { encryptionAtHost: true } }))).toBe(false)
  })

  test('Z-API-16: GPU drivers are installed unless the mode is None', async () => {
    const installs = (spec: unknown) => installsGpuDriver(read(spec))
    expect([{}, { gpu: {} }, { gpu: { mode: 'Driver' } }, { gpu: { mode: 'None' } }].map(installs)).toEqual([
      true,
      true,
      true,
      false,
    ])
    await expectVerdict({ gpu: { mode: 'Sometimes' } }, false)
  })

  test('Z-API-17: artifacts are streamed where asked for, never on arm64', () => {
    const on = read({ artifactStreaming: { enabled: true } })
    expect([streamsArtifacts(on, 'amd64'), streamsArtifacts(on, 'arm64')]).toEqual([true, false])
    expect(streamsArtifacts(read({ artifactStreaming: {} }), 'amd64')).toBe(false)
    expect(streamsArtifacts(read({}), 'amd64')).toBe(false)
  })

  test('Z-API-18: swap files and huge pages', async () => {
    const kubelet = { failSwapOn: false }
    await expectVerdict({ kubelet, linuxOSConfig: { swapFileSize: '1500Mi' } }, true)
    await expectVerdict({ kubelet, linuxOSConfig: { swapFileSize: '1500' } }, false)
    for (const transparentHugePageDefrag of ['always', 'defer', 'defer+madvise', 'madvise', 'never'])
      await expectVerdict({ linuxOSConfig: { transparentHugePageDefrag } }, true)
    for (const transparentHugePageEnabled of ['always', 'madvise', 'never'])
      await expectVerdict({ linuxOSConfig: { transparentHugePageEnabled } }, true)
    await expectVerdict({ linuxOSConfig: { transparentHugePageEnabled: 'defer' } }, false)
  })

  test.each([
    ['fsAioMaxNr', 65_536, 6_553_500],
    ['fsFileMax', 8192, 12_000_500],
    ['fsInotifyMaxUserWatches', 781_250, 2_097_152],
    ['fsNrOpen', 8192, 20_000_500],
    ['kernelThreadsMax', 20, 513_785],
    ['netCoreNetdevMaxBacklog', 1000, 3_240_000],
    ['netCoreOptmemMax', 20_480, 4_194_304],
    ['netCoreRmemDefault', 212_992, 134_217_728],
    ['netCoreRmemMax', 212_992, 134_217_728],
    ['netCoreWmemDefault', 212_992, 134_217_728],
    ['netCoreWmemMax', 212_992, 134_217_728],
    ['netCoreSomaxconn', 4096, 3_240_000],
    ['netIPv4NeighDefaultGcThresh1', 128, 80_000],
    ['netIPv4NeighDefaultGcThresh2', 512, 90_000],
    ['netIPv4NeighDefaultGcThresh3', 1024, 100_000],
    ['netIPv4TCPFinTimeout', 5, 120],
    ['netIPv4TCPKeepaliveProbes', 1, 15],
    ['netIPv4TCPKeepaliveTime', 30, 432_000],
    ['netIPv4TCPKeepaliveIntvl', 10, 90],
    ['netIPv4TCPMaxSynBacklog', 128, 3_240_000],
    ['netIPv4TCPMaxTwBuckets', 8000, 1_440_000],
    ['netNetfilterNfConntrackBuckets', 65_536, 524_288],
    ['netNetfilterNfConntrackMax', 131_072, 2_097_152],
    ['vmMaxMapCount', 65_530, 262_144],
    ['vmSwappiness', 0, 100],
    ['vmVfsCachePressure', 0, 100],
  ] as const)('Z-API-19: sysctl %s is within %i..%i', async (name, least, most) => {
    const set = (value: number) => ({ linuxOSConfig: { sysctls: { [name]: value } } })
    expect(sysctlRanges[name].slice(1)).toEqual([least, most])
    expect([least - 1, least, most, most + 1].map((value) => problems(set(value)).length === 0)).toEqual([
      false,
      true,
      true,
      false,
    ])
    expect([await isAdmitted(set(least)), await isAdmitted(set(most + 1))]).toEqual([true, false])
  })

  test('Z-API-19: there are 26 ranges, a flag and a range of ports', async () => {
    expect(Object.keys(sysctlRanges)).toHaveLength(26)
    await expectVerdict({ linuxOSConfig: { sysctls: { netIPv4TCPTwReuse: true } } }, true)
    await expectVerdict({ linuxOSConfig: { sysctls: { netIPv4IPLocalPortRange: '32768-60999' } } }, false)
  })

  test.each([
    [{ netCoreRmemDefault: 300_000, netCoreRmemMax: 250_000 }, false],
    [{ netCoreRmemDefault: 250_000, netCoreRmemMax: 300_000 }, true],
    [{ netCoreRmemDefault: 250_000 }, true],
    [{ netCoreWmemDefault: 300_000, netCoreWmemMax: 250_000 }, false],
    [{ netIPv4NeighDefaultGcThresh1: 600, netIPv4NeighDefaultGcThresh2: 512 }, false],
    [{ netIPv4NeighDefaultGcThresh2: 2000, netIPv4NeighDefaultGcThresh3: 1024 }, false],
    [{ netIPv4NeighDefaultGcThresh1: 1024, netIPv4NeighDefaultGcThresh3: 1024 }, true],
    [{ netIPv4IPLocalPortRange: '32768 60999' }, true],
    [{ netIPv4IPLocalPortRange: '1024 32768' }, true],
    [{ netIPv4IPLocalPortRange: '1023 60999' }, false],
    [{ netIPv4IPLocalPortRange: '61000 65535' }, false],
    [{ netIPv4IPLocalPortRange: '1024 32767' }, false],
    [{ netIPv4IPLocalPortRange: '1024 65536' }, false],
    [{ netIPv4IPLocalPortRange: '60000 50000' }, false],
  ])('Z-API-20: sysctls %j hold together: %s', async (sysctls, isRight) => {
    await expectVerdict({ linuxOSConfig: { sysctls } }, isRight)
  })

  const trusted = { trustedLaunch: { vtpm: true } }
  test.each([
    ['Ubuntu', 'FIPS', false, true],
    ['Ubuntu', 'FIPS', true, true],
    ['Ubuntu', undefined, true, true],
    ['Ubuntu2204', 'FIPS', false, false],
    ['Ubuntu2204', 'FIPS', true, true],
    ['Ubuntu2204', 'Disabled', false, true],
    ['Ubuntu2404', 'FIPS', false, false],
    ['Ubuntu2404', 'FIPS', true, false],
    ['Ubuntu2404', undefined, true, true],
    ['AzureLinux', 'FIPS', false, true],
    ['AzureLinux', 'FIPS', true, false],
    ['AzureLinux', undefined, true, true],
    [undefined, 'FIPS', false, true],
    [undefined, 'FIPS', true, true],
  ])('Z-API-21: family %s, FIPS mode %s, trusted launch %s: %s', async (imageFamily, fipsMode, isTrusted, isRight) => {
    await expectVerdict({ imageFamily, fipsMode, ...(isTrusted ? { security: trusted } : {}) }, isRight)
  })

  test('Z-API-21: a swap file needs failSwapOn to be false, said aloud', async () => {
    const linuxOSConfig = { swapFileSize: '1Gi' }
    await expectVerdict({ linuxOSConfig }, false)
    await expectVerdict({ linuxOSConfig, kubelet: { failSwapOn: true } }, false)
    await expectVerdict({ linuxOSConfig, kubelet: { failSwapOn: false } }, true)
    await expectVerdict({ linuxOSConfig: { transparentHugePageEnabled: 'always' } }, true)
  })
})

const zone = (name: string, overrides: Readonly<Record<string, unknown>> = {}) => ({
  zone: name,
  queryLogging: 'Error',
  protocol: 'PreferUDP',
  forwardDestination: name.endsWith('cluster.local') ? 'ClusterCoreDNS' : 'VnetDNS',
  forwardPolicy: 'Sequential',
  maxConcurrent: 1000,
  cacheDuration: '1h',
  serveStaleDuration: '1h30m',
  serveStale: 'Immediate',
  ...overrides,
})
const zones = (...more: ReadonlyArray<unknown>) => [zone('.'), zone('cluster.local'), ...more]
const localDns = (overrides: Readonly<Record<string, unknown>> = {}) => ({
  localDNS: { mode: 'Required', vnetDNSOverrides: zones(), kubeDNSOverrides: zones(), ...overrides },
})

describe('local DNS', () => {
  test('Z-API-13: all parts are required, zones are distinct, and two of them must be there', async () => {
    for (const mode of ['Preferred', 'Required', 'Disabled']) await expectVerdict(localDns({ mode }), true)
    for (const [overrides, isRight] of [
      [{ mode: 'Sometimes' }, false],
      [{ mode: undefined }, false],
      [{ kubeDNSOverrides: undefined }, false],
      [{ vnetDNSOverrides: [zone('.')] }, false],
      [{ kubeDNSOverrides: [zone('cluster.local')] }, false],
      [{ vnetDNSOverrides: zones(zone('a.com'), zone('a.com')) }, false],
      [{ kubeDNSOverrides: zones(zone('a.com')) }, true],
      [{ kubeDNSOverrides: zones(...Array.from({ length: 98 }, (_, index) => zone(`z${index}.com`))) }, true],
      [{ kubeDNSOverrides: zones(...Array.from({ length: 99 }, (_, index) => zone(`z${index}.com`))) }, false],
    ] as const) {
      await expectVerdict(localDns(overrides), isRight)
    }
  })

  test.each([
    [{ zone: 'under_score.example.com.' }, true],
    [{ zone: '-a.com' }, false],
    [{ zone: '' }, false],
    [{ zone: `${'a.'.repeat(127)}b` }, false],
    [{ queryLogging: 'Log' }, true],
    [{ queryLogging: 'All' }, false],
    [{ protocol: 'ForceTCP' }, true],
    [{ protocol: 'UDP' }, false],
    [{ forwardDestination: 'Elsewhere' }, false],
    [{ forwardPolicy: 'RoundRobin' }, true],
    [{ forwardPolicy: 'Random' }, true],
    [{ forwardPolicy: 'Best' }, false],
    [{ maxConcurrent: 0 }, true],
    [{ maxConcurrent: -1 }, false],
    [{ cacheDuration: '2h15m30s' }, true],
    [{ cacheDuration: '1d' }, false],
    [{ serveStaleDuration: '60s' }, true],
    [{ serveStaleDuration: '60' }, false],
    [{ serveStale: 'Disable' }, true],
    [{ serveStale: 'Never' }, false],
    [{ queryLogging: undefined }, false],
  ])('Z-API-14: a zone with %j: %s', async (overrides, isRight) => {
    await expectVerdict(localDns({ kubeDNSOverrides: zones(zone('example.com', overrides)) }), isRight)
  })

  const core = { forwardDestination: 'ClusterCoreDNS' }
  test.each([
    ['vnetDNSOverrides', [zone('.', core), zone('cluster.local')], false],
    ['kubeDNSOverrides', [zone('.', core), zone('cluster.local')], true],
    ['vnetDNSOverrides', zones(zone('example.com', core)), false],
    ['kubeDNSOverrides', zones(zone('example.com', core)), true],
    ['vnetDNSOverrides', zones(zone('a.cluster.local')), true],
    ['kubeDNSOverrides', zones(zone('a.cluster.local', { forwardDestination: 'VnetDNS' })), false],
    ['kubeDNSOverrides', zones(zone('a.com', { serveStale: 'Verify', protocol: 'ForceTCP' })), false],
    ['kubeDNSOverrides', zones(zone('a.com', { serveStale: 'Verify', protocol: 'PreferUDP' })), true],
    ['kubeDNSOverrides', zones(zone('a.com', { serveStale: 'Disable', protocol: 'ForceTCP' })), true],
  ])('Z-API-15: rules on forwarding and stale answers in %s: %j: %s', async (list, overrides, isRight) => {
    await expectVerdict(localDns({ [list]: overrides }), isRight)
  })

  test('Z-API-23: AKS is told what Preferred resolved to, never Preferred', () => {
    const wire = (mode: string, localDNSState?: string) => {
      const nodeClass = read(localDns({ mode }))
      const resolved = { ...nodeClass, status: { ...nodeClass.status, ...(localDNSState && { localDNSState }) } }
      return localDnsForWire(resolved as AksNodeClass)?.mode
    }
    expect([wire('Required'), wire('Disabled', 'Enabled')]).toEqual(['Required', 'Disabled'])
    expect([wire('Preferred', 'Enabled'), wire('Preferred', 'Disabled'), wire('Preferred')]).toEqual([
      'Required',
      'Disabled',
      'Disabled',
    ])
    expect(localDnsForWire(read({}))).toBeUndefined()
  })
})

describe('the hash', () => {
  const base = {
    vnetSubnetID: inGroup('a'),
    osDiskSizeGB: 30,
    imageFamily: 'Ubuntu2204',
    tags: { a: 'b' },
    kubelet: { cpuManagerPolicy: 'static', allowedUnsafeSysctls: ['a', 'b'] },
    maxPods: 100,
  }
  const hash = (changes: Readonly<Record<string, unknown>> = {}) => hashOf(read({ ...base, ...changes }))

  test('Z-API-22: every field of the spec counts, tags do not, lists are sets, and what is empty is absent', () => {
    const changes: ReadonlyArray<Readonly<Record<string, unknown>>> = [
      { vnetSubnetID: inGroup('b') },
      { osDiskSizeGB: 40 },
      { imageFamily: 'AzureLinux' },
      { kubelet: { cpuManagerPolicy: 'none', allowedUnsafeSysctls: ['a', 'b'] } },
      { maxPods: 200 },
      { artifactStreaming: { enabled: true } },
      { fipsMode: 'Disabled' },
      { security: { encryptionAtHost: true } },
      { gpu: { mode: 'None' } },
      { linuxOSConfig: { sysctls: { vmSwappiness: 0 } } },
      localDns(),
      localDns({ mode: 'Disabled' }),
      localDns({ kubeDNSOverrides: zones(zone('a.com')) }),
      localDns({ kubeDNSOverrides: zones(zone('a.com', { cacheDuration: '2h' })) }),
    ]
    expect(new Set([hash(), ...changes.map(hash)]).size).toBe(changes.length + 1)
    expect(hash({ tags: { c: 'd' } })).toBe(hash())
    expect(hash({ kubelet: { cpuManagerPolicy: 'static', allowedUnsafeSysctls: ['b', 'a'] } })).toBe(hash())
    expect(hash({ security: {}, linuxOSConfig: { sysctls: {} } })).toBe(hash())
    expect(hash()).toBe('09ad50afaf5015b2')
  })

  test('Z-API-24: the version is none of the reference’s, so that its nodes are stamped anew and not replaced', () => {
    expect(hashVersion).not.toMatch(/^v\d+$/)
    expect(aksNodeClass.hash?.version).toBe(hashVersion)
  })
})

describe('the status', () => {
  const condition = (type: string, status: 'True' | 'False' | 'Unknown', observedGeneration = 3, message = '') => ({
    type,
    status,
    reason: 'R',
    message,
    observedGeneration,
  })
  const withStatus = (status: Partial<AksNodeClass['status']>): AksNodeClass => {
    const nodeClass = read({})
    return {
      ...nodeClass,
      metadata: { ...nodeClass.metadata, generation: 3 },
      status: { ...nodeClass.status, ...status },
    }
  }

  test('Z-ST-01: images, Kubernetes version, state of local DNS and conditions', async () => {
    const status = {
      images: [{ id: '/a', requirements: [{ key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] }] }],
      kubernetesVersion: '1.34.1',
      localDNSState: 'Enabled',
      conditions: [],
    }
    expect(decode({ ...manifest({}), status })).toMatchObject({ right: { status } })
    expect(E.isLeft(decode({ ...manifest({}), status: { localDNSState: 'Preferred' } }))).toBe(true)
  })

  test('Z-ST-02: Ready depends on five conditions', () => {
    expect(Object.values(conditionTypes).sort()).toEqual([
      'ImagesReady',
      'KubernetesVersionReady',
      'LocalDNSReady',
      'SubnetsReady',
      'ValidationSucceeded',
    ])
  })

  test('Z-ST-03: version and images are read only where their conditions are true at this generation', () => {
    const version = (status: Partial<AksNodeClass['status']>) => readyKubernetesVersion(withStatus(status))
    const right = condition('KubernetesVersionReady', 'True')
    expect(version({ conditions: [right], kubernetesVersion: '1.34.1' })).toEqual(E.right('1.34.1'))
    for (const [status, problem] of [
      [{ conditions: [], kubernetesVersion: '1.34.1' }, 'KubernetesVersionReady is Unknown'],
      [
        { conditions: [condition('KubernetesVersionReady', 'False', 3, 'gone')], kubernetesVersion: '1' },
        'is False: gone',
      ],
      [
        { conditions: [condition('KubernetesVersionReady', 'True', 2)], kubernetesVersion: '1' },
        'generation 2, the spec is at 3',
      ],
      [{ conditions: [right], kubernetesVersion: '' }, 'no Kubernetes version'],
      [{ conditions: [right] }, 'no Kubernetes version'],
    ] as const) {
      expect(version(status)).toMatchObject({
        _tag: 'Left',
        left: expect.stringContaining(problem) as unknown as string,
      })
    }
    const images = [{ id: '/a', requirements: [] }]
    expect(readyImages(withStatus({ images, conditions: [condition('ImagesReady', 'True')] }))).toEqual(E.right(images))
    expect(E.isLeft(readyImages(withStatus({ images, conditions: [condition('ImagesReady', 'True', 2)] })))).toBe(true)
    expect(E.isLeft(readyImages(withStatus({ images, conditions: [condition('ImagesReady', 'Unknown')] })))).toBe(true)
  })
})

describe('most pods', () => {
  test.each([
    ['azure', 'overlay', 250],
    ['azure', '', 30],
    ['none', '', 250],
    ['kubenet', '', 110],
    ['azure', 'other', 110],
  ])('Z-CAP-07: plugin %s, mode "%s": %i', (networkPlugin, networkPluginMode, most) => {
    expect(maxPodsOf(read({}), { networkPlugin, networkPluginMode })).toBe(most)
    expect(maxPodsOf(read({ maxPods: 17 }), { networkPlugin, networkPluginMode })).toBe(17)
  })
})
