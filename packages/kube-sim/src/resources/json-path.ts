import { isObject } from '../server/json.ts'

type Step =
  | { readonly _tag: 'key'; readonly key: string }
  | { readonly _tag: 'index'; readonly index: number }
  | { readonly _tag: 'where'; readonly key: string; readonly value: string }

const stepPattern =
  /\.((?:[^.[\\]|\\.)+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\[\?\(@\.([\w.-]+)\s*==\s*["']([^"']*)["']\)\]/y

/**
 * Reads the JSONPath of a printer column: keys (dots in them escaped), positions, and `[?(@.type=="Ready")]`.
 *
 * Gives a function from an object to the first value there; what the path does not find is `undefined`.
 */
export const parseJsonPath = (path: string): ((object: unknown) => unknown) => {
  const text = path.startsWith('.') || path.startsWith('[') ? path : `.${path}`
  const steps: Step[] = []
  stepPattern.lastIndex = 0
  while (stepPattern.lastIndex < text.length) {
    const match = stepPattern.exec(text)
    if (match === null) return () => undefined
    const [, key, index, quoted, field, value] = match
    if (key !== undefined) steps.push({ _tag: 'key', key: key.replaceAll(/\\(.)/g, '$1') })
    else if (index !== undefined) steps.push({ _tag: 'index', index: Number(index) })
    else if (quoted !== undefined) steps.push({ _tag: 'key', key: quoted })
    else steps.push({ _tag: 'where', key: field ?? '', value: value ?? '' })
  }
  return (object) => steps.reduce<unknown>(follow, object)
}

const follow = (value: unknown, step: Step): unknown => {
  switch (step._tag) {
    case 'key':
      return isObject(value) && Object.hasOwn(value, step.key) ? value[step.key] : undefined
    case 'index':
      return Array.isArray(value) ? value[step.index] : undefined
    case 'where':
      return Array.isArray(value) ? value.find((item) => isObject(item) && item[step.key] === step.value) : undefined
  }
}
