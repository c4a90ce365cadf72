import { parseArgs } from 'node:util'
import { scaledClock, systemClock } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { loadCatalog } from './load-catalog.ts'
import { serveCloud } from './server.ts'
import { simulatedCloud } from './simulated-cloud.ts'
import { readState, writeState } from './state-file.ts'

const help = `The simulated cloud of provider-kwok, behind HTTP on 127.0.0.1.

  --port N            0, the default, takes any free port
  --speed N           how many seconds of the cloud pass in one of ours (1)
  --clock-origin MS   epoch milliseconds at which the scaled clock agreed with the wall clock (now)
  --catalog NAME      ec2-like, azure-like, kwok, or a JSON file (ec2-like)
  --seed TEXT         decides spot prices, latencies and addresses (scantling)
  --state FILE        keep machines, messages and rules in this file between runs

Once it listens it prints one line of JSON: {"ready":true,"url":"http://127.0.0.1:PORT","pid":PID}`

const fail = (message: string): never => {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}

const numberOf = (name: string, text: string, least: number): number => {
  const value = Number(text)
  return text !== '' && Number.isFinite(value) && value >= least
    ? value
    : fail(`Cannot use --${name} ${JSON.stringify(text)}: expected a number of at least ${least}`)
}

const run = async () => {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      speed: { type: 'string', default: '1' },
      'clock-origin': { type: 'string', default: String(systemClock.nowMs()) },
      catalog: { type: 'string', default: 'ec2-like' },
      seed: { type: 'string', default: 'scantling' },
      state: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(`${help}\n`)
    return
  }
  const port = numberOf('port', values.port, 0)
  const clock = scaledClock({
    speed: numberOf('speed', values.speed, 0.01),
    originMs: numberOf('clock-origin', values['clock-origin'], 0),
  })
  const catalog = loadCatalog(values.catalog, values.seed)
  if (E.isLeft(catalog)) return fail(catalog.left.join('\n'))
  const stateFile = values.state
  const state = stateFile === undefined ? undefined : readState(stateFile)
  if (state !== undefined && E.isLeft(state)) return fail(state.left)
  const cloud = simulatedCloud({
    catalog: catalog.right,
    nowMs: clock.nowMs,
    seed: values.seed,
    ...(state && { state: state.right }),
  })
  const server = await serveCloud({
    cloud,
    clock,
    port,
    ...(stateFile !== undefined && { persist: () => writeState(stateFile, cloud.state()) }),
  }).catch((cause: NodeJS.ErrnoException) =>
    fail(
      cause.code === 'EADDRINUSE'
        ? `Port ${port} of 127.0.0.1 is in use; give another --port, or 0 for any free one`
        : `Cannot listen on 127.0.0.1:${port}: ${cause.message}`,
    ),
  )
  process.stdout.write(`${JSON.stringify({ ready: true, url: server.url, pid: process.pid })}\n`)
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void server.close().then(() => process.exit(0)))
}

run().catch((cause: unknown) => fail(cause instanceof Error ? cause.message : String(cause)))
