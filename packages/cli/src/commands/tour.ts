import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { catalogNames, isCatalogName } from '@scantling/provider-kwok'
import * as E from 'fp-ts/lib/Either.js'
import { UsageError, type Command, type Terminal } from '../command.ts'
import { chooseCatalog } from '../plan/catalog-choice.ts'
import { lineScreen, terminalScreen } from '../tour/screen.ts'
import { runTour, tourNames } from '../tour/tour.ts'

const help = `Usage: scantling tour [options]        (npm start -- [options])

Brings up a whole cluster on this machine — an API server, a simulated cloud and the
controller, each its own process on loopback — and shows the tutorial on it: pods wait,
machines are bought, pods run, machines go, the bill. Nothing leaves this machine.

  -y, --yes              do not pause between steps; at the end print the bill and stop
      --tour NAME        basics (default); disruption: what takes nodes away and what keeps them;
                         all: both
  -f, --filename PATH    your own manifests instead of the tutorial's; repeatable
  --speed N              seconds of the cluster in one of ours, 0.1 to 100 (10)
  --port N               loopback port of the API server (any free one)
  --catalog NAME|FILE    ${catalogNames.join(', ')} or a file (ec2-like)
  --plain                plain lines, as where there is no terminal
  -h, --help`

const run = async (args: ReadonlyArray<string>, terminal: Terminal): Promise<number> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      yes: { type: 'boolean', short: 'y', default: false },
      filename: { type: 'string', short: 'f', multiple: true, default: [] },
      tour: { type: 'string', default: 'basics' },
      speed: { type: 'string', default: '10' },
      port: { type: 'string', default: '0' },
      catalog: { type: 'string', default: 'ec2-like' },
      plain: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    terminal.out(help)
    return 0
  }
  const speed = numberIn('--speed', values.speed, { least: 0.1, most: 100 })
  const port = numberIn('--port', values.port, { least: 0, most: 65_535, isWhole: true })
  const tour = tourNames.find((name) => name === values.tour)
  if (tour === undefined)
    throw new UsageError(`Cannot use --tour ${JSON.stringify(values.tour)}: expected ${tourNames.join(', ')}`)
  const types = chooseCatalog(values.catalog)
  if (E.isLeft(types)) throw new UsageError(types.left.join('\n'))
  const isTerminal = process.stdout.isTTY && process.stdin.isTTY && !values.plain
  const interrupted = new Promise<void>((tell) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => tell())
  })
  return runTour({
    screen: isTerminal ? terminalScreen(process.stdout, process.stdin) : lineScreen(process.stdout),
    // Without a terminal nobody can press Enter.
    yes: values.yes || (!isTerminal && values.filename.length === 0),
    tour,
    speed,
    port,
    catalog: isCatalogName(values.catalog) ? values.catalog : resolve(values.catalog),
    types: types.right,
    files: values.filename,
    interrupted,
  })
}

const numberIn = (
  flag: string,
  text: string,
  { least, most, isWhole = false }: { readonly least: number; readonly most: number; readonly isWhole?: boolean },
): number => {
  const value = Number(text)
  if (text.trim() !== '' && value >= least && value <= most && (!isWhole || Number.isInteger(value))) return value
  throw new UsageError(
    `Cannot use ${flag} ${JSON.stringify(text)}: expected a ${isWhole ? 'whole ' : ''}number from ${least} to ${most}`,
  )
}

export const tourCommand: Command = {
  name: 'tour',
  summary: 'a guided tour on a cluster of its own, on this machine',
  help,
  run,
}
