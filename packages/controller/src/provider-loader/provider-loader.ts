import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { NodeClassObject, ProviderModule } from '@scantling/core'

/** A provider's module, whatever its NodeClass and settings. */
export type AnyProviderModule = ProviderModule<NodeClassObject, unknown, unknown>

/** How a package is imported by name; the default looks beside this package, then from the working directory. */
export type ImportModule = (specifier: string) => Promise<unknown>

const shortNames = new Map([
  ['aws', '@scantling/provider-aws'],
  ['azure', '@scantling/provider-azure'],
  ['kwok', '@scantling/provider-kwok'],
])

// Names of packages only: no paths, no URLs, nothing that is fetched.
const packageName = /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/

/**
 * Imports the provider that `--provider` names: `aws`, `azure`, `kwok`, or an installed npm package.
 *
 * Errors: a sentence that names the package, what is wrong and the remedy. Installs nothing.
 */
export const loadProvider =
  (name: string, importModule: ImportModule = importInstalled): TaskEither<string, AnyProviderModule> =>
  async () => {
    const specifier = shortNames.get(name) ?? name
    if (!packageName.test(specifier)) {
      return E.left(
        `Cannot load provider ${JSON.stringify(name)}: not the name of a package; use aws, azure, kwok or an installed npm package`,
      )
    }
    let loaded: unknown
    try {
      loaded = await importModule(specifier)
    } catch (cause) {
      return E.left(
        isAbsent(cause, specifier)
          ? `Cannot load provider ${JSON.stringify(name)}: package ${specifier} is not installed; install it beside the controller`
          : `Cannot load provider ${JSON.stringify(name)}: package ${specifier} failed while loading: ${String(cause)}`,
      )
    }
    const provider = (loaded as { readonly provider?: unknown } | null)?.provider
    const wrong = faultsOf(provider)
    return wrong.length === 0
      ? E.right(provider as AnyProviderModule)
      : E.left(`Cannot use package ${specifier} as a provider: ${wrong.join('; ')}`)
  }

const importInstalled: ImportModule = async (specifier) => {
  try {
    return (await import(specifier)) as unknown
  } catch (cause) {
    if (!isAbsent(cause, specifier)) throw cause
    const fromWorkingDirectory = createRequire(join(process.cwd(), 'package.json')).resolve(specifier)
    return (await import(pathToFileURL(fromWorkingDirectory).href)) as unknown
  }
}

const isAbsent = (cause: unknown, specifier: string): boolean => {
  const { code, message } = (cause ?? {}) as { readonly code?: unknown; readonly message?: unknown }
  // The same codes are used for a dependency that the package itself misses, which is another mistake.
  return (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') && String(message).includes(`'${specifier}'`)
}

/** What keeps a value from being a ProviderModule; empty when nothing does. */
const faultsOf = (provider: unknown): ReadonlyArray<string> => {
  if (typeof provider !== 'object' || provider === null) {
    return ['it exports no value named provider; export const provider: ProviderModule<…> = { … }']
  }
  const { name, nodeClasses, create } = provider as Readonly<Record<string, unknown>>
  const faults: Array<string> = []
  if (typeof name !== 'string' || name === '') faults.push('provider.name is not a text')
  if (typeof create !== 'function') faults.push('provider.create is not a function')
  if (!Array.isArray(nodeClasses) || nodeClasses.length === 0)
    faults.push('provider.nodeClasses is not a list with a kind')
  else {
    for (const [index, nodeClass] of (
      nodeClasses as ReadonlyArray<Partial<AnyProviderModule['nodeClasses'][0]> | null>
    ).entries()) {
      const at = `provider.nodeClasses[${index}]`
      if (typeof nodeClass?.group !== 'string' || typeof nodeClass.kind !== 'string')
        faults.push(`${at} lacks group or kind`)
      if (typeof nodeClass?.names?.plural !== 'string') faults.push(`${at}.names.plural is not a text`)
      if (nodeClass?.versions?.[0]?.schema === undefined) faults.push(`${at}.versions has no version with a schema`)
    }
  }
  return faults
}
