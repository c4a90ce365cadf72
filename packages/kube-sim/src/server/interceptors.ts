/** One call as interceptors see it, whichever face it came through. */
export interface Call {
  /** The name given to `face(client)`, or the User-Agent of an HTTP client. */
  readonly client: string
  readonly verb: 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection'
  readonly group: string
  readonly resource: string
  readonly subresource?: string
  readonly namespace?: string
  readonly name?: string
  /** 1 for the first call since the server started. */
  readonly number: number
}

export interface Failure {
  readonly code: number
  readonly reason?: string
  readonly message?: string
  readonly retryAfterSeconds?: number
}

/** What becomes of a call. Nothing set: it passes. */
export interface Verdict {
  /** In the clock's time, before anything else. */
  readonly delayMs?: number
  readonly fail?: Failure
  /** `after`: the call takes effect, then its answer is lost. Default `before`. */
  readonly when?: 'before' | 'after'
}

/** A verdict for the calls that match: what is absent matches everything. */
export interface FaultRule extends Verdict {
  /** A part of the client's name. */
  readonly client?: string
  readonly verb?: Call['verb']
  readonly group?: string
  readonly resource?: string
  readonly subresource?: string
  readonly namespace?: string
  readonly name?: string
  /** Let so many matching calls pass first: `skip: 2, times: 1` fails the third. */
  readonly skip?: number
  /** Then act on so many. Default: all. */
  readonly times?: number
}

export type Interceptor = (call: Call) => Verdict | undefined

/** Every call of both faces goes through these; the first verdict counts. */
export interface Interceptors {
  readonly add: (interceptor: Interceptor) => () => void
  readonly addRule: (rule: FaultRule) => () => void
  /** Fails the n-th call from now on, whatever it is. */
  readonly failNth: (n: number, failure: Failure) => () => void
  readonly clear: () => void
  /** Calls so far. */
  readonly count: () => number
  readonly judge: (call: Omit<Call, 'number'>) => Verdict | undefined
}

export const createInterceptors = (): Interceptors => {
  const active = new Set<Interceptor>()
  let count = 0
  const add = (interceptor: Interceptor) => {
    active.add(interceptor)
    return () => void active.delete(interceptor)
  }
  return {
    add,
    addRule: (rule) => {
      let seen = 0
      const from = rule.skip ?? 0
      const until = rule.times === undefined ? Number.POSITIVE_INFINITY : from + rule.times
      return add((call) => {
        if (!ruleMatches(rule, call)) return undefined
        const index = seen++
        return index >= from && index < until ? rule : undefined
      })
    },
    failNth: (n, fail) => {
      const target = count + n
      return add((call) => (call.number === target ? { fail } : undefined))
    },
    clear: () => active.clear(),
    count: () => count,
    judge: (call) => {
      count++
      if (active.size === 0) return undefined
      const numbered: Call = { ...call, number: count }
      for (const interceptor of active) {
        const verdict = interceptor(numbered)
        if (verdict !== undefined) return verdict
      }
      return undefined
    },
  }
}

const ruleMatches = (rule: FaultRule, call: Call): boolean =>
  (rule.client === undefined || call.client.includes(rule.client)) &&
  (rule.verb === undefined || rule.verb === call.verb) &&
  (rule.group === undefined || rule.group === call.group) &&
  (rule.resource === undefined || rule.resource === call.resource) &&
  (rule.subresource === undefined || rule.subresource === (call.subresource ?? '')) &&
  (rule.namespace === undefined || rule.namespace === call.namespace) &&
  (rule.name === undefined || rule.name === call.name)
