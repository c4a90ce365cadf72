// What YAML reads back as the same text without quotes; everything else is quoted as JSON, which YAML contains.
const plain = /^[A-Za-z/.$][A-Za-z0-9 _./$%-]*[A-Za-z0-9./]$|^[A-Za-z]$/
const reserved = /^(true|false|null|yes|no|on|off|y|n|\.nan|\.inf|0x.*|0o.*|[0-9.]+)$/i

/** JSON data as YAML in block style, keys in the given order. Enough for generated manifests; not a general writer. */
export const renderYaml = (value: unknown): string => `${lines(value, '').join('\n')}\n`

const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null

const lines = (value: unknown, indent: string): ReadonlyArray<string> => {
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown) => {
      if (!isContainer(item) || isEmpty(item)) return [`${indent}- ${scalar(item)}`]
      const [first = '', ...rest] = lines(item, `${indent}  `)
      return [`${indent}- ${first.trimStart()}`, ...rest]
    })
  }
  if (!isContainer(value)) return [`${indent}${scalar(value)}`]
  return Object.entries(value).flatMap(([key, item]: [string, unknown]) =>
    isContainer(item) && !isEmpty(item)
      ? [`${indent}${scalar(key)}:`, ...lines(item, `${indent}  `)]
      : [`${indent}${scalar(key)}: ${scalar(item)}`],
  )
}

const isEmpty = (value: object): boolean => Object.keys(value).length === 0

const scalar = (value: unknown): string =>
  typeof value === 'string' && plain.test(value) && !reserved.test(value) ? value : JSON.stringify(value)
