import { describe, expect, test } from '@jest/globals'
import type { Setting } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { azureSettings, problemsWithCluster, usesMachines, type AzureSettings } from './settings.ts'

const fields = Object.entries(azureSettings.fields) as ReadonlyArray<readonly [keyof AzureSettings, Setting<unknown>]>

const required: Readonly<Record<string, string>> = {
  'subscription-id': 'sub',
  location: 'westeurope',
  'cluster-resource-group': 'rg',
  'node-resource-group': 'MC_rg',
  'kubelet-bootstrap-token': 'abcdef.0123456789abcdef',
  'ssh-public-key': 'ssh-rsa A',
  'vnet-subnet-id': '/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/n',
}

/** What the shell does with a spec, in short: text by flag, all errors at once. */
const read = (
  flags: Readonly<Record<string, string | undefined>> = {},
): E.Either<ReadonlyArray<string>, AzureSettings> => {
  const errors: Array<string> = []
  const given = { ...required, ...flags }
  const entries = fields.map(([key, field]) => {
    const value = given[field.flag ?? '']
    if (value === undefined) {
      if (!('default' in field)) errors.push(`${field.flag} is required`)
      return [key, field.default]
    }
    const decoded = field.codec.decode(value)
    if (E.isLeft(decoded)) errors.push(`${field.flag}: ${decoded.left[0]?.message ?? field.codec.name}`)
    return [key, E.isRight(decoded) ? decoded.right : undefined]
  })
  const settings = Object.fromEntries(entries) as AzureSettings
  errors.push(...(errors.length === 0 ? (azureSettings.check?.(settings) ?? []) : []))
  return errors.length === 0 ? E.right(settings) : E.left(errors)
}
const problems = (flags: Readonly<Record<string, string | undefined>>) => {
  const settings = read(flags)
  return E.isLeft(settings) ? settings.left : []
}

const id = '12345678-1234-1234-1234-123456789012'

