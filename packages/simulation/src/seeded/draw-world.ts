import { seededRandom } from '@scantling/controller'

/** What a simulation is drawn to be: everything follows from the seed. */
export interface DrawnWorld {
  readonly seed: number
  readonly deployments: ReadonlyArray<{
    readonly name: string
    readonly replicas: number
    readonly cpu: string
    /** A PodDisruptionBudget over it: as its `maxUnavailable` or `minAvailable`. */
    readonly budget?: Readonly<Record<string, string | number>>
  }>
  readonly pool: {
    readonly consolidationPolicy: 'WhenEmpty' | 'WhenEmptyOrUnderutilized'
    readonly consolidateAfter: string
    readonly budget: string
    readonly capacityTypes: ReadonlyArray<string>
    readonly expireAfter: string
    readonly cpuLimit?: string
  }
  readonly launchMs: number
  /** From a booted machine to a registered node. */
  readonly registrationMs: readonly [least: number, most: number]
  readonly faultMinutes: number
  /** Shares of calls, 0 to 1. */
  readonly failBefore: number
  readonly failAfter: number
  /** Share of machines that never register. */
  readonly neverRegister: number
  /** Mean minutes between happenings of each kind while there are faults. */
  readonly every: {
    readonly scale: number
    readonly interruption: number
    readonly shortage: number
    readonly throttling: number
    readonly kill: number
  }
}

/** Draws a world. Equal seeds give equal worlds. */
export const drawWorld = (seed: number): DrawnWorld => {
  const random = seededRandom(seed * 7919 + 17)
  // The first numbers of neighbouring seeds are alike.
  for (let skipped = 0; skipped < 8; skipped++) random()
  const between = (least: number, most: number) => least + Math.floor(random() * (most - least + 1))
  const oneOf = <A>(...choices: readonly [A, ...ReadonlyArray<A>]): A =>
    choices[Math.floor(random() * choices.length)] ?? choices[0]
  const registration = oneOf(8_000, 30_000, 120_000)
  const budget = () =>
    random() < 0.5 ? {} : { budget: oneOf({ maxUnavailable: 1 }, { maxUnavailable: '25%' }, { minAvailable: '60%' }) }
  return {
    seed,
    deployments: Array.from({ length: between(2, 5) }, (_, index) => ({
      name: `app-${index + 1}`,
      replicas: between(2, 16),
      cpu: oneOf('500m', '1', '2', '3500m'),
      ...budget(),
    })),
    pool: {
      consolidationPolicy: oneOf('WhenEmptyOrUnderutilized', 'WhenEmptyOrUnderutilized', 'WhenEmpty'),
      consolidateAfter: oneOf('0s', '30s', '2m'),
      budget: oneOf('10%', '1', '50%', '100%'),
      capacityTypes: oneOf(['on-demand'], ['spot', 'on-demand'], ['spot', 'on-demand']),
      expireAfter: oneOf('Never', 'Never', '1h'),
      ...(random() < 0.3 ? { cpuLimit: String(between(3, 10) * 16) } : {}),
    },
    launchMs: oneOf(0, 1000, 5000),
    registrationMs: [registration / 2, registration],
    faultMinutes: between(20, 60),
    failBefore: oneOf(0, 0.02, 0.1),
    failAfter: oneOf(0, 0.02, 0.05),
    neverRegister: oneOf(0, 0, 0.15),
    every: {
      scale: between(3, 10),
      interruption: between(4, 20),
      shortage: between(10, 30),
      throttling: between(10, 30),
      kill: between(8, 30),
    },
  }
}
