import { scaledClock } from '@scantling/provider-kit'
import { runUntilSignalled, startController } from '@scantling/controller'
import * as E from 'fp-ts/lib/Either.js'

/*
 * The controller of the embedded cluster: the same start as `scantling-controller`, on a clock that may run faster than
 * life. Speed and origin come by the environment, so that every flag is the controller's own.
 */
const clock = scaledClock({
  speed: Number(process.env['SCANTLING_SPEED'] ?? 1),
  originMs: Number(process.env['SCANTLING_CLOCK_ORIGIN'] ?? 0),
})
const started = await startController({ argv: process.argv.slice(2), env: process.env, clock })
if (E.isLeft(started)) {
  process.stderr.write(started.left.text)
  process.exit(started.left.exitCode)
}
process.exit(await runUntilSignalled(started.right, process))
