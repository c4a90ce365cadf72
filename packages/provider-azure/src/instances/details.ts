import type { Labels } from '@scantling/core'
import type { ArmError } from '../sdk/index.ts'

/** What `drift` and `converge` look at of an instance, beyond what the port names. */
export type AzureDetails = VmDetails | MachineDetails

export interface VmDetails {
  readonly _tag: 'Vm'
  readonly resourceId: string
  readonly tags: Labels
  /** IDs of user-assigned identities. */
  readonly identities: ReadonlyArray<string>
  /** As ARM writes it: `Creating`, `Succeeded`, `Failed`, `Deleting`. */
  readonly provisioningState: string
  /** Names of the extensions that it has. */
  readonly extensions: ReadonlyArray<string>
}

export interface MachineDetails {
  readonly _tag: 'Machine'
  readonly resourceId: string
  readonly tags: Labels
  readonly provisioningState: string
  readonly eTag?: string
  /** What AKS wants done about the machine: `Synced`, `Recreate`; absent: nothing. */
  readonly driftAction?: string
  readonly driftReason?: string
  /** Why it could not be made, of one that failed. */
  readonly failure?: ArmError
}
