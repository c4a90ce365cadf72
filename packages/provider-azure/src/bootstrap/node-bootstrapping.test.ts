import { describe, expect, test } from '@jest/globals'
import { Requirements } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { bootInputs, typeOf, type BootCase } from '../../test/boot-inputs.ts'
import { localDns, subnetId } from '../../test/builders.ts'
import {
  nodeBootstrappingPath,
  nodeBootstrappingTimeoutMs,
  nodeLabels,
  provisionValuesOf,
  readNodeBootstrapping,
  skuMemoryGibOf,
} from './index.ts'

describe('the bootstrapping service', () => {
  const profileOf = (input: BootCase = {}, isEphemeralOsDisk = false) => {
    const { labelsInput, settings, of, chosen, version } = bootInputs(input)
    return provisionValuesOf({
      claim: labelsInput.claim,
      nodeClass: of,
      type: chosen,
      labels: nodeLabels(labelsInput),
      kubernetesVersion: version,
      distro: 'aks-ubuntu-containerd-22.04-gen2',
      isEphemeralOsDisk,
      settings,
    })
  }

  test('Z-NPS-01: where it is asked, and what of its answer is needed', () => {
    expect(nodeBootstrappingPath('s', 'rg', 'c')).toBe(
      '/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerService/managedclusters/c/nodeBootstrapping',
    )
    expect(nodeBootstrappingTimeoutMs).toBe(30_000)
    const customData = Buffer.from('data').toString('base64')
    for (const answer of [
      undefined,
      {},
      { cse: 'x' },
      { customData },
      { cse: '', customData },
      { cse: 'x', customData: '!' },
    ])
      expect(E.isLeft(readNodeBootstrapping(answer, 't'))).toBe(true)
    expect(E.isRight(readNodeBootstrapping({ cse: 'x', customData }, 't'))).toBe(true)
  })

  test('Z-NPS-02: the bootstrap token is put in, whatever characters it has', () => {
    const text = 'TOKEN={{.TokenID}}.{{.TokenSecret}}; again {{.TokenID}}.{{.TokenSecret}}'
    const read = readNodeBootstrapping({ cse: text, customData: Buffer.from(text).toString('base64') }, 'ab$&.cd')
    expect(read).toEqual(
      E.right({
        cse: 'TOKEN=ab$&.cd; again ab$&.cd',
        customData: Buffer.from('TOKEN=ab$&.cd; again ab$&.cd').toString('base64'),
      }),
    )
  })

  test('Z-NPS-03: the profile of a node', () => {
    const claim = {
      taints: [{ key: 'gpu', effect: 'NoSchedule' as const }],
      startupTaints: [{ key: 'boot', effect: 'NoExecute' as const }],
    }
    const { provisionProfile } = profileOf({ claim }, true) as {
      readonly provisionProfile: Readonly<Record<string, unknown>>
    }
    expect(provisionProfile).toMatchObject({
      name: '',
      architecture: 'x64',
      osType: 2,
      osSku: 1,
      vmSize: 'Standard_D2s_v3',
      distro: 'aks-ubuntu-containerd-22.04-gen2',
      orchestratorVersion: '1.33.5',
      vnetSubnetID: subnetId,
      storageProfile: 'Ephemeral',
      nodeTaints: ['gpu:NoSchedule'],
      nodeInitializationTaints: ['boot:NoExecute', 'karpenter.sh/unregistered:NoExecute'],
      securityProfile: { sshAccess: 0 },
      maxPods: 250,
      enableFIPS: false,
      artifactStreamingProfile: { enabled: false },
      mode: 2,
      customNodeLabels: { 'kubernetes.azure.com/role': 'agent' },
    })
    for (const absent of ['localDNSProfile', 'customLinuxOSConfig', 'customKubeletConfig', 'gpuProfile'])
      expect(provisionProfile).not.toHaveProperty(absent)
    expect(
      profileOf({
        spec: {
          imageFamily: 'AzureLinux',
          security: { trustedLaunch: { vtpm: true, secureBoot: false } },
          artifactStreaming: { enabled: true },
          kubelet: { cpuManagerPolicy: 'static' },
          linuxOSConfig: { transparentHugePageEnabled: 'never' },
          localDNS: localDns('Preferred', { serveStaleDuration: '1h30m' }),
        },
        status: { localDNSState: 'Enabled' },
        claim: { requirements: Requirements.fromLabels({ 'kubernetes.azure.com/mode': 'system' }) },
      }),
    ).toMatchObject({
      provisionProfile: {
        osSku: 7,
        storageProfile: 'ManagedDisks',
        securityProfile: { enableVTPM: true, enableSecureBoot: false },
        artifactStreamingProfile: { enabled: true },
        customKubeletConfig: { cpuManagerPolicy: 'static', containerLogMaxSizeMB: 50 },
        customLinuxOSConfig: { transparentHugePageEnabled: 'never' },
        mode: 1,
        localDNSProfile: {
          mode: 'Required',
          kubeDNSOverrides: { 'cluster.local': { cacheDurationInSeconds: 3600, serveStaleDurationInSeconds: 5400 } },
        },
      },
    })
    const arm = typeOf('Standard_D2ps_v6', { CpuArchitectureType: 'Arm64', HyperVGenerations: 'V2' })
    expect(profileOf({ type: arm })).toMatchObject({ provisionProfile: { architecture: 'Arm64' } })
  })

  test('Z-GPU-05: the GPU of a node is NVIDIA’s or not mentioned', () => {
    const gpuProfile = (name: string, mode = 'Driver') =>
      (
        profileOf({ type: typeOf(name, { GPUs: '1' }), spec: { gpu: { mode } } }) as {
          readonly provisionProfile: object
        }
      ).provisionProfile
    expect(gpuProfile('Standard_NC4as_T4_v3')).toMatchObject({ gpuProfile: { driverType: 3, installGPUDriver: true } })
    expect(gpuProfile('Standard_NV6ads_A10_v5', 'None')).toMatchObject({
      gpuProfile: { driverType: 2, installGPUDriver: false },
    })
    expect(gpuProfile('Standard_NV4ads_V710_v5')).not.toHaveProperty('gpuProfile')
  })

  test('Z-NPS-04: CPUs, and the memory of the size as it is sold', () => {
    expect(profileOf()).toMatchObject({ provisionHelperValues: { skuCPU: 2, skuMemory: 8 } })
    for (const gib of [1, 4, 7, 64, 256]) expect(skuMemoryGibOf(gib * 2 ** 30 * (1 - 0.075), 0.075)).toBe(gib)
    expect(skuMemoryGibOf(8 * 2 ** 30, 0)).toBe(8)
  })
})
