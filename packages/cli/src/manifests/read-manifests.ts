import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

import { parseAllDocuments, type Document, type ParsedNode, type YAMLError } from 'yaml'

/** One object of a file and where it stands there. */
export interface Manifest {
  readonly file: string
  /** Counted from 1, as `---` separates them. */
  readonly document: number
  readonly object: Readonly<Record<string, unknown>>
}

export interface ReadManifests {
  readonly manifests: ReadonlyArray<Manifest>
  /** A sentence for each thing that could not be read. */
  readonly problems: ReadonlyArray<string>
}

/**
 * Reads the objects of files and directories, as `kubectl -f` does: YAML or JSON, several documents, lists unpacked.
 *
 * `-` is standard input. What cannot be read becomes a problem, and the rest counts.
 */
export const readManifests = (paths: ReadonlyArray<string>): ReadManifests => {
  const manifests: Array<Manifest> = []
  const problems: Array<string> = []
  for (const path of paths) {
    for (const file of filesOf(path, problems)) {
      const text = readText(file, problems)
      if (text === undefined) continue
      const read = parseManifests(text, file === '-' ? 'standard input' : file)
      manifests.push(...read.manifests)
      problems.push(...read.problems)
    }
  }
  return { manifests, problems }
}

const filesOf = (path: string, problems: Array<string>): ReadonlyArray<string> => {
  if (path === '-') return ['-']
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) {
    problems.push(`Cannot read ${path}: there is no such file or directory`)
    return []
  }
  if (!stat.isDirectory()) return [path]
  const files = readdirSync(path)
    .filter((name) => /\.(ya?ml|json)$/.test(name) && name !== 'package.json' && name !== 'tsconfig.json')
    .sort()
  if (files.length === 0) problems.push(`Cannot read ${path}: it holds no .yaml, .yml or .json file`)
  return files.map((name) => join(path, name))
}

/** Manifests of a whole cluster are a few megabytes; what is larger is another file, or a snapshot that was renamed. */
const longestManifestBytes = 64 * 2 ** 20

const readText = (file: string, problems: Array<string>): string | undefined => {
  const size = file === '-' ? 0 : (statSync(file, { throwIfNoEntry: false })?.size ?? 0)
  if (size > longestManifestBytes) {
    problems.push(tooLarge(file, size, longestManifestBytes))
    return undefined
  }
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch (error) {
    problems.push(`Cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}

const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`

/** The sentence about a file that is not even opened. */
export const tooLarge = (file: string, bytes: number, most: number): string =>
  `Cannot read ${file}: it has ${mebibytes(bytes)}, and ${mebibytes(most)} are the most that is read; pass a smaller file`

// Enough for any manifest; a file whose aliases unfold without end must not take the memory with it.
const aliasBound = 1000

/** The objects of one text; see {@link readManifests}. */
export const parseManifests = (text: string, file: string): ReadManifests => {
  const manifests: Array<Manifest> = []
  const problems: Array<string> = []
  const documents = parseAllDocuments(text, { prettyErrors: true })
  if (!Array.isArray(documents)) return { manifests, problems }
  for (const [index, content] of (documents as ReadonlyArray<Document.Parsed<ParsedNode>>).entries()) {
    const place = `${file}, document ${index + 1}`
    const [error] = content.errors
    if (error !== undefined) {
      problems.push(`${place}: Cannot parse YAML${renderYamlError(error, text)}`)
      continue
    }
    let value: unknown
    try {
      value = content.toJS({ maxAliasCount: aliasBound })
    } catch (cause) {
      problems.push(`${place}: Cannot read YAML: ${cause instanceof Error ? cause.message : String(cause)}`)
      continue
    }
    // An empty document between two separators counts, but holds nothing to refuse.
    if (value === null) continue
    for (const object of unpack(value)) {
      if (isManifestObject(object)) manifests.push({ file, document: index + 1, object })
      else problems.push(`${place}: Expected a Kubernetes object with apiVersion, kind and metadata.name`)
    }
  }
  return { manifests, problems }
}

const renderYamlError = (error: YAMLError, text: string): string => {
  const [summary = ''] = error.message.split('\n')
  const reason = summary.replace(/ at line \d+, column \d+:?$/, '')
  const [position] = error.linePos ?? []
  if (position === undefined) return `: ${reason}`
  const line = (text.split('\n')[position.line - 1] ?? '').trim()
  return ` at line ${position.line}, column ${position.col}: ${reason}; check indentation and quotes of ${JSON.stringify(line.slice(0, 80))}`
}

const unpack = (value: unknown): ReadonlyArray<unknown> => {
  const { kind, items } = (value ?? {}) as { readonly kind?: unknown; readonly items?: unknown }
  return typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items) ? items : [value]
}

const isManifestObject = (value: unknown): value is Readonly<Record<string, unknown>> => {
  const { apiVersion, kind } = (value ?? {}) as { readonly apiVersion?: unknown; readonly kind?: unknown }
  return (
    typeof value === 'object' && !Array.isArray(value) && typeof apiVersion === 'string' && typeof kind === 'string'
  )
}

/** `pools.yaml, document 2 (NodePool default)`, the beginning of every sentence about a manifest. */
export const placeOf = ({ file, document, object }: Manifest): string => {
  const { kind, metadata } = object as { readonly kind?: string; readonly metadata?: { readonly name?: unknown } }
  const name = typeof metadata?.name === 'string' ? ` ${metadata.name}` : ''
  return `${file}, document ${document} (${kind}${name})`
}
