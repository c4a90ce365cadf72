import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { emptyState, type CloudState } from './cloud-state.ts'

/** The state that a file holds; an empty one where there is no file yet. */
export const readState = (path: string): E.Either<string, CloudState> => {
  if (!existsSync(path)) return E.right(emptyState)
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return typeof parsed === 'object' && parsed !== null && 'instances' in parsed
      ? E.right({ ...emptyState, ...(parsed as CloudState) })
      : E.left(`Cannot read ${path}: it is not the state of a simulated cloud; remove it to start with an empty one`)
  } catch (cause) {
    return E.left(`Cannot read ${path}: ${String(cause)}; remove it to start with an empty cloud`)
  }
}

/** Replaces the file in one step, so that a process killed while writing leaves the older state. */
export const writeState = (path: string, state: CloudState): void => {
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, JSON.stringify(state))
  renameSync(draft, path)
}
