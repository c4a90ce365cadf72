import type { BootedMachine, BootedNode } from '@scantling/simulation/testing'
import { parse } from 'yaml'
import { findText, textOf, type Element, type Emulator } from './emulator/index.ts'

interface NodeConfig {
  readonly spec: {
    readonly kubelet: {
      readonly config: {
        readonly maxPods?: number
        readonly registerWithTaints?: BootedNode['taints']
      }
      readonly flags?: ReadonlyArray<string>
    }
  }
}

/** What a machine of AL2023 does with its user data: reads its NodeConfig, which is the last part. */
const nodeConfigOf = (userData: string): NodeConfig => {
  const [, boundary = ''] = /boundary="([^"]+)"/.exec(userData) ?? []
  const parts = userData
    .split(`\n--${boundary}`)
    .filter((part) => /^\nContent-Type: application\/node.eks.aws/.test(part))
  const last = parts.at(-1) ?? ''
  return parse(last.slice(last.indexOf('\n\n'))) as NodeConfig
}

const labelsOf = ({ spec: { kubelet } }: NodeConfig): Readonly<Record<string, string>> => {
  const flag = kubelet.flags?.find((each) => each.startsWith('--node-labels=')) ?? ''
  const pairs = flag.slice('--node-labels='.length).replaceAll('"', '').split(',')
  return Object.fromEntries(
    pairs.filter((pair) => pair.includes('=')).map((pair) => pair.split('=') as [string, string]),
  )
}

const nodeOf = (aws: Emulator, instance: Element): BootedNode => {
  const id = textOf(instance, 'instanceId')
  const instanceType = textOf(instance, 'instanceType')
  const zone = textOf(instance, 'placement', 'availabilityZone')
  const config = nodeConfigOf(aws.userDataOf(id))
  const shape = aws.backend.types.get(instanceType)
  return {
    name: textOf(instance, 'privateDnsName'),
    providerId: `aws:///${zone}/${id}`,
    instanceType,
    region: aws.region,
    zone,
    architecture: findText(instance, 'architecture') === 'arm64' ? 'arm64' : 'amd64',
    labels: labelsOf(config),
    taints: config.spec.kubelet.config.registerWithTaints ?? [],
    capacity: {
      cpu: String(shape?.vcpus ?? 1),
      memory: `${Math.floor((shape?.memoryMiB ?? 1024) * 0.93)}Mi`,
      'ephemeral-storage': '20Gi',
      pods: String(config.spec.kubelet.config.maxPods ?? 110),
    },
    kubeletVersion: 'v1.34.2-eks-1',
  }
}

/** The emulator's machines that run, with what their user data makes of them. */
export const bootedMachines = async (aws: Emulator): Promise<ReadonlyArray<BootedMachine>> =>
  (await aws.instances()).flatMap((instance) => {
    const id = textOf(instance, 'instanceId')
    const isBooted = textOf(instance, 'instanceState', 'name') === 'running' && aws.userDataOf(id) !== ''
    return isBooted ? [{ id, node: () => nodeOf(aws, instance) }] : []
  })
