import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { scaledClock, systemClock } from '@scantling/provider-kit'
import { readDefinitions } from './definition-files.ts'
import { startKubeSim } from './start.ts'

const usage = `Usage: kube-sim [options]
  --port N            Listen on 127.0.0.1:N; 0 takes any free port (default 0)
  --speed N           Run N times as fast as life (default 1)
  --clock-origin MS   Epoch milliseconds at which simulated and real time agree (default: now)
  --crds PATH         A file or directory of CustomResourceDefinitions; may be repeated
  --seed N            Seed of UIDs, generated names and latencies (default: from the clock origin)
  --no-controllers    The API server alone
  --no-watch-list       Refuse watches that begin with what there is, as servers before 1.32 do
  --ready-file PATH   Also write the ready line to this file
  --help              This text`

const run = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      speed: { type: 'string', default: '1' },
      'clock-origin': { type: 'string' },
      crds: { type: 'string', multiple: true, default: [] },
      seed: { type: 'string' },
      'no-controllers': { type: 'boolean', default: false },
      'no-watch-list': { type: 'boolean', default: false },
      'ready-file': { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return void process.stdout.write(`${usage}\n`)
  const port = wholeNumber('--port', values.port, 65_535)
  const speed = Number(values.speed)
  if (!(speed > 0)) throw new Error(`Cannot use --speed "${values.speed}": expected a number greater than 0`)
  const originMs = wholeNumber('--clock-origin', values['clock-origin'] ?? String(systemClock.nowMs()))
  const seed = wholeNumber('--seed', values.seed ?? String(originMs % 2 ** 31))
  const sim = await startKubeSim({
    clock: speed === 1 ? systemClock : scaledClock({ speed, originMs }),
    seed,
    port,
    watchList: !values['no-watch-list'],
    definitions: await readDefinitions(values.crds),
    controllers: values['no-controllers'] ? false : { onError: reportError },
  })
  stopOnSignal(sim.stop)
  const ready = `${JSON.stringify({ url: sim.url, pid: process.pid, speed, clockOriginMs: originMs })}\n`
  if (values['ready-file'] !== undefined) await writeFile(values['ready-file'], ready)
  process.stdout.write(ready)
}

const wholeNumber = (option: string, text: string, most = Number.MAX_SAFE_INTEGER): number => {
  const value = Number(text)
  if (text.trim() === '' || !Number.isInteger(value) || value < 0 || value > most) {
    throw new Error(`Cannot use ${option} "${text}": expected a whole number from 0 to ${most}`)
  }
  return value
}

const reportError = (error: unknown, controller: string, key: string): void => {
  const text = error instanceof Error ? error.message : String(error)
  process.stderr.write(`kube-sim: ${controller}${key === '' ? '' : ` ${key}`}: ${text}\n`)
}

const stopOnSignal = (stop: () => Promise<void>): void => {
  let stopping = false
  const onSignal = () => {
    if (stopping) return
    stopping = true
    void stop().then(() => process.exit(0))
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
}

run().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
