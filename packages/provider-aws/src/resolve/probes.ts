import type { RunInstancesCommandInput } from '@aws-sdk/client-ec2'
import {
  Requirements,
  type Call,
  type InstanceType,
  type NodeClaimFacts,
  type ProviderError,
  type ResolveInput,
} from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { isDryRunSuccess } from '../error-codes.ts'
import type { PlacementGroup } from '../instance-types/index.ts'
import {
  fleetInput,
  overridesOf,
  type LaunchTemplates,
  type MachineTemplate,
  type MachineTemplates,
} from '../launch/index.ts'
import type { Ec2NodeClass, ResolvedSubnet } from '../node-class/index.ts'
import type { AwsError, Ec2Port } from '../sdk/index.ts'
import { launchTags, tagList } from '../tags.ts'
import {
  probeOf,
  validationKey,
  verdictOfProbe,
  verdictTtlMs,
  verdictWithoutObjection,
  type Probe,
  type Verdict,
} from '../validation/index.ts'

const rememberedVerdicts = 1000

export interface ProbesDeps {
  readonly ec2: Pick<Ec2Port, 'createFleet' | 'runInstances'>
  readonly templates: Pick<LaunchTemplates, 'ensure'>
  readonly machines: MachineTemplates
  readonly nowMs: () => number
}

interface Subject {
  /** With the status that this pass came to. */
  readonly nodeClass: Ec2NodeClass
  readonly nodePools: ResolveInput<Ec2NodeClass>['nodePools']
  /** Asked for when a probe is due, and not on every pass. */
  readonly types: () => E.Either<ProviderError, ReadonlyArray<InstanceType>>
  readonly group?: PlacementGroup
}

/**
 * Tries by dry runs whether machines of a NodeClass may be launched: one template for real, then a fleet, then a machine
 * in some subnet (A-VAL-07, A-VAL-08). Verdicts that last are remembered for half an hour (A-VAL-04).
 */
export const probes = (
  deps: ProbesDeps,
): {
  readonly verdictOf: (subject: Subject, call: Call) => Promise<Verdict>
  readonly forget: (name: string) => void
} => {
  const { ec2, templates, machines, nowMs } = deps
  const known = new Map<string, { readonly key: string; readonly verdict: Verdict; readonly untilMs: number }>()

  const attempt = async (
    { nodeClass, group }: Subject,
    { type, tenancy }: Probe,
    tags: Readonly<Record<string, string>>,
    call: Call,
  ): Promise<Verdict> => {
    const plan = { capacityType: 'on-demand', tenancy, isPriceOverlaid: false } as const
    const written = await machines.write(
      { nodeClass, claim: nobody, requests: {}, plan, types: [type], tags, ...(group !== undefined && { group }) },
      call,
    )()
    if (E.isLeft(written)) {
      const { error } = written.left
      return {
        condition: { status: 'False', reason: 'LaunchTemplateInvalid', message: error.message },
        isLasting: false,
        failure: error,
      }
    }
    const [machine] = written.right
    if (machine === undefined) return verdictWithoutObjection
    const ensured = await templates.ensure(machine.template, call.signal)()
    const afterTemplate = verdictOfProbe('CreateLaunchTemplate', ensured, nodeClass)
    if (afterTemplate !== undefined) return afterTemplate
    const fleet = await ec2.createFleet(fleetProbe(nodeClass, machine, type, plan, tags), call.signal)()
    const afterFleet = verdictOfProbe('CreateFleet', fleet, nodeClass)
    if (afterFleet !== undefined) return afterFleet
    return (await tryMachines(nodeClass, machine, type, tags, call)) ?? verdictWithoutObjection
  }

  /** One subnet in which a machine may be started is enough; otherwise the first one's error tells. */
  const tryMachines = async (
    nodeClass: Ec2NodeClass,
    machine: MachineTemplate,
    { name }: InstanceType,
    tags: Readonly<Record<string, string>>,
    { signal }: Call,
  ): Promise<Verdict | undefined> => {
    let first: E.Either<AwsError, unknown> | undefined
    for (const { id } of nodeClass.status.subnets) {
      const tried = await ec2.runInstances(machineProbe(machine, name, id, tags), signal)()
      if (E.isRight(tried) || isDryRunSuccess(tried.left)) return undefined
      first ??= tried
    }
    return first === undefined ? undefined : verdictOfProbe('RunInstances', first, nodeClass)
  }

  return {
    verdictOf: async (subject, call) => {
      const { nodeClass, types, nodePools } = subject
      const tags = launchTags(nodeClass, call.cluster, '')
      if (E.isLeft(tags)) return verdictWithoutObjection
      const { name } = nodeClass.metadata
      const key = validationKey(nodeClass, tags.right)
      const present = known.get(name)
      if (present?.key === key && present.untilMs > nowMs()) return present.verdict
      const all = types()
      if (E.isLeft(all)) return { condition: 'unchanged', isLasting: false, failure: all.left }
      const probe = probeOf(nodeClass, all.right, nodePools)
      if (E.isLeft(probe)) return probe.left
      const verdict = await attempt(subject, probe.right, tags.right, call)
      if (verdict.isLasting) known.set(name, { key, verdict, untilMs: nowMs() + verdictTtlMs })
      for (const oldest of known.keys()) {
        if (known.size <= rememberedVerdicts) break
        known.delete(oldest)
      }
      return verdict
    },
    forget: (name) => void known.delete(name),
  }
}

const nobody: Pick<NodeClaimFacts, 'labels' | 'requirements' | 'taints' | 'startupTaints'> = {
  labels: {},
  requirements: Requirements.empty,
  taints: [],
  startupTaints: [],
}

const fleetProbe = (
  { status }: Ec2NodeClass,
  { template, imageId }: MachineTemplate,
  type: InstanceType,
  plan: Parameters<typeof fleetInput>[0]['plan'],
  tags: Readonly<Record<string, string>>,
) => {
  const overrides = status.subnets.flatMap((subnet: ResolvedSubnet) => {
    const [one] = overridesOf([type], new Map([[subnet.zone, subnet]]), imageId)
    return one === undefined ? [] : [one]
  })
  return {
    ...fleetInput({ configs: [{ templateName: template.name, overrides }], plan, tags }),
    DryRun: true,
  }
}

const machineProbe = (
  { template }: MachineTemplate,
  type: string,
  subnetId: string,
  tags: Readonly<Record<string, string>>,
): RunInstancesCommandInput => {
  // A template that names interfaces takes its subnet through the first of them.
  const [primary] = template.data.NetworkInterfaces ?? []
  const list = tagList(tags)
  return {
    DryRun: true,
    MinCount: 1,
    MaxCount: 1,
    LaunchTemplate: { LaunchTemplateName: template.name, Version: '$Latest' },
    InstanceType: type as 'm5.large',
    NetworkInterfaces: [
      {
        DeviceIndex: primary?.DeviceIndex ?? 0,
        SubnetId: subnetId,
        ...(primary?.Groups && { Groups: primary.Groups }),
      },
    ],
    TagSpecifications: (['instance', 'volume', 'network-interface'] as const).map((ResourceType) => ({
      ResourceType,
      Tags: list,
    })),
  }
}
