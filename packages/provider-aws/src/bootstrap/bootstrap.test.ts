import { describe, expect, test } from '@jest/globals'
import type { Taint } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { parse as parseToml } from 'smol-toml'
import { parse as parseYaml } from 'yaml'
import type { ImageFamily } from '../node-class/index.ts'
import type { BootstrapInput } from './index.ts'
import {
  bottlerocketVersion,
  nodeLabels,
  nodeTaints,
  resolveKubelet,
  userDataLimitBytes,
  userDataOf,
  userDataSizeProblem,
} from './index.ts'
import { readMime } from './mime.ts'

const unregistered: Taint = { key: 'karpenter.sh/unregistered', effect: 'NoExecute' }
const base: BootstrapInput = {
  clusterName: 'demo',
  clusterEndpoint: 'https://demo.eks',
  caBundle: 'Y2E=',
  clusterCidr: '10.100.0.0/16',
  kubelet: {
    settings: { maxPods: 29, clusterDNS: ['10.100.0.10'] },
    fields: { maxPods: 29, clusterDNS: ['10.100.0.10'] },
  },
  taints: [unregistered],
  labels: { b: '2', a: '1' },
}
const settings = {
  maxPods: 29,
  podsPerCore: 4,
  clusterDNS: ['10.100.0.10'],
  systemReserved: { memory: '1Gi', cpu: '1' },
  kubeReserved: { cpu: '2' },
  evictionHard: { 'nodefs.available': '10%', 'memory.available': '5%' },
  evictionSoft: { 'memory.available': '8%' },
  evictionSoftGracePeriod: { 'memory.available': '90s' },
  evictionMaxPodGracePeriod: 30,
  imageGCHighThresholdPercent: 80,
  imageGCLowThresholdPercent: 70,
  cpuCFSQuota: false,
}
const full = { settings, fields: settings }
const textOf = (
  family: ImageFamily,
  input: Partial<BootstrapInput & { readonly bottlerocketVersion: string }> = {},
): string => {
  const made = userDataOf(family, { ...base, ...input })
  if (E.isLeft(made)) throw new Error(made.left)
  return Buffer.from(made.right.base64, 'base64').toString('utf8')
}
const problemOf = (...args: Parameters<typeof userDataOf>) => {
  const made = userDataOf(...args)
  return E.isLeft(made) ? made.left : undefined
}
const partsOf = (text: string) => {
  const parts = readMime(text)
  if (E.isLeft(parts)) throw new Error(parts.left)
  return parts.right
}

