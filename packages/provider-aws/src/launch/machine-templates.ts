import {
  Quantity,
  Resources,
  type Call,
  type InstanceType,
  type LaunchFailure,
  type NodeClaimFacts,
  type ProviderError,
} from '@scantling/core'
import { fingerprint } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { familyTraits } from '../image/index.ts'
import type { PlacementGroup, TypeKubelet } from '../instance-types/index.ts'
import { awsLabelKeys, awsResources } from '../labels/index.ts'
import { familyOf, type Ec2NodeClass } from '../node-class/index.ts'
import { labelOf } from './filters.ts'
import { wantedTemplate, type WantedTemplate } from './launch-templates.ts'
import type { LaunchPlan } from './plan.ts'
import { templateData, type TemplateInput } from './template-data.ts'

/** What user data is written from. */
export interface UserDataWish {
  readonly nodeClass: Ec2NodeClass
  readonly claim: Pick<NodeClaimFacts, 'labels' | 'taints' | 'startupTaints'>
  readonly capacityType: LaunchPlan['capacityType']
  readonly kubelet: TypeKubelet
  readonly call: Call
  /** Services' addresses; known where the image family asks for them. */
  readonly clusterCidr?: string
}

export interface TemplateWish extends Pick<UserDataWish, 'nodeClass' | 'claim'> {
  readonly requests: NodeClaimFacts['requests']
  readonly plan: Pick<LaunchPlan, 'capacityType' | 'tenancy' | 'reservation' | 'partition'>
  readonly types: ReadonlyArray<InstanceType>
  readonly tags: Readonly<Record<string, string>>
  readonly group?: PlacementGroup
}

/** A template, and the types that can be started from it, with the offerings that it may use. */
export interface MachineTemplate {
  readonly template: WantedTemplate
  readonly imageId: string
  readonly types: ReadonlyArray<InstanceType>
  readonly userDataBytes: number
}

/** Writes launch templates: one for each way in which the types of a launch have to differ (A-LT-02). */
export interface MachineTemplates {
  readonly write: (wish: TemplateWish, call: Call) => TaskEither<LaunchFailure, ReadonlyArray<MachineTemplate>>
}

export interface MachineTemplatesDeps {
  readonly region: string
  readonly controlsReservations: boolean
  readonly kubeletOf: (nodeClass: Ec2NodeClass, type: string) => E.Either<string, TypeKubelet>
  /** Base64. Errors: a sentence, where the user's own part cannot be merged. */
  readonly userDataOf: (wish: UserDataWish) => E.Either<string, string>
  /** Asked for families whose nodes must be told. */
  readonly clusterCidrOf: (call: Call) => TaskEither<ProviderError, string>
}

export const machineTemplates = (deps: MachineTemplatesDeps): MachineTemplates => {
  const writeOne = rememberedWriter(deps)
  const write = async (
    wish: TemplateWish,
    call: Call,
  ): Promise<E.Either<LaunchFailure, ReadonlyArray<MachineTemplate>>> => {
    const { nodeClass } = wish
    const { status, metadata, spec } = nodeClass
    const notReady = (message: string) =>
      E.left<LaunchFailure>({
        reason: 'NodeClassNotReady',
        error: { _tag: 'NodeClassNotReady', message: `EC2NodeClass ${metadata.name} ${message}` },
      })
    const { instanceProfile } = status
    if (status.securityGroups.length === 0) return notReady('has no security groups')
    if (status.amis.length === 0) return notReady('has no AMIs')
    if (instanceProfile === undefined || instanceProfile === '') return notReady('has no instance profile')
    let clusterCidr: string | undefined
    if (familyOf(spec) === 'AL2023') {
      const found = await deps.clusterCidrOf(call)()
      if (E.isLeft(found)) return notReady(`needs the cluster's service addresses: ${found.left.message}`)
      clusterCidr = found.right
    }
    const byName = new Map<string, MachineTemplate>()
    const groups = groupsOf(wish, deps)
    if (E.isLeft(groups)) return notReady(groups.left)
    if (groups.right.length === 0) return notReady('has no AMI for any of the types')
    for (const group of groups.right) {
      const written = writeOne(wish, group, call, clusterCidr)
      if (E.isLeft(written)) return notReady(`has user data that cannot be used: ${written.left}`)
      const { template, userDataBytes } = written.right
      const present = byName.get(template.name)
      byName.set(template.name, {
        template,
        imageId: group.imageId,
        types: [...(present?.types ?? []), ...group.types],
        userDataBytes,
      })
    }
    return E.right([...byName.values()])
  }
  return { write: (wish, call) => () => write(wish, call) }
}

type Written = E.Either<string, Pick<MachineTemplate, 'template' | 'userDataBytes'>>

const rememberedTemplates = 200

/**
 * Writes the template of a group, or gives the one that it wrote for the same wish: claims of a burst want the same, and
 * user data takes a millisecond to write.
 */
