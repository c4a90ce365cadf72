#!/usr/bin/env node
import * as E from 'fp-ts/lib/Either.js'
import { systemClock } from '@scantling/provider-kit'
import { runUntilSignalled, startController } from './start-controller.ts'

const started = await startController({ argv: process.argv.slice(2), env: process.env, clock: systemClock })
if (E.isLeft(started)) {
  const { text, exitCode } = started.left
  const stream = exitCode === 0 ? process.stdout : process.stderr
  stream.write(text)
  process.exitCode = exitCode
} else {
  process.exitCode = await runUntilSignalled(started.right, process)
  // Whatever a provider may have left open must not keep a stopped controller alive.
  process.exit()
}
