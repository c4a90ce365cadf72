import { isAbsolute } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import type { AzureSettings } from '../settings.ts'

/** A cloud of Azure: where it is, and who vouches for callers. */
export interface AzureEnvironment {
  readonly name: string
  readonly resourceManagerEndpoint: string
  readonly activeDirectoryEndpoint: string
  readonly tokenAudience: string
}

const environment = (name: string, manager: string, directory: string, audience: string): AzureEnvironment => ({
  name,
  resourceManagerEndpoint: `https://${manager}`,
  activeDirectoryEndpoint: `https://${directory}`,
  tokenAudience: `https://${audience}`,
})

export const publicCloud = environment(
  'AzurePublicCloud',
  'management.azure.com',
  'login.microsoftonline.com',
  'management.core.windows.net/',
)

/** By name in lower case. Source: https://learn.microsoft.com/azure/active-directory/develop/authentication-national-cloud */
const clouds: ReadonlyMap<string, AzureEnvironment> = new Map(
  [
    publicCloud,
    environment(
      'AzureChinaCloud',
      'management.chinacloudapi.cn',
      'login.chinacloudapi.cn',
      'management.core.chinacloudapi.cn',
    ),
    environment(
      'AzureUSGovernmentCloud',
      'management.usgovcloudapi.net',
      'login.microsoftonline.us',
      'management.core.usgovcloudapi.net',
    ),
  ].map((one) => [one.name.toLowerCase(), one]),
)
/** Other names that SDKs of Azure know the same clouds by. */
const aliases: ReadonlyMap<string, string> = new Map([
  ['azurecloud', 'azurepubliccloud'],
  ['azurepublic', 'azurepubliccloud'],
  ['azurechina', 'azurechinacloud'],
  ['azureusgovernment', 'azureusgovernmentcloud'],
])

/**
 * The cloud that the settings name: by a file, by a name, or the public one (Z-AUTH-02).
 *
 * Errors: both; a name that is none; a file that cannot be read, or lacks a field.
 */
export const environmentOf = (
  { cloud, environmentFilepath }: Pick<AzureSettings, 'cloud' | 'environmentFilepath'>,
  readFile: (path: string) => string,
): E.Either<string, AzureEnvironment> => {
  if (environmentFilepath !== '')
    return cloud === ''
      ? environmentIn(environmentFilepath, readFile)
      : E.left('arm-cloud and azure-environment-filepath cannot both be set: leave one out')
  if (cloud === '') return E.right(publicCloud)
  const name = cloud.toLowerCase()
  const found = clouds.get(aliases.get(name) ?? name)
  return found === undefined
    ? E.left(
        `arm-cloud: Invalid value: ${JSON.stringify(cloud)}: expected ${[...clouds.values()].map((one) => one.name).join(' | ')}`,
      )
    : E.right(found)
}

const environmentIn = (path: string, readFile: (path: string) => string): E.Either<string, AzureEnvironment> => {
  const invalid = (reason: string) =>
    E.left(`azure-environment-filepath: Invalid value: ${JSON.stringify(path)}: ${reason}`)
  if (!isAbsolute(path)) return invalid('expected an absolute path')
  const read = E.tryCatch(
    () => JSON.parse(readFile(path)) as Readonly<Record<string, unknown>>,
    (cause) => `it cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
  )
  if (E.isLeft(read)) return invalid(read.left)
  const { name, resourceManagerEndpoint, activeDirectoryEndpoint, tokenAudience } = read.right
  const required = { resourceManagerEndpoint, activeDirectoryEndpoint, tokenAudience }
  const missing = Object.entries(required).flatMap(([field, value]) =>
    typeof value === 'string' && value !== '' ? [] : [field],
  )
  if (missing.length > 0) return invalid(`it has no ${missing.join(', ')}`)
  return E.right({
    name: typeof name === 'string' && name !== '' ? name : 'AzureStackCloud',
    resourceManagerEndpoint: withoutSlash(String(resourceManagerEndpoint)),
    activeDirectoryEndpoint: withoutSlash(String(activeDirectoryEndpoint)),
    tokenAudience: String(tokenAudience),
  })
}

const withoutSlash = (address: string): string => address.replace(/\/+$/, '')

/** What tokens are asked for in a cloud (Z-AUTH-03). */
export const scopeOf = ({ tokenAudience }: Pick<AzureEnvironment, 'tokenAudience'>): string =>
  `${withoutSlash(tokenAudience)}/.default`
