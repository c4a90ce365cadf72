import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import type { DraftObject } from './face.ts'
import { isObject } from './server/json.ts'

/**
 * Reads the CustomResourceDefinitions of YAML or JSON files; of a directory, all of them in order of their names.
 *
 * Errors: rejects with one sentence that names the file, and the document in it, that cannot be read.
 */
export const readDefinitions = async (paths: ReadonlyArray<string>): Promise<ReadonlyArray<DraftObject>> => {
  const definitions: DraftObject[] = []
  for (const path of paths) {
    for (const file of await filesAt(path)) definitions.push(...(await definitionsIn(file)))
  }
  return definitions
}

const filesAt = async (path: string): Promise<ReadonlyArray<string>> => {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) throw new Error(`Cannot read definitions from "${path}": no such file or directory`)
  if (!found.isDirectory()) return [path]
  const names = await readdir(path)
  return names
    .filter((name) => /\.(ya?ml|json)$/.test(name))
    .sort()
    .map((name) => join(path, name))
}

const definitionsIn = async (file: string): Promise<ReadonlyArray<DraftObject>> => {
  const found: DraftObject[] = []
  for (const [index, document] of parseAllDocuments(await readFile(file, 'utf8')).entries()) {
    const [problem] = document.errors
    if (problem !== undefined) {
      throw new Error(
        `Cannot read definitions from "${file}", document ${index + 1}: ${problem.message.split('\n')[0]}`,
      )
    }
    const value: unknown = document.toJS()
    if (isObject(value) && value['kind'] === 'CustomResourceDefinition') found.push(value)
  }
  return found
}
