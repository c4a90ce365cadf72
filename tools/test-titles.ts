import { parseSync } from '@swc/core'

/** A test or group of tests as it stands in a file: the titles from the outermost group inwards, as written. */
export interface Titled {
  readonly titles: ReadonlyArray<string>
}

/**
 * Every call in `source` whose first argument is a title and which is handed a function: `describe`, `test`,
 * `test.each(…)`, `(hasKubectl ? test : test.skip)` and whatever a test file defines of the kind. Nothing is run.
 *
 * What a title computes stands as `%s`, the way `test.each` writes it.
 */
export const testTitles = (source: string): ReadonlyArray<Titled> => {
  const found: Array<Titled> = []
  const visit = (node: unknown, outer: ReadonlyArray<string>): void => {
    if (Array.isArray(node)) {
      for (const child of node) visit(child, outer)
      return
    }
    if (typeof node !== 'object' || node === null) return
    const titles = titledCall(node as SyntaxNode, outer)
    if (titles !== undefined) found.push({ titles })
    for (const child of Object.values(node)) visit(child, titles ?? outer)
  }
  visit(parseSync(source, { syntax: 'typescript', target: 'es2024' }).body, [])
  return found
}

/** The names that jest gives the tests under these titles: joined by spaces, with any text for `%s`, `$name` and the like. */
export const namePattern = (titles: ReadonlyArray<string>): RegExp => {
  const literal = (text: string) => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)
  return new RegExp(
    `^${titles
      .join(' ')
      .split(/%[sdifjop#%]|\$[\w.#]+/)
      .map(literal)
      .join('.*')}`,
    's',
  )
}

interface SyntaxNode {
  readonly type?: string
  readonly value?: unknown
  readonly cooked?: string
  readonly quasis?: ReadonlyArray<SyntaxNode>
  readonly arguments?: ReadonlyArray<{ readonly expression: SyntaxNode }>
}

const titledCall = (node: SyntaxNode, outer: ReadonlyArray<string>): ReadonlyArray<string> | undefined => {
  if (node.type !== 'CallExpression') return undefined
  const [first, ...others] = (node.arguments ?? []).map(({ expression }) => expression)
  const title = first === undefined ? undefined : text(first)
  const hasBody = others.some(({ type }) => type === 'ArrowFunctionExpression' || type === 'FunctionExpression')
  return title !== undefined && hasBody ? [...outer, title] : undefined
}

const text = (node: SyntaxNode): string | undefined => {
  if (node.type === 'StringLiteral') return String(node.value)
  if (node.type === 'TemplateLiteral') return (node.quasis ?? []).map(({ cooked }) => cooked ?? '').join('%s')
  return undefined
}
