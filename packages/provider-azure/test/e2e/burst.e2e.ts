import { afterEach, describe, expect, test } from '@jest/globals'
import { systemClock } from '@scantling/provider-kit'
import { rightOf } from '@scantling/simulation/testing'
import type { ProvisionMode } from '../../src/settings.ts'
import { startAzureOverHttps, type AzureOverHttps } from '../azure-over-https.ts'
import { agentPool, subscription } from '../emulator/index.ts'

const namesOf = (count: number) =>
  Array.from({ length: count }, (_, index) => `burst-a${String(index).padStart(4, '0')}`)
let azure: AzureOverHttps | undefined
afterEach(async () => {
  await azure?.emulator.close()
  azure = undefined
}, 30_000)

const ways: ReadonlyArray<{
  readonly mode: ProvisionMode
  readonly count: number
  readonly puts: string
  readonly mostPuts: number
}> = [
  // Three requests each, over TLS to a server in this very process: a thousand would take minutes of it.
  { mode: 'aksscriptless', count: 150, puts: 'PUT Microsoft.Compute/virtualMachines/write', mostPuts: 150 },
  {
    mode: 'aksmachineapiheaderbatch',
    count: 1000,
    puts: 'PUT Microsoft.ContainerService/managedClusters/agentPools/machines/write',
    // Fifty fit into one request; the windows are a second long.
    mostPuts: 100,
  },
]

describe('many machines at once', () => {
  test.each(ways)(
    '$mode: $count are made and followed to the end without a read for each poll of each',
    async ({ mode, count, puts, mostPuts }) => {
      const over = await startAzureOverHttps(
        {
          operationMs: mode === 'aksscriptless' ? 2_000 : 10_000,
          pageSize: 1000,
          quotas: { cores: 1e6, families: { standardDSv5Family: 1e6 } },
        },
        {
          provisionMode: mode,
          ...(mode !== 'aksscriptless' && {
            useSig: true,
            sigSubscriptionId: subscription,
            aksMachinesPoolName: agentPool,
          }),
        },
      )
      azure = over
      const { provider, call, nodeClass, emulator } = over
      if (provider.get === undefined || provider.converge === undefined) throw new Error('The provider lacks members')
      const { get, converge } = provider
      const before = emulator.tally()
      const startedMs = systemClock.nowMs()
      let polls = 0
      /** As the shell does: launch, then look and converge until nothing is pending. */
      const bringUp = async (name: string) => {
        const claim = over.claim(name)
        const request = {
          token: claim.uid,
          claim,
          nodeClass,
          candidates: over.candidatesOf('Standard_D2s_v5'),
          minValues: 'strict' as const,
        }
        const { instance } = rightOf(await provider.launch(request, call)())
        const target = { providerId: instance.providerId, claim: { ...claim, annotations: instance.annotations ?? {} } }
        for (;;) {
          const seen = rightOf(await get(target, call)())
          const verdict = rightOf(await converge({ claim: target.claim, nodeClass, instance: seen }, call)())
          if (verdict._tag === 'Converged') return target
          if (verdict._tag === 'Failed') throw new Error(verdict.failure.error.message)
          polls += 1
          await systemClock.sleep(verdict.retryAfterMs)
        }
      }
      const targets = await Promise.all(namesOf(count).map(bringUp))
      const upMs = systemClock.nowMs() - startedMs
      const up = since(before, emulator.tally())
      report(`${mode}: ${count} machines in ${Math.round(upMs / 1000)} s, ${polls} polls`, up)
      expect(new Set(targets.map(({ providerId }) => providerId)).size).toBe(count)
      expect(up[puts]).toBeLessThanOrEqual(mostPuts)
      // A read for each poll would be thousands.
      expect(polls).toBeGreaterThanOrEqual(count)
      const reads = Object.entries(up).filter(([call]) => /^GET .*(virtualMachines|machines)\/read$/.test(call))
      expect(reads.reduce((sum, [, times]) => sum + times, 0)).toBeLessThan(polls / 4)

      // VMs end one by one, as they were made: a thousand calls that would prove nothing more.
      if (mode === 'aksscriptless') return
      const middle = emulator.tally()
      await Promise.all(
        targets.map(async (target) => {
          while (rightOf(await provider.terminate(target, call)()) !== 'Gone') await systemClock.sleep(5_000)
        }),
      )
      report(`${mode}: ended`, since(middle, emulator.tally()))
      expect(
        emulator.world.all().filter(({ type }) => /\/(virtualMachines|machines|networkInterfaces|disks)$/.test(type)),
      ).toEqual([])
    },
    280_000,
  )
})

const since = (before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>) =>
  Object.fromEntries(
    Object.entries(after).flatMap(([call, times]) => {
      const took = times - (before[call] ?? 0)
      return took > 0 ? [[call, took] as const] : []
    }),
  )

const report = (what: string, calls: Readonly<Record<string, number>>): void => {
  const list = Object.entries(calls).map(([call, times]) => `${call.replace('Microsoft.', '')} ${times}`)
  process.stdout.write(`calls of "${what}": ${list.join(', ')}\n`)
}
