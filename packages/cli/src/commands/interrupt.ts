import { parseArgs } from 'node:util'
import type { InterruptKind } from '@scantling/provider-kwok'
import * as E from 'fp-ts/lib/Either.js'
import { UsageError, type Command, type Terminal } from '../command.ts'
import { knownClusters, type KnownCluster } from '../embedded/index.ts'

const kinds: Readonly<Record<InterruptKind, string>> = {
  spot: 'will be taken away in two minutes',
  rebalance: 'is said to be at risk, and stays',
  maintenance: 'will be retired in ten minutes',
  stop: 'is switched off',
  terminate: 'is ended',
}

const help = `Usage: scantling interrupt NODE [--kind KIND]

Has the simulated cloud of a running embedded cluster (npm start) do to the machine of a
node what clouds do to theirs. Watch the controller take its pods elsewhere.

  --kind KIND     spot (default), rebalance, maintenance, stop or terminate
  --server URL    the cluster, where several run: its API server, as npm start prints it
  --cloud URL     the simulated cloud itself
  -h, --help

Times are the cluster's own, which may run faster than life.`

const run = async (args: ReadonlyArray<string>, terminal: Terminal): Promise<number> => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      kind: { type: 'string', default: 'spot' },
      server: { type: 'string' },
      cloud: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    terminal.out(help)
    return 0
  }
  const [node, ...more] = positionals
  if (node === undefined) throw new UsageError('Name the node to interrupt')
  if (more.length > 0) throw new UsageError(`Cannot interrupt ${positionals.join(', ')} at once: name one node`)
  const { kind } = values
  if (!isKind(kind))
    throw new UsageError(`Cannot use --kind ${JSON.stringify(kind)}: expected ${Object.keys(kinds).join(', ')}`)
  const cloud = values.cloud === undefined ? cloudOf(knownClusters(process.env), values.server) : E.right(values.cloud)
  if (E.isLeft(cloud)) {
    terminal.err(cloud.left)
    return 1
  }
  const done = await interrupt(cloud.right, node, kind)
  if (E.isLeft(done)) {
    terminal.err(done.left)
    return 1
  }
  terminal.out(`The machine of ${node} ${kinds[kind]}`)
  return 0
}

const isKind = (text: string): text is InterruptKind => Object.hasOwn(kinds, text)

const cloudOf = (clusters: ReadonlyArray<KnownCluster>, server: string | undefined): E.Either<string, string> => {
  const wanted = server?.replace(/\/+$/, '')
  const [cluster, second] = clusters.filter((each) => wanted === undefined || each.server === wanted)
  const present = clusters.map((each) => each.server).join(', ')
  if (cluster === undefined) {
    return E.left(
      wanted === undefined
        ? 'No embedded cluster runs on this machine: start one with npm start, or name a cloud with --cloud URL'
        : `No embedded cluster with the API server ${wanted} runs on this machine: ${present === '' ? 'none does; start one with npm start' : `those that do have ${present}`}`,
    )
  }
  return second === undefined
    ? E.right(cluster.cloud)
    : E.left(`Several embedded clusters run on this machine: choose one with --server, of ${present}`)
}

const interrupt = async (cloud: string, node: string, kind: InterruptKind): Promise<E.Either<string, void>> => {
  if (URL.parse(cloud)?.protocol !== 'http:')
    return E.left(`Cannot use --cloud ${JSON.stringify(cloud)}: expected an address such as http://127.0.0.1:8090`)
  let response: Response
  try {
    response = await fetch(`${cloud.replace(/\/+$/, '')}/control/interrupt`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ instance: node, kind }),
    })
  } catch {
    return E.left(`Cannot reach the simulated cloud at ${cloud}: nothing answers there; check the address`)
  }
  if (response.ok) return E.right(undefined)
  const answer = (await response.json().catch(() => ({}))) as { readonly code?: unknown; readonly message?: unknown }
  return E.left(
    answer.code === 'InstanceNotFound'
      ? `Cannot interrupt ${node}: the cloud has no such machine, or it has ended; kubectl get nodes names them`
      : `Cannot interrupt ${node}: ${typeof answer.message === 'string' ? answer.message : `${cloud} answered ${response.status}`}`,
  )
}

export const interruptCommand: Command = {
  name: 'interrupt',
  summary: 'have the simulated cloud take a machine away',
  help,
  run,
}
