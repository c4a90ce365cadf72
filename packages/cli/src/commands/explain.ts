import { parseArgs } from 'node:util'
import type { InstanceType } from '@scantling/core'
import { catalogNames } from '@scantling/provider-kwok'
import * as E from 'fp-ts/lib/Either.js'
import { UsageError, type Command, type Terminal } from '../command.ts'
import { explain, namesOf, type Explanation, type Subject } from '../explain/explain.ts'
import { fetchCatalog } from '../live/cloud-catalog.ts'
import { clusterHelp, clusterOptions, connectLive, type ClusterChoice } from '../live/connect.ts'
import { listObjects } from '../live/list-objects.ts'
import { readManifests, type Manifest } from '../manifests/read-manifests.ts'
import { sortObjects, type SortedObjects } from '../manifests/sort-objects.ts'
import { defaultCatalog } from '../plan/catalog-choice.ts'
import { chosenCatalog, whereabouts, type CatalogOptions } from '../plan/chosen-catalog.ts'
import { plainCatalog, planManifests, type Catalog } from '../plan/plan-manifests.ts'

const help = `Usage: scantling explain node NAME [options]
       scantling explain pod [NAMESPACE/]NAME [options]
       scantling explain nodeclaim NAME [options]

Says why a node is not taken away: the reason that binds, and what would have to change. Of a
pod: why it waits. Of a NodeClaim: what it waits for, else as of its node.

${clusterHelp}
  -f, --filename PATH    files instead of a cluster, as kubectl get -o yaml writes them
      --catalog NAME     instance types: ${catalogNames.join(', ')}, a JSON file, or aws and azure
                         with --region (default: those of the embedded cluster's cloud, else of
                         the cloud and region that NodePools and Nodes tell)
      --region NAME      of --catalog aws or azure, such as eu-west-1 or westeurope
      --prices FILE      of --catalog aws or azure: your prices, as for scantling plan
      --json             print data instead of text
  -h, --help

Exit code: 0; 1 when there is no such object or no cluster; 2 for a wrong command line.`

const kinds: Readonly<Record<string, Subject['kind']>> = {
  node: 'node',
  nodes: 'node',
  pod: 'pod',
  pods: 'pod',
  nodeclaim: 'nodeclaim',
  nodeclaims: 'nodeclaim',
}

interface Source {
  readonly manifests: ReadonlyArray<Manifest>
  readonly types?: ReadonlyArray<InstanceType>
  readonly nowMs: number
}

const run = async (args: ReadonlyArray<string>, terminal: Terminal): Promise<number> => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      ...clusterOptions,
      filename: { type: 'string', short: 'f', multiple: true },
      catalog: { type: 'string' },
      region: { type: 'string' },
      prices: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    terminal.out(help)
    return 0
  }
  const subject = subjectOf(positionals)
  const source =
    values.filename === undefined ? await fromCluster(values, terminal) : fromFiles(values.filename, terminal)
  if (source === undefined) return 1
  const sorted = sortObjects(source.manifests)
  for (const problem of sorted.problems) terminal.err(`Refused: ${problem}`)
  const catalog = await catalogOf(values, source.types, sorted, terminal)
  if (catalog === undefined) return 1
  const plan = planManifests(sorted, catalog, { strategy: 'first-fit', nowMs: source.nowMs })
  const found = explain(subject, plan)
  if (found === undefined) {
    const names = namesOf(subject.kind, plan)
    const shown = names.slice(0, 5).join(', ')
    terminal.err(
      `There is no ${subject.kind} ${subject.name}; there ${names.length === 0 ? 'are none' : `${names.length === 1 ? 'is' : 'are'} ${shown}${names.length > 5 ? ` and ${names.length - 5} others` : ''}`}`,
    )
    return 1
  }
  terminal.out(values.json ? JSON.stringify(found, undefined, 2) : render(found))
  return 0
}

const subjectOf = ([kind, name, ...more]: ReadonlyArray<string>): Subject => {
  const known = kind !== undefined && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined
  if (known === undefined)
    throw new UsageError(
      kind === undefined
        ? 'Name what to explain: node NAME, pod NAMESPACE/NAME or nodeclaim NAME'
        : `Cannot explain ${JSON.stringify(kind)}: expected node, pod or nodeclaim`,
    )
  if (name === undefined) throw new UsageError(`Name the ${known} to explain`)
  if (more.length > 0) throw new UsageError(`Cannot explain ${[name, ...more].join(', ')} at once: name one ${known}`)
  return { kind: known, name }
}

const fromFiles = (paths: ReadonlyArray<string>, terminal: Terminal): Source | undefined => {
  const { manifests, problems } = readManifests(paths)
  for (const problem of problems) terminal.err(`Refused: ${problem}`)
  return manifests.length === 0 ? undefined : { manifests, nowMs: Date.now() }
}

const fromCluster = async (choice: ClusterChoice, terminal: Terminal): Promise<Source | undefined> => {
  const cluster = await connectLive(choice, process.env)
  if (E.isLeft(cluster)) {
    terminal.err(cluster.left)
    return undefined
  }
  const { client, server, cloud, nowMs, close } = cluster.right
  try {
    const manifests = await listObjects(client, server)
    const types = cloud === undefined ? undefined : await fetchCatalog(cloud)
    for (const answer of [manifests, types])
      if (answer !== undefined && E.isLeft(answer)) terminal.err(String(answer.left))
    if (E.isLeft(manifests)) return undefined
    return {
      manifests: manifests.right,
      nowMs: nowMs(),
      ...(types !== undefined && E.isRight(types) && { types: types.right }),
    }
  } finally {
    close()
  }
}

const catalogOf = async (
  choice: CatalogOptions,
  own: ReadonlyArray<InstanceType> | undefined,
  sorted: SortedObjects,
  terminal: Terminal,
): Promise<Catalog | undefined> => {
  const isNamed = choice.catalog !== undefined
  if (!isNamed && own !== undefined) return plainCatalog(own)
  const { nodePools, nodes } = sorted.lists
  const named = isNamed
    ? choice
    : { ...choice, ...(whereabouts(nodePools, nodes) ?? { catalog: defaultCatalog(nodePools) }) }
  if (!isNamed)
    terminal.err(
      `Instance types and prices are those of the catalogue ${[named.catalog, named.region].filter(Boolean).join(' for ')}; name others with --catalog`,
    )
  const chosen = await chosenCatalog(named, sorted)
  for (const line of E.isRight(chosen) ? [...chosen.right.problems, ...chosen.right.notes] : chosen.left)
    terminal.err(line)
  return E.isRight(chosen) ? chosen.right : undefined
}

const render = ({ kind, name, verdict, because, remedy }: Explanation): string =>
  [
    `${kind} ${name} ${verdict}: ${because}`,
    ...(remedy === undefined ? [] : [`To change that: ${remedy.charAt(0).toLowerCase()}${remedy.slice(1)}`]),
  ].join('\n')

export const explainCommand: Command = {
  name: 'explain',
  summary: 'say why a node stays, a pod waits, a NodeClaim is not ready',
  help,
  run,
}
