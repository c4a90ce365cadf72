import * as E from 'fp-ts/lib/Either.js'
import { parseSettings, type Settings } from '../src/settings/index.ts'

/** The settings that these flags make. */
export const settingsOf = (flags: ReadonlyArray<string> = []): Settings => {
  const parsed = parseSettings({ argv: flags, env: {} }, undefined)
  if (E.isLeft(parsed)) throw new Error(parsed.left.join('\n'))
  return parsed.right.settings
}
