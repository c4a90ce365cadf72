import { describe, expect, test } from '@jest/globals'
import { nodeClass } from '../../test/builders.ts'
import { aksKubeletConfig, aksLinuxOsConfig } from './index.ts'

describe('settings in AKS’ form', () => {
  test('Z-MACH-12: the kubelet: whole MiB, pids within bounds, no period of zero', () => {
    const of = (kubelet: Readonly<Record<string, unknown>>) => aksKubeletConfig(nodeClass({ kubelet }).spec.kubelet)
    expect(aksKubeletConfig(undefined)).toBeUndefined()
    expect(of({})).toEqual({
      cpuManagerPolicy: 'none',
      cpuCfsQuota: true,
      cpuCfsQuotaPeriod: '100ms',
      topologyManagerPolicy: 'none',
      containerLogMaxSizeMB: 50,
      containerLogMaxFiles: 5,
    })
    expect(of({ cpuCFSQuotaPeriod: '0s' })).not.toHaveProperty('cpuCfsQuotaPeriod')
    expect([of({ podPidsLimit: -5 }), of({ podPidsLimit: 2 ** 40 })].map((one) => one?.['podMaxPids'])).toEqual([
      -1, 2_147_483_647,
    ])
    expect(
      of({
        containerLogMaxSize: '1500Ki',
        imageGCHighThresholdPercent: 90,
        imageGCLowThresholdPercent: 80,
        allowedUnsafeSysctls: ['a'],
        failSwapOn: false,
      }),
    ).toMatchObject({
      containerLogMaxSizeMB: 1,
      imageGcHighThreshold: 90,
      imageGcLowThreshold: 80,
      allowedUnsafeSysctls: ['a'],
      failSwapOn: false,
    })
  })

  test('Z-MACH-13: swap in whole MiB, huge pages, and all 28 kernel settings by AKS’ names', () => {
    const sysctls = {
      fsAioMaxNr: 65_536,
      fsFileMax: 8192,
      fsInotifyMaxUserWatches: 781_250,
      fsNrOpen: 8192,
      kernelThreadsMax: 20,
      netCoreNetdevMaxBacklog: 1000,
      netCoreOptmemMax: 20_480,
      netCoreRmemDefault: 212_992,
      netCoreRmemMax: 212_992,
      netCoreSomaxconn: 4096,
      netCoreWmemDefault: 212_992,
      netCoreWmemMax: 212_992,
      netIPv4IPLocalPortRange: '32768 60999',
      netIPv4NeighDefaultGcThresh1: 128,
      netIPv4NeighDefaultGcThresh2: 512,
      netIPv4NeighDefaultGcThresh3: 1024,
      netIPv4TCPFinTimeout: 5,
      netIPv4TCPKeepaliveIntvl: 10,
      netIPv4TCPKeepaliveProbes: 1,
      netIPv4TCPKeepaliveTime: 30,
      netIPv4TCPMaxSynBacklog: 128,
      netIPv4TCPMaxTwBuckets: 8000,
      netIPv4TCPTwReuse: true,
      netNetfilterNfConntrackBuckets: 65_536,
      netNetfilterNfConntrackMax: 131_072,
      vmMaxMapCount: 65_530,
      vmSwappiness: 0,
      vmVfsCachePressure: 0,
    }
    const of = (linuxOSConfig: object) =>
      aksLinuxOsConfig(nodeClass({ linuxOSConfig, kubelet: { failSwapOn: false } }).spec.linuxOSConfig)
    expect(aksLinuxOsConfig(undefined)).toBeUndefined()
    const config = of({
      swapFileSize: '1G',
      transparentHugePageEnabled: 'always',
      transparentHugePageDefrag: 'never',
      sysctls,
    })
    expect(config).toMatchObject({
      swapFileSizeMB: 954,
      transparentHugePageEnabled: 'always',
      transparentHugePageDefrag: 'never',
    })
    expect(Object.keys(config?.['sysctls'] as object)).toHaveLength(28)
    expect(Object.keys(config?.['sysctls'] as object)).toEqual(
      expect.arrayContaining([
        'fsAioMaxNr',
        'netIpv4IpLocalPortRange',
        'netIpv4NeighDefaultGcThresh1',
        'netIpv4TcpFinTimeout',
        'netIpv4TcpkeepaliveIntvl',
        'netIpv4TcpKeepaliveProbes',
        'netIpv4TcpTwReuse',
        'vmVfsCachePressure',
      ]),
    )
    expect(of({})).toEqual({})
  })
})
