import type { TokenSource } from './connect-options.ts'

const longestMs = 2 * 3_600_000

/**
 * Lets no token count for longer than two hours, so that what was taken from the identity is noticed within that time
 * (Z-AUTH-03).
 */
export const capped = (source: TokenSource, nowMs: () => number): TokenSource => ({
  getToken: async (scopes, options) => {
    const token = await source.getToken(scopes, options)
    return token && { ...token, expiresOnTimestamp: Math.min(token.expiresOnTimestamp, nowMs() + longestMs) }
  },
})