describe('settings', () => {
  test('Z-OPT-01: flags, variables and defaults are the reference’s; every error is shown', () => {
    const names = (flag: string) => fields.find(([, field]) => field.flag === flag)?.[1]
    for (const flag of [
      'vm-memory-overhead-percent',
      'kubelet-bootstrap-token',
      'linux-admin-username',
      'ssh-public-key',
      'network-plugin',
      'network-plugin-mode',
      'network-policy',
      'network-dataplane',
      'dns-service-ip',
      'vnet-guid',
      'vnet-subnet-id',
      'node-identities',
      'provision-mode',
      'nodebootstrapping-server-url',
      'kubelet-identity-client-id',
      'use-sig',
      'sig-access-token-server-url',
      'sig-subscription-id',
      'node-osdisk-diskencryptionset-id',
      'manage-existing-aks-machines',
      'aks-machines-pool-name',
      'provider-batch-idle-duration',
      'provider-batch-max-duration',
      'provider-batch-max-size',
      'additional-tags',
      'enable-azure-sdk-logging',
    ]) {
      expect(names(flag)?.env).toEqual([flag.toUpperCase().replaceAll('-', '_')])
    }
    expect(names('node-resource-group')?.env).toEqual(['AZURE_NODE_RESOURCE_GROUP'])
    expect(read()).toMatchObject({
      right: {
        vmMemoryOverheadPercent: 0.075,
        linuxAdminUsername: 'azureuser',
        networkPlugin: 'azure',
        networkPluginMode: 'overlay',
        networkPolicy: '',
        networkDataplane: 'cilium',
        dnsServiceIp: '',
        nodeIdentities: [],
        provisionMode: 'aksscriptless',
        useSig: false,
        manageExistingAksMachines: false,
        batchIdleMs: 1000,
        batchMaxMs: 5000,
        batchMaxSize: 50,
        additionalTags: {},
        enableAzureSdkLogging: true,
      },
    })
    expect(problems({ 'network-plugin': 'kubenet', 'vnet-guid': 'x', location: undefined })).toHaveLength(3)
    expect(read({ 'node-identities': '/a,/b' })).toMatchObject({ right: { nodeIdentities: ['/a', '/b'] } })
  })

  test('Z-OPT-02: what must be given, the shell’s cluster name and endpoint among it', () => {
    for (const flag of Object.keys(required)) expect(problems({ [flag]: undefined })).toEqual([`${flag} is required`])
    expect(problems({ 'vnet-subnet-id': '/subscriptions/s' })).toHaveLength(1)
    expect(problemsWithCluster({ name: 'a', endpoint: 'https://a.example.com:443' })).toEqual([])
    expect(problemsWithCluster({ name: '' })).toEqual([
      expect.stringContaining('cluster-name'),
      expect.stringContaining('cluster-endpoint: Required'),
    ])
    expect(problemsWithCluster({ name: 'a', endpoint: 'a.example.com' })).toEqual([
      expect.stringContaining('cluster-endpoint: Invalid'),
    ])
  })

  test.each([
    [{ 'network-plugin': 'azure' }, true],
    [{ 'network-plugin': 'none', 'network-plugin-mode': 'none' }, true],
    [{ 'network-plugin': 'none', 'network-plugin-mode': 'overlay' }, false],
    [{ 'network-plugin': 'none' }, false],
    [{ 'network-plugin': '' }, false],
    [{ 'network-plugin-mode': 'vnet' }, false],
    [{ 'network-plugin-mode': '' }, true],
    [{ 'network-dataplane': 'azure' }, true],
    [{ 'network-dataplane': 'ebpf' }, false],
    [{ 'vnet-guid': id, 'kubelet-identity-client-id': id }, true],
    [{ 'vnet-guid': 'not-a-uuid' }, false],
    [{ 'kubelet-identity-client-id': 'not-a-uuid' }, false],
    [{ 'dns-service-ip': '10.0.0.10' }, true],
    [{ 'dns-service-ip': 'fd00::a' }, true],
    [{ 'dns-service-ip': '10.0.0' }, false],
  ])('Z-OPT-03: network settings %j are right: %s', (flags, isRight) => {
    expect(problems(flags).length === 0).toBe(isRight)
  })

  test.each([
    [{ 'vm-memory-overhead-percent': '0' }, true],
    [{ 'vm-memory-overhead-percent': '-0.01' }, false],
    [{ 'vm-memory-overhead-percent': 'much' }, false],
    [{ 'linux-admin-username': 'azure_user-1' }, true],
    [{ 'linux-admin-username': 'a'.repeat(32) }, true],
    [{ 'linux-admin-username': 'a'.repeat(33) }, false],
    [{ 'linux-admin-username': '1user' }, false],
    [{ 'linux-admin-username': 'user!' }, false],
  ])('Z-OPT-04: overhead and admin %j are right: %s', (flags, isRight) => {
    expect(problems(flags).length === 0).toBe(isRight)
  })

  const machines = {
    'provision-mode': 'aksmachineapi',
    'use-sig': 'true',
    'sig-subscription-id': 's',
    'aks-machines-pool-name': 'p',
  }
  const batches = { ...machines, 'provision-mode': 'aksmachineapiheaderbatch' }
  test.each([
    [{ 'provision-mode': 'other' }, 'aksscriptless |'],
    [{ 'provision-mode': 'bootstrappingclient' }, 'nodebootstrapping-server-url: Required'],
    [{ 'provision-mode': 'bootstrappingclient', 'nodebootstrapping-server-url': 'nps' }, undefined],
    [machines, undefined],
    [{ ...machines, 'aks-machines-pool-name': '' }, 'aks-machines-pool-name: Required'],
    [{ ...machines, 'use-sig': 'false' }, 'use-sig: Invalid'],
    [batches, undefined],
    [{ ...batches, 'provider-batch-max-size': '0' }, 'provider-batch-max-size'],
    [{ ...batches, 'provider-batch-max-size': '51' }, 'provider-batch-max-size'],
    [{ ...batches, 'provider-batch-idle-duration': '-1s' }, 'a duration'],
    [{ ...batches, 'provider-batch-idle-duration': '9s' }, 'provider-batch-max-duration'],
    [{ ...machines, 'provider-batch-max-size': '51' }, undefined],
  ])('Z-OPT-05: provision mode in %j: %s', (flags, problem) => {
    expect(problems(flags)).toEqual(problem === undefined ? [] : [expect.stringContaining(problem)])
  })

  test('Z-OPT-06: the shared galleries need a subscription, and tokens where VMs are made', () => {
    expect(problems({ 'use-sig': 'true' })).toHaveLength(2)
    const sig = { 'use-sig': 'true', 'sig-subscription-id': 's' }
    expect(problems({ ...sig, 'sig-access-token-server-url': 'not an address' })).toHaveLength(1)
    expect(problems({ ...sig, 'sig-access-token-server-url': 'http://127.0.0.1:8080' })).toEqual([])
    expect(problems({ ...sig, 'provision-mode': 'aksmachineapi', 'aks-machines-pool-name': 'p' })).toEqual([])
  })

  test.each([
    ['a=b,c=d e', undefined],
    [`${'k'.repeat(512)}=${'v'.repeat(256)}`, undefined],
    [`${'k'.repeat(513)}=v`, '513'],
    [`k=${'v'.repeat(257)}`, '257'],
    ['a/b=c', 'a/b has'],
    ['a<b=c', 'a<b has'],
    ['a=b,A=c', 'occurs twice'],
    ['a', 'no value'],
  ])('Z-OPT-07: additional tags %s: %s', (text, problem) => {
    expect(problems({ 'additional-tags': text })).toEqual(
      problem === undefined ? [] : [expect.stringContaining(problem)],
    )
  })

  const des = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/diskEncryptionSets/d'
  test.each([
    ['', true],
    [des, true],
    [des.toLowerCase(), true],
    [des.replace('diskEncryptionSets', 'disks'), false],
    [des.replace('Microsoft.Compute', 'Microsoft.Storage'), false],
    [des.replace('/subscriptions/s', '/subscriptions/'), false],
    [des.replace('resourceGroups/g', 'resourceGroups/'), false],
    [des.slice(0, -1), false],
    ['d', false],
  ])('Z-OPT-08: disk encryption set "%s" is right: %s', (text, isRight) => {
    expect(problems({ 'node-osdisk-diskencryptionset-id': text }).length === 0).toBe(isRight)
  })

  test('Z-OPT-09: tokens, keys, admin and addresses with secrets are never printed', () => {
    expect(fields.flatMap(([key, field]) => (field.secret ? [key] : [])).sort()).toEqual([
      'kubeletBootstrapToken',
      'linuxAdminUsername',
      'nodeBootstrappingServerUrl',
      'sigAccessTokenServerUrl',
      'sshPublicKey',
    ])
  })

  test('Z-MACH-01: two of four modes make machines of AKS, with a pool and shared images; scriptless is the default', () => {
    const modes = ['aksscriptless', 'bootstrappingclient', 'aksmachineapi', 'aksmachineapiheaderbatch'] as const
    expect(modes.filter((provisionMode) => usesMachines({ provisionMode }))).toEqual([
      'aksmachineapi',
      'aksmachineapiheaderbatch',
    ])
    expect(azureSettings.fields.provisionMode.default).toBe('aksscriptless')
    for (const mode of ['aksmachineapi', 'aksmachineapiheaderbatch'])
      expect(problems({ 'provision-mode': mode })).toEqual([
        expect.stringContaining('aks-machines-pool-name: Required'),
        expect.stringContaining('use-sig: Invalid'),
      ])
    expect(problems({ ...machines, 'sig-subscription-id': '' })).toEqual([
      expect.stringContaining('sig-subscription-id: Required'),
    ])
  })
})
