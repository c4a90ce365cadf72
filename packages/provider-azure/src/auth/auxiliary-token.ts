/** What the token server answers with: times in any form that can be read as one. */
interface Held {
  readonly token: string
  readonly expiresAtMs: number
  readonly refreshAtMs: number
}

const refreshAheadMs = 5 * 60_000

/**
 * The token for shared galleries of another tenant, from the server that gives such tokens (Z-AUTH-05).
 *
 * Kept until the time at which the server wants it renewed, at the latest until five minutes before its end. Rejects
 * when the server has none.
 */
export const auxiliaryTokens = (options: {
  readonly url: string
  readonly scope: string
  readonly get: (url: string) => Promise<{ readonly status: number; readonly text: string }>
  readonly nowMs: () => number
}): (() => Promise<string>) => {
  const { get, nowMs } = options
  const url = new URL(options.url)
  url.searchParams.set('scope', options.scope)
  let held: Held | undefined
  let renewal: Promise<Held> | undefined

  const renew = async (): Promise<Held> => {
    const { status, text } = await get(url.href)
    const answer = status === 200 ? readToken(text) : undefined
    if (answer === undefined)
      throw new Error(`Cannot get a token for shared galleries from ${url.origin}: it answered with status ${status}`)
    held = answer
    return answer
  }
  return async () => {
    const isFresh = held !== undefined && nowMs() < held.refreshAtMs && nowMs() < held.expiresAtMs - refreshAheadMs
    if (isFresh && held !== undefined) return held.token
    renewal ??= renew().finally(() => (renewal = undefined))
    return (await renewal).token
  }
}

const readToken = (text: string): Held | undefined => {
  const parsed = parse(text)
  const { token, expiresOn, refreshOn } = (parsed ?? {}) as Readonly<Record<string, unknown>>
  if (typeof token !== 'string' || token === '') return undefined
  return { token, expiresAtMs: timeOf(expiresOn) ?? 0, refreshAtMs: timeOf(refreshOn) ?? Infinity }
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

// RFC 3339, or seconds since the epoch; Go's zero time is none.
const timeOf = (value: unknown): number | undefined => {
  const atMs = typeof value === 'number' ? value * 1000 : typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(atMs) || atMs <= 0 ? undefined : atMs
}
