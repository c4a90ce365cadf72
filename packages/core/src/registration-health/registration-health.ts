import type { Condition, ConditionChange } from '../cluster/index.ts'

/** How the last registrations of a NodePool went, oldest first; at most {@link remembered}. True: a node joined. */
export type RegistrationHealth = ReadonlyArray<boolean>

export const remembered = 4
const failuresThatCount = 2

/**
 * With one more outcome (P-AUX-02, NP-REGH-01).
 *
 * @example
 * recordRegistration([true, true, true, true], false) // => [true, true, true, false]
 */
export const recordRegistration = (health: RegistrationHealth, hasJoined: boolean): RegistrationHealth =>
  [...health, hasJoined].slice(-remembered)

/**
 * Unhealthy where half of what is remembered failed; unknown where nothing is (P-AUX-02).
 *
 * @example
 * registrationVerdict([true, false, false]) // => 'Unhealthy'
 * registrationVerdict([]) // => 'Unknown'
 */
export const registrationVerdict = (health: RegistrationHealth): 'Unknown' | 'Healthy' | 'Unhealthy' => {
  if (health.length === 0) return 'Unknown'
  return health.filter((hasJoined) => !hasJoined).length >= failuresThatCount ? 'Unhealthy' : 'Healthy'
}

/**
 * What a process that starts makes of the condition that an earlier one left (P-AUX-03, NP-REGH-03).
 *
 * @example
 * restoredHealth('True') // => [true]
 */
export const restoredHealth = (status: Condition['status'] | undefined): RegistrationHealth => {
  if (status === 'True') return [true]
  return status === 'False' ? Array.from({ length: failuresThatCount }, () => false) : []
}

/**
 * What the condition NodeRegistrationHealthy is to say after the last outcome; `undefined`: as it is (NP-REGH-02).
 *
 * Only a success makes a pool healthy and only a failure unhealthy. `failure` tells why the last node did not join.
 *
 * @example
 * registrationCondition([true], undefined) // => { type: 'NodeRegistrationHealthy', status: 'True' }
 */
export const registrationCondition = (
  health: RegistrationHealth,
  failure: { readonly reason: string; readonly message: string } | undefined,
): ConditionChange | undefined => {
  const type = 'NodeRegistrationHealthy'
  const verdict = registrationVerdict(health)
  if (health.at(-1) === true) return verdict === 'Healthy' ? { type, status: 'True' } : undefined
  return verdict === 'Unhealthy' && failure !== undefined ? { type, status: 'False', ...failure } : undefined
}
