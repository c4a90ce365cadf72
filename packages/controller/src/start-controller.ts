import * as E from 'fp-ts/lib/Either.js'
import { type Clock, systemClock } from '@scantling/provider-kit'
import { build } from './build.ts'
import { followLevelFile, logDestination, makeDebugSwitch, makeLog } from './observability/index.ts'
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

/** A controller with the log that it writes to. */
export interface StartedController extends RunningController {
  /** Logs from debug on, or again as before. */
  readonly switchDebug: () => void
}

/**
 * Reads flags and environment, loads the provider that they name, and runs the controller on the given clock.
 *
 * The clock is no flag: what runs faster than life passes its own from an entry of its own. Nor is `importModule`: a
 * bundle, which has its provider inside, answers with that.
 */
export const startController = async (
  input: SettingsInput & { readonly clock: Clock; readonly importModule?: ImportModule },
): Promise<E.Either<NotStarted, StartedController>> => {
  const providerName = providerNameOf(input)
  const loaded = await loadProvider(providerName, input.importModule)()
  const providerSpec = E.isRight(loaded) ? loaded.right.settings : undefined
  if (asksForHelp(input)) return E.left({ text: renderHelp(providerName, providerSpec), exitCode: 0 })
  if (E.isLeft(loaded)) return E.left({ text: `${loaded.left}\n`, exitCode: 2 })
  const parsed = parseSettings(input, providerSpec)
  if (E.isLeft(parsed)) return E.left({ text: parsed.left.map((line) => `${line}\n`).join(''), exitCode: 2 })
  const { settings, providerSettings, withoutEffect } = parsed.right
  const { logLevel, logLevelFile } = settings
  const destination = logDestination(settings.logOutputPaths)
  if (E.isLeft(destination)) return E.left({ text: `${destination.left}\n`, exitCode: 2 })
  const log = makeLog({
    level: logLevel,
    nowMs: input.clock.nowMs,
    destination: destination.right,
    commit: build.commit,
  })
  const ended = new AbortController()
  if (logLevelFile !== undefined)
    void followLevelFile({ path: logLevelFile, fallback: logLevel, log, clock: systemClock, signal: ended.signal })
  for (const flag of withoutEffect) log.warn('A flag of Karpenter has no effect here', { flag })
  if (!settings.ignoreDraRequests)
    log.warn('A flag of Karpenter has no effect here: pods that claim devices are left out in any case', {
      flag: 'ignore-dra-requests',
    })
  const running = await runController({
    settings,
    providerModule: loaded.right,
    providerSettings,
    clock: input.clock,
    log,
    env: input.env,
    startReconcilers,
    build,
  })()
  if (E.isLeft(running)) {
    ended.abort()
    return E.left({ text: `${running.left}\n`, exitCode: 1 })
  }
  void running.right.stopped.then(() => ended.abort())
  const switched = makeDebugSwitch(log)
  return E.right({
    ...running.right,
    switchDebug: () => {
      const level = switched()
      // Whatever the level: whoever sent the signal looks for the answer.
      log[level]('The log level changed', { 'log-level': level })
    },
  })
}

/**
 * Runs until SIGTERM or SIGINT and returns the exit code; a second signal ends the process at once.
 *
 * SIGUSR2 switches the log to debug and back. (SIGUSR1 is Node's own, for its inspector.)
 */
export const runUntilSignalled = async (controller: StartedController, process: NodeJS.Process): Promise<number> => {
  let signals = 0
  const onSignal = () => {
    signals++
    if (signals > 1) process.exit(1)
    void controller.stop()
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  process.on('SIGUSR2', controller.switchDebug)
  const outcome = await controller.stopped
  if (E.isLeft(outcome)) process.stderr.write(`Stopped: ${outcome.left}\n`)
  return E.isLeft(outcome) ? 1 : 0
}
