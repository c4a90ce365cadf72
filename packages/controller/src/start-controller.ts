import * as E from 'fp-ts/lib/Either.js'
import type { Clock } from '@scantling/provider-kit'
import { makeLog } from './observability/index.ts'
import { type ImportModule, loadProvider } from './provider-loader/index.ts'
import { startReconcilers } from './reconcilers/index.ts'
import { type RunningController, runController } from './run-controller.ts'
import { type SettingsInput, asksForHelp, parseSettings, providerNameOf, renderHelp } from './settings/index.ts'

/** How a start from the command line ended, where it did not end in a running controller. */
export interface NotStarted {
  /** For standard output when it was asked for, else for standard error. */
  readonly text: string
  readonly exitCode: number
}

/**
 * Reads flags and environment, loads the provider that they name, and runs the controller on the given clock.
 *
 * The clock is no flag: what runs faster than life passes its own from an entry of its own. Nor is `importModule`: a
 * bundle, which has its provider inside, answers with that.
 */
export const startController = async (
  input: SettingsInput & { readonly clock: Clock; readonly importModule?: ImportModule },
): Promise<E.Either<NotStarted, RunningController>> => {
  const providerName = providerNameOf(input)
  const loaded = await loadProvider(providerName, input.importModule)()
  const providerSpec = E.isRight(loaded) ? loaded.right.settings : undefined
  if (asksForHelp(input)) return E.left({ text: renderHelp(providerName, providerSpec), exitCode: 0 })
  if (E.isLeft(loaded)) return E.left({ text: `${loaded.left}\n`, exitCode: 2 })
  const parsed = parseSettings(input, providerSpec)
  if (E.isLeft(parsed)) return E.left({ text: parsed.left.map((line) => `${line}\n`).join(''), exitCode: 2 })
  const { settings, providerSettings, withoutEffect } = parsed.right
  const log = makeLog({ level: settings.logLevel, nowMs: input.clock.nowMs })
  for (const flag of withoutEffect) log.warn('A flag of Karpenter has no effect here', { flag })
  if (settings.enableProfiling) log.warn('A flag of Karpenter has no effect here', { flag: 'enable-profiling' })
  const running = await runController({
    settings,
    providerModule: loaded.right,
    providerSettings,
    clock: input.clock,
    log,
    env: input.env,
    startReconcilers,
    version: '0.1.0',
  })()
  return E.isLeft(running) ? E.left({ text: `${running.left}\n`, exitCode: 1 }) : running
}

/** Runs until SIGTERM or SIGINT and returns the exit code; a second signal ends the process at once. */
export const runUntilSignalled = async (controller: RunningController, process: NodeJS.Process): Promise<number> => {
  let signals = 0
  const onSignal = () => {
    signals++
    if (signals > 1) process.exit(1)
    void controller.stop()
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  const outcome = await controller.stopped
  if (E.isLeft(outcome)) process.stderr.write(`Stopped: ${outcome.left}\n`)
  return E.isLeft(outcome) ? 1 : 0
}