describe('what all families share', () => {
  test('A-UD-01: the user data is base64 of its bytes', () => {
    const made = userDataOf('Custom', { ...base, userData: 'äöü' })
    expect(made).toEqual(E.right({ base64: Buffer.from('äöü').toString('base64'), bytes: 6 }))
  })
  test('A-UD-02: taints of the claim, its start-up taints, and the mark of the unregistered once', () => {
    const gpu: Taint = { key: 'gpu', effect: 'NoSchedule' }
    expect(nodeTaints({ taints: [gpu], startupTaints: [{ key: 'agent', value: 'x', effect: 'NoExecute' }] })).toEqual([
      gpu,
      { key: 'agent', value: 'x', effect: 'NoExecute' },
      unregistered,
    ])
    expect(nodeTaints({ taints: [unregistered], startupTaints: [] })).toEqual([unregistered])
  })
  test('A-UD-03: labels of the claim and its capacity type, none of Kubernetes’ own, and taints left alone but for Custom', () => {
    const labels = {
      team: 'a',
      'example.com/rack': 'r',
      'kubernetes.io/arch': 'amd64',
      'topology.kubernetes.io/zone': 'a',
      'node.k8s.io/x': 'y',
      'node-restriction.kubernetes.io/x': 'y',
      'x.node-restriction.kubernetes.io/x': 'y',
    }
    const kept = { team: 'a', 'example.com/rack': 'r', 'karpenter.sh/capacity-type': 'spot' }
    expect(nodeLabels('AL2023', { labels }, 'spot')).toEqual({ ...kept, 'karpenter.sh/do-not-sync-taints': 'true' })
    expect(nodeLabels('Custom', { labels }, 'spot')).toEqual(kept)
  })
  const type = { pods: 29, kubeReserved: { cpu: '60m' }, systemReserved: { cpu: '10m' } }
  test('A-UD-04: the cluster’s DNS where the user names none, in both forms', () => {
    expect(resolveKubelet({ settings: {} }, type, '10.100.0.10')).toMatchObject({
      settings: { clusterDNS: ['10.100.0.10'] },
      fields: { clusterDNS: ['10.100.0.10'] },
    })
    const own = { clusterDNS: ['1.1.1.1'] }
    expect(resolveKubelet({ settings: own, fields: own }, type, '10.100.0.10')).toMatchObject({
      settings: own,
      fields: own,
    })
    expect(resolveKubelet({ settings: {} }, type, undefined).settings.clusterDNS).toBeUndefined()
  })
  test('A-UD-05: a figure for maxPods always; reserved amounts for the type replace expressions in both forms', () => {
    expect(resolveKubelet({ settings: {} }, type, undefined)).toEqual({
      settings: { maxPods: 29 },
      fields: { maxPods: 29 },
    })
    expect(resolveKubelet({ settings: { maxPods: 5 } }, type, undefined).fields).toEqual({ maxPods: 5 })
    const given = { maxPods: 'vcpus * 10', kubeReserved: { cpu: 'vcpus * 30' }, seccompDefault: true }
    expect(resolveKubelet({ settings: given, fields: given }, type, undefined)).toMatchObject({
      settings: { maxPods: 29, kubeReserved: { cpu: '60m' } },
      fields: { maxPods: 29, kubeReserved: { cpu: '60m' }, seccompDefault: true },
    })
  })
  test('A-UD-06: the kubelet’s flags in one order, maps sorted (S-21)', () => {
    const line = textOf('Windows2022', {
      kubelet: full,
      taints: [{ key: 'a', value: 'b', effect: 'NoSchedule' }, unregistered],
    })
    expect(/-KubeletExtraArgs '([^']*)'/.exec(line)?.[1]).toBe(
      '--node-labels="a=1,b=2" --register-with-taints="a=b:NoSchedule,karpenter.sh/unregistered:NoExecute" --max-pods=29 --pods-per-core=4 --system-reserved="cpu=1,memory=1Gi" --kube-reserved="cpu=2" --eviction-hard="memory.available<5%,nodefs.available<10%" --eviction-soft="memory.available<8%" --eviction-soft-grace-period="memory.available=1m30s" --eviction-max-pod-grace-period=30 --image-gc-high-threshold=80 --image-gc-low-threshold=70 --cpu-cfs-quota=false',
    )
  })
  test('A-UD-18: a word of warning from nine tenths of the limit on, and what to do beyond it', () => {
    const of = (bytes: number) => userDataSizeProblem({ bytes })
    expect([of(14_745), of(14_746), of(userDataLimitBytes)].map((text) => text !== undefined)).toEqual([
      false,
      true,
      true,
    ])
    expect(of(16_385)).toBe(
      'User data has 16385 bytes and EC2 takes 16384: shorten spec.userData, or let it fetch what it needs',
    )
  })
})

