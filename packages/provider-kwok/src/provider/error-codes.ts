import type { ProviderError } from '@scantling/core'
import type { CloudError } from '../cloud/index.ts'

/** What each code of the simulated cloud means to the shell; the only place where codes are looked at. */
const tagByCode: ReadonlyMap<string, ProviderError['_tag']> = new Map([
  ['InsufficientInstanceCapacity', 'InsufficientCapacity'],
  // The instance of this claim came and went: only another claim can have another.
  ['InstanceEnded', 'InsufficientCapacity'],
  ['InstanceLimitExceeded', 'QuotaExceeded'],
  ['InstanceNotFound', 'InstanceNotFound'],
  ['InvalidParameter', 'InvalidRequest'],
  ['RequestLimitExceeded', 'Throttled'],
  ['Unauthorized', 'Unauthorized'],
])

/** An error of the cloud as the port has it. Codes that nobody listed are `Unknown`, which the shell retries. */
export const providerErrorOf = ({ code, message, retryAfterMs, cause }: CloudError): ProviderError => ({
  _tag: tagByCode.get(code) ?? 'Unknown',
  code,
  message,
  ...(retryAfterMs !== undefined && { retryAfterMs }),
  ...(cause !== undefined && { cause }),
})
