import { parseArgs } from 'node:util'
import { catalogNames } from '@scantling/provider-kwok'
import * as E from 'fp-ts/lib/Either.js'
import { UsageError, type Command, type Terminal } from '../command.ts'
import { fetchCatalog } from '../live/cloud-catalog.ts'
import { clusterHelp, clusterOptions, connectLive, type LiveCluster } from '../live/connect.ts'
import { firstKnown, pricesInFile, pricesOfTypes, statedPrice, type PriceOf } from '../live/prices.ts'
import { chooseCatalog } from '../plan/catalog-choice.ts'
import { sortKeys, type SortKey } from '../top/fleet.ts'
import { followFleet, type FollowedFleet } from '../top/follow-fleet.ts'
import { showLive } from '../top/live-screen.ts'
import { renderFleet } from '../top/render-fleet.ts'

const help = `Usage: scantling top [options]

Shows the nodes of a cluster live: type, zone, capacity type, price, what pods request of
their CPU and memory, pods, age, status. Any cluster will do, with or without Scantling.

${clusterHelp}
      --selector LABELS  only nodes with these labels, such as karpenter.sh/nodepool=default
      --sort KEY         ${sortKeys.join(', ')} (name)
      --prices FILE      prices per hour, a line each: TYPE PRICE [CAPACITY-TYPE [ZONE]]
      --catalog NAME     prices of a catalogue: ${catalogNames.join(', ')} or a JSON file
      --once             print once and end, as where there is no terminal
      --json             print data, once
  -h, --help

Keys: q ends, j and k (or the arrows) scroll. Prices come from --prices, --catalog, the
simulated cloud of an embedded cluster, and what nodes say themselves; others are unknown.`

const readyWithinMs = 15_000

const run = async (args: ReadonlyArray<string>, terminal: Terminal): Promise<number> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...clusterOptions,
      selector: { type: 'string', short: 'l' },
      sort: { type: 'string', default: 'name' },
      prices: { type: 'string' },
      catalog: { type: 'string' },
      once: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    terminal.out(help)
    return 0
  }
  const { sort } = values
  if (!isSortKey(sort))
    throw new UsageError(`Cannot use --sort ${JSON.stringify(sort)}: expected ${sortKeys.join(', ')}`)
  const own = ownPrices(values)
  if (E.isLeft(own)) {
    for (const problem of own.left) terminal.err(problem)
    return 1
  }
  const cluster = await connectLive(values, process.env)
  if (E.isLeft(cluster)) {
    terminal.err(cluster.left)
    return 1
  }
  const priceOf = firstKnown(...own.right, statedPrice, ...(await cloudPrices(cluster.right, terminal)))
  const fleet = followFleet(cluster.right, { priceOf, sort, selector: values.selector })
  try {
    const problem = await untilReady(fleet)
    if (problem !== undefined) {
      terminal.err(problem)
      return 1
    }
    if (values.json) terminal.out(JSON.stringify(fleet.now(), undefined, 2))
    else if (values.once || !process.stdout.isTTY || !process.stdin.isTTY)
      terminal.out(renderFleet(fleet.now()).join('\n'))
    else await live(cluster.right, fleet)
    return 0
  } finally {
    fleet.stop()
    cluster.right.close()
  }
}

const isSortKey = (text: string): text is SortKey => sortKeys.some((key) => key === text)

const ownPrices = ({
  prices,
  catalog,
}: {
  readonly prices?: string | undefined
  readonly catalog?: string | undefined
}): E.Either<ReadonlyArray<string>, ReadonlyArray<PriceOf>> => {
  const file = prices === undefined ? E.right(undefined) : pricesInFile(prices)
  if (E.isLeft(file)) return file
  const types = catalog === undefined ? E.right(undefined) : chooseCatalog(catalog)
  if (E.isLeft(types)) return types
  return E.right([
    ...(file.right === undefined ? [] : [file.right]),
    ...(types.right === undefined ? [] : [pricesOfTypes(types.right)]),
  ])
}

const cloudPrices = async ({ cloud }: LiveCluster, terminal: Terminal): Promise<ReadonlyArray<PriceOf>> => {
  if (cloud === undefined) return []
  const types = await fetchCatalog(cloud)
  if (E.isRight(types)) return [pricesOfTypes(types.right)]
  terminal.err(types.left)
  return []
}

const untilReady = async (fleet: FollowedFleet): Promise<string | undefined> => {
  const untilMs = Date.now() + readyWithinMs
  while (!fleet.isReady()) {
    if (Date.now() > untilMs || /Cannot (list|watch)/.test(fleet.trouble() ?? ''))
      return fleet.trouble() ?? 'Cannot list the nodes and pods: the API server does not answer'
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return undefined
}

const live = ({ server, source }: LiveCluster, fleet: FollowedFleet): Promise<void> =>
  showLive(process.stdout, process.stdin, (frame) => {
    const trouble = fleet.trouble()
    const state = trouble === undefined ? '' : `  (${trouble})`
    return [...renderFleet(fleet.now(), { ...frame, rows: frame.rows - 1 }), `${server}, ${source} · q ends${state}`]
  })

export const topCommand: Command = {
  name: 'top',
  summary: 'nodes, prices, utilisation and pods of a cluster, live',
  help,
  run,
}
