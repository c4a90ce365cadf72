import { recordRegistration, type RegistrationHealth } from '@scantling/core'

/** How registrations went, by the UID of the NodePool. Lost in a restart, and then restored from the condition. */
export interface RegistrationCell {
  readonly of: (pool: string) => PoolRegistrations
  readonly joined: (pool: string) => void
  readonly failed: (pool: string, failure: RegistrationFailure) => void
  /** Puts what is known of a pool in place of what was. */
  readonly reset: (pool: string, health: RegistrationHealth) => void
}

export interface PoolRegistrations {
  readonly health: RegistrationHealth
  /** Why the last node did not join. */
  readonly failure?: RegistrationFailure
}

export interface RegistrationFailure {
  readonly reason: string
  readonly message: string
}

export const makeRegistrationCell = (): RegistrationCell => {
  const pools = new Map<string, PoolRegistrations>()
  const of = (pool: string): PoolRegistrations => pools.get(pool) ?? { health: [] }
  return {
    of,
    joined: (pool) => void pools.set(pool, { ...of(pool), health: recordRegistration(of(pool).health, true) }),
    failed: (pool, failure) => void pools.set(pool, { health: recordRegistration(of(pool).health, false), failure }),
    reset: (pool, health) => void (health.length === 0 ? pools.delete(pool) : pools.set(pool, { health })),
  }
}
