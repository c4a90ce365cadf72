import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where this user's files live that may be lost at any time. */
export const cacheDirectory = (env: NodeJS.ProcessEnv): string =>
  join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'scantling')

/**
 * The variable that has Node keep compiled modules between starts, unless it is set already.
 *
 * Without it each process loads the stripper of types to read our sources: 40 MB and half a second.
 */
export const compileCache = (env: NodeJS.ProcessEnv): Readonly<Record<string, string>> => ({
  NODE_COMPILE_CACHE: env['NODE_COMPILE_CACHE'] ?? join(cacheDirectory(env), 'compiled'),
})