describe('AL2', () => {
  const script = 'Content-Type: text/x-shellscript; charset="us-ascii"'
  test('A-UD-07, A-UD-08: without user data: one part that joins the node', () => {
    expect(textOf('AL2')).toBe(`MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="//"

--//
${script}

#!/bin/bash -xe
exec > >(tee /var/log/user-data.log|logger -t user-data -s 2>/dev/console) 2>&1
/etc/eks/bootstrap.sh 'demo' --apiserver-endpoint 'https://demo.eks' --b64-cluster-ca 'Y2E=' \\
--dns-cluster-ip '10.100.0.10' \\
--use-max-pods false \\
--kubelet-extra-args '--node-labels="a=1,b=2" --register-with-taints="karpenter.sh/unregistered:NoExecute" --max-pods=29'
--//--
`)
  })
  test('A-UD-07: the user’s parts come first: a script, or MIME part by part, without carriage returns', () => {
    const own = partsOf(textOf('AL2', { userData: '#!/bin/bash\necho hello' }))
    expect(own.map(({ headers, body }) => [headers, body.split('\n')[1]])).toEqual([
      [[script], 'echo hello'],
      [[script], expect.stringContaining('exec >')],
    ])
    for (const start of [
      'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"',
      'Content-Type: multipart/mixed;\r\n boundary=b',
    ]) {
      const userData = `${start}\r\n\r\n--b\r\nContent-Type: text/cloud-config\r\n\r\n#cloud-config\r\n--b\r\nContent-Type: text/x-shellscript\r\n\r\necho\r\n--b--\r\n`
      const text = textOf('AL2', { userData })
      expect(text).not.toContain('\r')
      expect(partsOf(text).map(({ headers, body }) => [headers[0], body.split('\n')[0]])).toEqual([
        ['Content-Type: text/cloud-config', '#cloud-config'],
        ['Content-Type: text/x-shellscript', 'echo'],
        [script, '#!/bin/bash -xe'],
      ])
    }
  })
  test('MIME that cannot be read is an error with the reason', () => {
    const of = (userData: string) => problemOf('AL2', { ...base, userData })
    expect(of('MIME-Version: 1.0\n\n')).toBe('Cannot read userData as MIME: it has no Content-Type')
    expect(of('Content-Type: text/plain\n\nx')).toBe('Cannot read userData as MIME: its Content-Type is not multipart')
    expect(of('Content-Type: multipart/mixed\n\nx')).toBe(
      'Cannot read userData as MIME: its Content-Type names no boundary',
    )
    expect(of('Content-Type: multipart/mixed; boundary="b"\n\n--b\n\nx')).toBe(
      'Cannot read userData as MIME: it does not end with --b--',
    )
  })
  test('A-UD-08: IPv6, no certificate, no DNS, RAID0', () => {
    const text = textOf('AL2', {
      kubelet: { settings: { clusterDNS: ['fd00::a'], maxPods: 5 }, fields: {} },
      instanceStorePolicy: 'RAID0',
    })
    expect(text).toContain("'Y2E=' \\\n--ip-family ipv6 \\\n--dns-cluster-ip 'fd00::a' \\\n--use-max-pods false")
    expect(text).toContain(' \\\n--local-disks raid0\n--//--')
    const { caBundle: _, ...bare } = base
    const plain = userDataOf('AL2', { ...bare, kubelet: { settings: {}, fields: {} } })
    const decoded = E.isRight(plain) ? Buffer.from(plain.right.base64, 'base64').toString() : ''
    expect(decoded).toContain("--apiserver-endpoint 'https://demo.eks' \\\n--kubelet-extra-args")
  })
})

describe('AL2023', () => {
  test('A-UD-09, A-UD-10: the user’s part, then a NodeConfig as nodeadm reads it', () => {
    const fields = { ...base.kubelet.fields, seccompDefault: true, evictionHard: { 'memory.available': '5%' } }
    const parts = partsOf(
      textOf('AL2023', {
        userData: '#!/bin/bash\necho hello',
        kubelet: { ...base.kubelet, fields },
        taints: [{ key: 'a', value: 'b', effect: 'NoSchedule' }, unregistered],
      }),
    )
    expect(parts.map(({ headers }) => headers)).toEqual([
      ['Content-Type: text/x-shellscript; charset="us-ascii"'],
      ['Content-Type: application/node.eks.aws'],
    ])
    const body = parts[1]?.body ?? ''
    expect(body.startsWith('#')).toBe(true)
    expect(parseYaml(body)).toEqual({
      apiVersion: 'node.eks.aws/v1alpha1',
      kind: 'NodeConfig',
      metadata: {},
      spec: {
        cluster: {
          apiServerEndpoint: 'https://demo.eks',
          certificateAuthority: 'Y2E=',
          cidr: '10.100.0.0/16',
          name: 'demo',
        },
        containerd: {},
        instance: { localStorage: {} },
        kubelet: {
          config: {
            clusterDNS: ['10.100.0.10'],
            maxPods: 29,
            seccompDefault: true,
            evictionHard: { 'memory.available': '5%' },
            registerWithTaints: [
              { key: 'a', value: 'b', effect: 'NoSchedule' },
              { key: 'karpenter.sh/unregistered', effect: 'NoExecute' },
            ],
          },
          flags: ['--node-labels="a=1,b=2"'],
        },
      },
    })
    expect(parseYaml(partsOf(textOf('AL2023', { instanceStorePolicy: 'RAID0' }))[0]?.body ?? '')).toMatchObject({
      spec: { instance: { localStorage: { strategy: 'RAID0' } } },
    })
  })
  test('A-UD-09: user data that is a YAML mapping is a NodeConfig; a script of comments stays a script (S-16)', () => {
    const kindOf = (userData: string) => partsOf(textOf('AL2023', { userData }))[0]?.headers[0]
    const config = 'Content-Type: application/node.eks.aws'
    expect(kindOf('apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec: {}\n')).toBe(config)
    expect(kindOf('# a comment\nspec:\n  kubelet:\n    config:\n      maxPods: 5')).toBe(config)
    for (const shell of ['#!/bin/bash\necho "a: b"', '# nothing but a comment', 'echo hello', '- a\n- b'])
      expect(kindOf(shell)).toContain('text/x-shellscript')
    const mime =
      'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: application/node.eks.aws\n\nspec: {}\n--b--\n'
    expect(partsOf(textOf('AL2023', { userData: mime })).map(({ headers }) => headers[0])).toEqual([config, config])
  })
  test('A-UD-11: without the service range there is no NodeConfig', () => {
    const { clusterCidr: _, ...bare } = base
    expect(problemOf('AL2023', bare)).toBe(
      'Cannot make a NodeConfig: the range of the cluster’s service addresses is not known',
    )
    expect(problemOf('AL2', bare)).toBeUndefined()
  })
})