const rememberedWriter = (deps: MachineTemplatesDeps) => {
  const known = new WeakMap<Ec2NodeClass, Map<string, Written>>()
  return (wish: TemplateWish, group: Group, call: Call, clusterCidr: string | undefined): Written => {
    const { nodeClass, claim, plan, tags } = wish
    const input = inputOf(wish, deps, call)
    const { imageId, efaCount, kubelet, reservationId } = group
    const { objects: _, ...cluster } = call.cluster
    const key = JSON.stringify([
      [claim.labels, claim.taints, claim.startupTaints, plan, tags, cluster, clusterCidr],
      [imageId, efaCount, kubelet, reservationId, input.hasEnclave, input.placementGroup],
    ])
    const written = known.get(nodeClass) ?? new Map<string, Written>()
    known.set(nodeClass, written)
    const present = written.get(key)
    if (present !== undefined) return present
    const made = writeTemplate(deps, wish, group, call, clusterCidr, input)
    if (written.size >= rememberedTemplates) written.clear()
    written.set(key, made)
    return made
  }
}

type CommonInput = Omit<TemplateInput, 'imageId' | 'userData' | 'efaCount' | 'instanceProfile'>

const writeTemplate = (
  deps: MachineTemplatesDeps,
  wish: TemplateWish,
  { imageId, efaCount, kubelet, reservationId }: Group,
  call: Call,
  clusterCidr: string | undefined,
  input: CommonInput,
): Written =>
  pipe(
    deps.userDataOf({
      ...wish,
      capacityType: wish.plan.capacityType,
      kubelet,
      call,
      ...(clusterCidr !== undefined && { clusterCidr }),
    }),
    E.map((userData) => {
      const data = templateData({
        ...input,
        instanceProfile: wish.nodeClass.status.instanceProfile ?? '',
        imageId,
        userData,
        efaCount,
        ...(reservationId !== undefined &&
          wish.plan.reservation !== undefined && { reservation: { id: reservationId, ...wish.plan.reservation } }),
      })
      return { template: wantedTemplate(data, wish.tags), userDataBytes: Buffer.from(userData, 'base64').length }
    }),
  )

interface Group {
  readonly imageId: string
  readonly efaCount: number
  readonly kubelet: TypeKubelet
  readonly reservationId?: string
  readonly types: Array<InstanceType>
}

/** Types that can boot from the same template, each with the offerings of the group alone. */
const groupsOf = (
  { nodeClass, requests, types }: TemplateWish,
  { kubeletOf }: MachineTemplatesDeps,
): E.Either<string, ReadonlyArray<Group>> => {
  const wantsEfa =
    !Quantity.isZero(Resources.get(requests, awsResources.efa)) && (nodeClass.spec.networkInterfaces ?? []).length === 0
  const groups = new Map<string, Group>()
  for (const type of types) {
    const { imageId } = type
    if (imageId === undefined) continue
    const kubelet = kubeletOf(nodeClass, type.name)
    if (E.isLeft(kubelet)) return kubelet
    const efaCount = wantsEfa ? Quantity.toNumber(Resources.get(type.capacity, awsResources.efa)) : 0
    const byReservation = new Map<string, Array<InstanceType['offerings'][number]>>()
    for (const offering of type.offerings) {
      const id = labelOf(offering, awsLabelKeys.reservationId) ?? ''
      byReservation.set(id, [...(byReservation.get(id) ?? []), offering])
    }
    for (const [reservationId, offerings] of byReservation) {
      const { pods, kubeReserved, systemReserved } = kubelet.right
      const key = fingerprint([imageId, efaCount, pods, kubeReserved, systemReserved, reservationId])
      const group = groups.get(key) ?? {
        imageId,
        efaCount,
        kubelet: kubelet.right,
        ...(reservationId !== '' && { reservationId }),
        types: [],
      }
      group.types.push(offerings.length === type.offerings.length ? type : { ...type, offerings })
      groups.set(key, group)
    }
  }
  return E.right([...groups.values()])
}

const inputOf = (
  { nodeClass, plan, requests, tags, group }: TemplateWish,
  { region, controlsReservations }: MachineTemplatesDeps,
  { cluster }: Call,
): CommonInput => ({
  nodeClass,
  region,
  securityGroupIds: nodeClass.status.securityGroups.map(({ id }) => id),
  blockDevices: nodeClass.spec.blockDeviceMappings ?? familyTraits[familyOf(nodeClass.spec)].blockDevices,
  capacityType: plan.capacityType,
  tenancy: plan.tenancy,
  hasEnclave: !Quantity.isZero(Resources.get(requests, awsResources.nitroSandbox)),
  isIpv6: cluster.dnsServiceIp?.includes(':') === true,
  controlsReservations,
  ...(group !== undefined && {
    placementGroup: {
      id: group.id,
      ...(group.strategy === 'partition' && plan.partition !== undefined && { partition: plan.partition }),
    },
  }),
  tags,
})
