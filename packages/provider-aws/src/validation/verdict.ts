import type { ProviderError, Resolution } from '@scantling/core'

/** What the condition ValidationSucceeded is to say, and what follows from it. */
export interface Verdict {
  readonly condition: Resolution['conditions'][string]
  /** Whether the same input would give the same verdict for a while, so that probes need not be repeated. */
  readonly isLasting: boolean
  readonly recheckAfterMs?: number
  /** Reported beside the condition; the shell tries again with back-off. */
  readonly failure?: ProviderError
}

const recheckMs = 600_000

/** How long a lasting verdict stands for equal input (A-VAL-04). */
export const verdictTtlMs = 1_800_000

export const succeeded: Verdict = {
  condition: { status: 'True', reason: 'ValidationSucceeded', message: '' },
  isLasting: true,
  recheckAfterMs: recheckMs,
}

/** The user has to change something: asked again when they do. */
export const refused = (reason: string, message: string): Verdict => ({
  condition: { status: 'False', reason, message },
  isLasting: false,
})

/** Someone has to change something elsewhere. */
export const denied = (reason: string, message: string): Verdict => ({
  condition: { status: 'False', reason, message },
  isLasting: true,
  recheckAfterMs: recheckMs,
})

export const awaiting = (status: 'False' | 'Unknown', message: string): Verdict => ({
  condition: { status, reason: 'DependenciesNotReady', message },
  isLasting: false,
  recheckAfterMs: recheckMs,
})

/** AWS did not say: what was known stays. */
export const undecided = (failure: ProviderError): Verdict => ({ condition: 'unchanged', isLasting: false, failure })