describe('Bottlerocket', () => {
  const settingsOf = (input: Parameters<typeof textOf>[1] = {}) =>
    parseToml(textOf('Bottlerocket', input)) as Readonly<Record<string, unknown>>
  const userData = `
[settings.kubernetes]
cluster-name = 'mine'
cloud-provider = 'external'
kube-api-qps = 30
brand-new-key = 'kept'
[settings.kubernetes.node-labels]
a = 'mine'
c = '3'
[settings.kubernetes.node-taints]
dedicated = ['x:NoSchedule']
[settings.kubernetes.eviction-hard]
'memory.available' = '12%'
[settings.ntp]
time-servers = ['169.254.169.123']
[settings.bootstrap-commands.mine]
commands = [['apiclient', 'set', 'motd=hello']]
mode = 'once'
essential = false
`
  test('A-UD-12: what is ours lies over the user’s; labels are merged, taints replaced, the rest passes', () => {
    expect(
      settingsOf({
        userData,
        taints: [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }, { key: 'gpu', effect: 'NoExecute' }, unregistered],
      }),
    ).toEqual({
      settings: {
        kubernetes: {
          'cluster-name': 'demo',
          'api-server': 'https://demo.eks',
          'cluster-certificate': 'Y2E=',
          'cluster-dns-ip': '10.100.0.10',
          'max-pods': 29,
          'cloud-provider': 'external',
          'kube-api-qps': 30,
          'brand-new-key': 'kept',
          'node-labels': { a: '1', b: '2', c: '3' },
          'node-taints': { gpu: ['yes:NoSchedule', ':NoExecute'], 'karpenter.sh/unregistered': [':NoExecute'] },
          'eviction-hard': { 'memory.available': '12%' },
        },
        ntp: { 'time-servers': ['169.254.169.123'] },
        'bootstrap-commands': {
          mine: { commands: [['apiclient', 'set', 'motd=hello']], mode: 'once', essential: false },
        },
      },
    })
  })
  test('A-UD-12: every kubelet setting in Bottlerocket’s words; only the first DNS address', () => {
    expect(
      settingsOf({ kubelet: { settings: { ...settings, clusterDNS: ['10.0.0.1', '10.0.0.2'] }, fields: {} } }),
    ).toMatchObject({
      settings: {
        kubernetes: {
          'cluster-dns-ip': '10.0.0.1',
          'system-reserved': { cpu: '1', memory: '1Gi' },
          'kube-reserved': { cpu: '2' },
          'eviction-hard': { 'memory.available': '5%', 'nodefs.available': '10%' },
          'eviction-soft': { 'memory.available': '8%' },
          'eviction-soft-grace-period': { 'memory.available': '1m30s' },
          'eviction-max-pod-grace-period': 30,
          'image-gc-high-threshold-percent': '80',
          'image-gc-low-threshold-percent': '70',
          'cpu-cfs-quota-enforced': false,
        },
      },
    })
    expect(problemOf('Bottlerocket', { ...base, userData: 'no toml' })).toContain('Cannot read userData as TOML')
  })
  test('A-UD-13: keys that are not known are kept, where the reference drops them (S-24)', () => {
    expect(settingsOf({ userData })).toMatchObject({ settings: { kubernetes: { 'brand-new-key': 'kept' } } })
  })
  test('A-UD-14: RAID0 by a bootstrap command, which names folders for releases that need it', () => {
    const commandOf = (version?: string) =>
      settingsOf({
        userData,
        instanceStorePolicy: 'RAID0',
        ...(version !== undefined && { bottlerocketVersion: version }),
      }) as {
        settings: {
          'bootstrap-commands': Record<
            string,
            { commands: ReadonlyArray<ReadonlyArray<string>>; mode: string; essential: boolean }
          >
        }
      }
    const { settings: made } = commandOf('v1.46.0')
    expect(Object.keys(made['bootstrap-commands']).sort()).toEqual(['000-mount-instance-storage', 'mine'])
    expect(made['bootstrap-commands']['000-mount-instance-storage']).toEqual({
      commands: [
        ['apiclient', 'ephemeral-storage', 'init'],
        ['apiclient', 'ephemeral-storage', 'bind'],
      ],
      mode: 'always',
      essential: true,
    })
    const binds = (version?: string) =>
      commandOf(version).settings['bootstrap-commands']['000-mount-instance-storage']?.commands[1]?.length
    expect(['latest', 'v1.46.0', '1.50.1', 'v2.0.0', 'v1.45.9', 'odd', undefined].map(binds)).toEqual([
      3, 3, 3, 3, 7, 7, 7,
    ])
  })
  test('A-UD-15: the release is told by alias, name, image of an id, any image', () => {
    const images = [
      { id: 'ami-1', name: 'bottlerocket-aws-k8s-1.33-x86_64-v1.44.0-431fe75a' },
      { id: 'ami-2', name: 'bottlerocket-aws-k8s-1.33-arm64-v1.45.0-431fe75a' },
      { id: 'ami-3', name: 'other-v9.9.9' },
    ]
    const of = (...amiSelectorTerms: ReadonlyArray<object>) => bottlerocketVersion({ amiSelectorTerms }, images)
    expect(of({ alias: 'bottlerocket@latest' })).toBe('latest')
    expect(of({ id: 'ami-2' }, { name: 'bottlerocket-aws-k8s-1.33-x86_64-v1.43.0-1' })).toBe('v1.43.0')
    expect(of({ name: 'bottlerocket-*' }, { id: 'ami-2' })).toBe('v1.45.0')
    expect(of({ id: 'ami-3' })).toBe('v1.44.0')
    expect(bottlerocketVersion({ amiSelectorTerms: [{ id: 'ami-3' }] }, [])).toBeUndefined()
  })
})

describe('Windows and Custom', () => {
  test('A-UD-16: PowerShell: the user’s lines, then the image’s script', () => {
    const joins = String.raw`[string]$EKSBootstrapScriptFile = "$env:ProgramFiles\Amazon\EKS\Start-EKSBootstrap.ps1"
& $EKSBootstrapScriptFile -EKSClusterName 'demo' -APIServerEndpoint 'https://demo.eks' -Base64ClusterCA 'Y2E=' -KubeletExtraArgs '--node-labels="a=1,b=2" --register-with-taints="karpenter.sh/unregistered:NoExecute" --max-pods=29' -DNSClusterIP '10.100.0.10'
</powershell>`
    for (const family of ['Windows2019', 'Windows2022', 'Windows2025'] as const)
      expect(textOf(family, { userData: 'Write-Host "hello"' })).toBe(`<powershell>\nWrite-Host "hello"\n${joins}`)
    expect(textOf('Windows2022')).toBe(`<powershell>\n${joins}`)
  })
  test('A-UD-17: Custom: as it is', () => {
    expect([textOf('Custom', { userData: 'anything\r\n' }), textOf('Custom')]).toEqual(['anything\r\n', ''])
  })
})
