import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs'

import { isSavedSnapshot, readSnapshot, type Snapshot } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'

import { tooLarge } from '../manifests/read-manifests.ts'

/** A snapshot of 5,000 nodes and 100,000 pods stays below; Node cannot hold a text of twice this size. */
const longestSnapshotBytes = 256 * 2 ** 20

const openingBytes = 256

/** Whether a file is a saved snapshot, by its beginning. What cannot be opened is none. */
export const isSnapshotFile = (file: string): boolean => {
  const stat = file === '-' ? undefined : statSync(file, { throwIfNoEntry: false })
  if (stat?.isFile() !== true) return false
  const opening = Buffer.alloc(openingBytes)
  const descriptor = openSync(file, 'r')
  try {
    const length = readSync(descriptor, opening, 0, openingBytes, 0)
    return isSavedSnapshot(opening.toString('utf8', 0, length))
  } finally {
    closeSync(descriptor)
  }
}

/** Left: a sentence that names the file, what is wrong with it and the remedy. */
export const readSnapshotFile = (file: string): E.Either<string, Snapshot> => {
  const { size } = statSync(file)
  if (size > longestSnapshotBytes) return E.left(tooLarge(file, size, longestSnapshotBytes))
  return E.mapLeft((reason: string) => `Cannot read the snapshot ${file}: ${reason}`)(
    readSnapshot(readFileSync(file, 'utf8')),
  )
}
