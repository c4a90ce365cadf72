import { Labels, type NodeObject, type NodePoolObject } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'

import { UsageError } from '../command.ts'
import type { SortedObjects } from '../manifests/sort-objects.ts'
import { chooseCatalog, defaultCatalog } from './catalog-choice.ts'
import { cloudCatalog, clouds, type Cloud } from './cloud-catalog.ts'
import { plainCatalog, type Catalog } from './plan-manifests.ts'

/** What a command line says of instance types. */
export interface CatalogOptions {
  readonly catalog?: string | undefined
  readonly region?: string | undefined
  readonly prices?: string | undefined
}

/** The catalogue that a command line names, for the NodeClasses that are there. Left: what is wrong with it. */
export const chosenCatalog = async (
  { catalog, region, prices }: CatalogOptions,
  { lists, nodeClasses }: Pick<SortedObjects, 'lists' | 'nodeClasses'>,
): Promise<E.Either<ReadonlyArray<string>, Catalog>> => {
  const cloud = clouds.find((one) => one === catalog)
  if (cloud !== undefined) {
    if (region === undefined)
      throw new UsageError(
        `Name the region of --catalog ${cloud}, such as --region ${cloud === 'aws' ? 'eu-west-1' : 'westeurope'}`,
      )
    return E.mapLeft((problem: string) => [problem])(await cloudCatalog(cloud, region, prices, nodeClasses))
  }
  if (region !== undefined || prices !== undefined)
    throw new UsageError(
      '--region and --prices go with --catalog aws and --catalog azure; other catalogues have prices of their own',
    )
  return E.map(plainCatalog)(chooseCatalog(catalog ?? defaultCatalog(lists.nodePools)))
}

const cloudOfGroup: ReadonlyMap<string, Cloud> = new Map([
  ['karpenter.k8s.aws', 'aws'],
  ['karpenter.azure.com', 'azure'],
])

/** The cloud and region that a running cluster is in, by its NodePools and Nodes; `undefined` where they do not tell. */
export const whereabouts = (
  nodePools: ReadonlyArray<NodePoolObject>,
  nodes: ReadonlyArray<NodeObject>,
): { readonly catalog: Cloud; readonly region: string } | undefined => {
  const [group, ...others] = new Set(nodePools.map(({ spec }) => spec.template.spec.nodeClassRef.group))
  const catalog = cloudOfGroup.get(group ?? '')
  const region = nodes.map(({ metadata }) => Labels.get(metadata.labels, 'topology.kubernetes.io/region')).find(Boolean)
  return catalog === undefined || region === undefined || others.length > 0 ? undefined : { catalog, region }
}
