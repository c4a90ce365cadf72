import { existsSync, readFileSync } from 'node:fs'

import type { InstanceType, NodePoolObject } from '@scantling/core'
import { catalogNames, catalogTypes, isCatalogName, readCatalog } from '@scantling/provider-kwok'
import * as E from 'fp-ts/lib/Either.js'

/** The instance types of `--catalog`: a name that we generate, or a file in the format of the kwok provider. */
export const chooseCatalog = (choice: string): E.Either<ReadonlyArray<string>, ReadonlyArray<InstanceType>> => {
  if (isCatalogName(choice)) return E.right(catalogTypes(choice))
  if (!existsSync(choice)) {
    return E.left([
      `Cannot read catalogue ${choice}: there is no such file; write ${catalogNames.join(', ')} or a file`,
    ])
  }
  let json: unknown
  try {
    json = JSON.parse(readFileSync(choice, 'utf8'))
  } catch (error) {
    return E.left([`Cannot read catalogue ${choice}: ${error instanceof Error ? error.message : String(error)}`])
  }
  const read = readCatalog(json)
  return E.isRight(read) ? read : E.left(read.left.map((problem) => `${choice}: ${problem}`))
}

const azureGroup = 'karpenter.azure.com'

/** Without `--catalog`: Azure's where every NodePool names Azure's classes or labels, and EC2's otherwise. */
export const defaultCatalog = (nodePools: ReadonlyArray<NodePoolObject>): string =>
  nodePools.length > 0 && nodePools.every(isAzures) ? 'azure-like' : 'ec2-like'

const isAzures = ({ spec: { template } }: NodePoolObject): boolean =>
  template.spec.nodeClassRef.group === azureGroup ||
  template.spec.requirements.some(({ key }) => key.startsWith(`${azureGroup}/`))
