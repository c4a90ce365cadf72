import { setFlagsFromString } from 'node:v8'
import * as E from 'fp-ts/lib/Either.js'
import { systemClock } from '@scantling/provider-kit'
import { runUntilSignalled, startController } from './start-controller.ts'

/** The one provider of a bundle, under the short name of its package. */
export interface BundledProvider {
  readonly name: 'aws' | 'azure' | 'kwok'
  readonly provider: unknown
}

// How much garbage may gather before all of it is looked for, as a share of what is alive. The engine's own choice of up
// to three times as much took 220 MB beside 5,000 pods, this 140, in the same processor time.
const heapGrowthPercent = 40

/**
 * The whole life of a controller process, from its flags to its exit code.
 *
 * A bundle has its provider inside: no flag need name it, and no other can be loaded.
 */
export const runProcess = async (process: NodeJS.Process, bundled?: BundledProvider): Promise<void> => {
  setFlagsFromString(`--heap-growing-percent=${heapGrowthPercent}`)
  const started = await startController({
    argv: process.argv.slice(2),
    clock: systemClock,
    ...(bundled === undefined
      ? { env: process.env }
      : { env: { PROVIDER: bundled.name, ...process.env }, importModule: importFrom(bundled) }),
  })
  if (E.isLeft(started)) {
    const { text, exitCode } = started.left
    const stream = exitCode === 0 ? process.stdout : process.stderr
    stream.write(text)
    process.exitCode = exitCode
    return
  }
  process.exitCode = await runUntilSignalled(started.right, process)
  // Whatever a provider may have left open must not keep a stopped controller alive.
  process.exit()
}

const importFrom =
  ({ name, provider }: BundledProvider) =>
  (specifier: string): Promise<unknown> =>
    specifier === `@scantling/provider-${name}`
      ? Promise.resolve({ provider })
      : Promise.reject(new Error(`this bundle holds the provider ${name} and no other; leave --provider out`))
