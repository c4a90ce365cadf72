import type { CreateFleetCommandInput } from '@aws-sdk/client-ec2'
import { describe, expect, jest, test } from '@jest/globals'
import { applyDeployment, kinds, runningPods } from '@scantling/simulation'
import { typeInfo } from './fake-aws/world.ts'
import { applyAwsDefaults, startVirtualAws } from './virtual-controller.ts'

jest.setTimeout(300_000)

const minuteMs = 60_000
// All ninety minutes take a minute of a machine; a part of them shows the same.
const stormMinutes = process.env['SCANTLING_EVERY_EFFECT'] === '1' ? 90 : 24
const attemptsAllowed = 20 * Math.min(1, stormMinutes / 60)
const waitingPods = 8
const burstPods = 12

const sizes = { large: 2, xlarge: 4, '2xlarge': 8 }
const memoryPerCpu = { c5: 2, m5: 4, r5: 8, c6i: 2, m6i: 4, r6i: 8, x2i: 16, x3i: 16 }
const types = [
  // The price list has a part for bare metal, which must not be empty.
  typeInfo('m5.metal', 96, 384),
  ...Object.entries(memoryPerCpu).flatMap(([family, memory]) =>
    Object.entries(sizes).map(([size, cpu]) => typeInfo(`${family}.${size}`, cpu, cpu * memory)),
  ),
]
const prices = new Map(
  types.map(({ InstanceType = '', VCpuInfo, MemoryInfo }) => [
    String(InstanceType),
    (VCpuInfo?.DefaultVCpus ?? 0) * 0.03 + ((MemoryInfo?.SizeInMiB ?? 0) / 1024) * 0.004,
  ]),
)
/** Uniform in [0, 1), the same in every run. */
const seeded = (seed: number) => () => {
  seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
  return seed / 2 ** 31
}
const most = (counts: ReadonlyArray<number>) => Math.max(0, ...counts)
/** How many of the moments lie in any window of this length, at most. */
const densest = (moments: ReadonlyArray<number>, windowMs: number): number =>
  most(moments.map((from) => moments.filter((at) => at >= from && at < from + windowMs).length))

const wishing = (operator: 'In' | 'NotIn') => [
  { key: 'karpenter.k8s.aws/instance-category', operator, values: ['x'] },
  { key: 'karpenter.sh/capacity-type', operator: 'In', values: ['spot', 'on-demand'] },
]

/**
 * Nine of ten offerings of one NodePool are sold out, and all of another. Pods come and go in the first; a few wait in the
 * second all along.
 */
const storm = async () => {
  const cluster = await startVirtualAws({ world: { types, prices } })
  const { aws, clock } = cluster
  for (const subnet of aws.world.subnets) subnet.AvailableIpAddressCount = 5000
  const random = seeded(42)
  for (const { InstanceType } of types)
    for (const { name: zone } of aws.world.zones)
      for (const capacityType of ['spot', 'on-demand'])
        if (/^x|metal/.test(String(InstanceType)) || random() < 0.9)
          aws.world.soldOut.add(`${capacityType}:${String(InstanceType)}:${zone}`)

  const fleets: Array<{ readonly atMs: number; readonly nodePool: string; readonly capacityType: string }> = []
  aws.board.hook = (moment, action) => {
    const input = aws.board.calls.at(-1)?.input as CreateFleetCommandInput
    if (moment !== 'before' || action !== 'ec2:CreateFleet' || input.DryRun === true) return
    fleets.push({
      atMs: clock.nowMs(),
      nodePool: input.TagSpecifications?.[0]?.Tags?.find(({ Key }) => Key === 'karpenter.sh/nodepool')?.Value ?? '',
      capacityType: input.TargetCapacitySpecification?.DefaultTargetCapacityType ?? '',
    })
  }
  const run = await cluster.startController()
  const startedMs = clock.nowMs()
  await applyAwsDefaults(cluster, { general: wishing('NotIn'), scarce: wishing('In') })
  const in_ = (nodePool: string) => ({ nodeSelector: { 'karpenter.sh/nodepool': nodePool } })
  await applyDeployment(cluster, 'rare', waitingPods, '1', in_('scarce'))
  for (let minute = 0; minute < stormMinutes; minute += 1) {
    // Bursts of pods that fill a machine each, and leave it before the next burst.
    if (minute % 6 === 0) await applyDeployment(cluster, `burst-${minute}`, burstPods, '7', in_('general'))
    if (minute % 6 === 2)
      await cluster.face.delete({ ...kinds.deployments, namespace: 'default', name: `burst-${minute - 2}` })
    await clock.advance(minuteMs)
  }
  const claims = () => run.effects.filter(({ name }) => name === 'create NodeClaim').length
  const offerings = aws.world.soldOut.size
  const duringStorm = { claims: claims(), launched: aws.world.instances.length, fleets: [...fleets] }
  const refusals = [...aws.refusals]
  aws.world.soldOut.clear()
  const healedMs = clock.nowMs()
  await cluster.until('all pods run', async () => (await runningPods(cluster)) >= waitingPods, 10 * minuteMs)
  const recoveredAfterMs = clock.nowMs() - healedMs
  const total = { claims: claims(), launched: aws.world.instances.length }
  await cluster.stop()
  return { startedMs, offerings, duringStorm, refusals, recoveredAfterMs, total }
}

describe('an hour and a half, or a part of it, with nine of ten offerings sold out', () => {
  test('few attempts per offering, few fleets, hardly more claims than machines, and full rate soon after', async () => {
    const { startedMs, offerings, duringStorm, refusals, recoveredAfterMs, total } = await storm()
    const byOffering = Map.groupBy(refusals, ({ offering }) => offering)
    const attempts = most(
      [...byOffering.values()].map((all) =>
        densest(
          all.map(({ atMs }) => atMs),
          60 * minuteMs,
        ),
      ),
    )
    const scarce = duringStorm.fleets.filter(({ nodePool }) => nodePool === 'scarce')
    // That nothing is left is known once each type was asked for, as spot and on demand: not in the first minutes.
    const later = scarce.filter(({ atMs }) => atMs > startedMs + 5 * minuteMs).map(({ atMs }) => atMs)
    process.stdout.write(
      `Launch storm: ${offerings} offerings sold out for ${stormMinutes} min; at most ${attempts} refused attempts per offering in any hour of them; ` +
        `${scarce.length} fleets of the NodePool without any capacity, at most ${densest(later, 30_000)} in 30 s; ` +
        `${total.claims} NodeClaims for ${total.launched} machines; all pods run ${recoveredAfterMs / 1000} s after the end\n`,
    )
    expect(byOffering.size).toBeGreaterThan(offerings / 4)
    expect(attempts).toBeLessThanOrEqual(attemptsAllowed)
    expect(scarce.length).toBeGreaterThan(stormMinutes / 3)
    expect(densest(later, 30_000)).toBe(1)
    expect(duringStorm.launched).toBeGreaterThan(stormMinutes)
    expect(total.claims).toBeLessThanOrEqual(2 * total.launched)
    expect(recoveredAfterMs).toBeLessThanOrEqual(4 * minuteMs)
  })
})
