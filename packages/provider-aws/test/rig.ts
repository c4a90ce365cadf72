import { Requirements, Resources, type Call, type NodeClaimFacts } from '@scantling/core'
import { nodeClaimFacts } from '@scantling/core/testing'
import type { VirtualClock } from '@scantling/provider-kit'
import { providerRig, recordingHost, rightOf } from '@scantling/simulation/testing'
import { awsLabelPolicy } from '../src/labels/index.ts'
import { createFrom } from '../src/provider.ts'
import { awsSettings, type AwsSettings } from '../src/settings.ts'
import { fakeAws, type FakeAws, type World } from './fake-aws/index.ts'
import { nodeClass } from './subjects.ts'

export const defaultSettings: AwsSettings = Object.fromEntries(
  Object.entries(awsSettings.fields).map(([name, field]) => [name, field.default]),
) as unknown as AwsSettings

export const callFor = (name = 'demo'): Call => ({
  signal: new AbortController().signal,
  cluster: {
    name,
    endpoint: 'https://demo.example.com',
    caBundle: 'Y2E=',
    kubernetesVersion: '1.34.2-eks-1',
    dnsServiceIp: '10.100.0.10',
    objects: {},
  },
})

/** A claim for a small machine on demand. */
export const claimFor = (name: string, changes: Partial<NodeClaimFacts> = {}): NodeClaimFacts =>
  nodeClaimFacts(name, {
    labels: { 'karpenter.sh/nodepool': 'default' },
    requirements: Requirements.fromSpecs([
      { key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand'] },
      { key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] },
    ]),
    requests: Resources.parse({ cpu: '1', memory: '1Gi', pods: '1' }),
    ...changes,
  })

/** The provider over a small AWS, its catalogue read. */
export const rig = async (
  options: {
    readonly world?: Partial<World>
    readonly settings?: Partial<AwsSettings>
    readonly gates?: Readonly<Record<string, boolean>>
    readonly call?: Call
    readonly spec?: Readonly<Record<string, unknown>>
    readonly aws?: FakeAws
    readonly clock?: VirtualClock
  } = {},
) => {
  const { gates, clock } = options
  const recording = recordingHost({ gates, clock })
  const { host, run } = recording
  const aws = options.aws ?? fakeAws(options.world, recording.clock.nowMs)
  const call = options.call ?? callFor()
  const made = await run(createFrom(aws.ports, { ...defaultSettings, ...options.settings }, host, call))
  const driven = await providerRig({
    run,
    provider: rightOf(made),
    labels: awsLabelPolicy,
    call,
    nodeClass: nodeClass({ role: 'node-role', ...options.spec }),
    nodePools: [{ name: 'default', labels: {}, requirements: Requirements.empty }],
  })
  return { ...recording, ...driven, aws }
}
