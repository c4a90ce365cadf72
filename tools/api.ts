import { publicSurface, type PublicName } from './public-surface.ts'

/** `docs/api.md`: every name that core exports, so that a change of the public surface is seen in review. */
export const renderApi = (): Readonly<Record<string, string>> => {
  const surface = publicSurface()
  const modules = [...new Set(surface.map(({ module }) => module))]
  return {
    'docs/api.md': [
      '# What core exports',
      '',
      'Written by `npm run generate` from `packages/core/src/index.ts`; not edited by hand. What is not listed here may change without notice. The contract of each function, with an example that the tests run, is its doc comment.',
      '',
      ...modules.flatMap((module) =>
        renderModule(
          module,
          surface.filter((one) => one.module === module),
        ),
      ),
    ].join('\n'),
  }
}

const headings = [
  ['function', 'Functions'],
  ['class', 'Classes'],
  ['value', 'Values'],
  ['type', 'Types'],
] as const

const renderModule = (module: string, names: ReadonlyArray<PublicName>): ReadonlyArray<string> => [
  `## ${module}`,
  '',
  ...headings.flatMap(([kind, heading]) => {
    const listed = names.filter((one) => (one.kind === 'interface' ? 'type' : one.kind) === kind)
    return listed.length === 0 ? [] : [`${heading}:`, '', ...renderNames(listed), '']
  }),
]

// One a line: a diff then shows what came and what went.
const renderNames = (names: ReadonlyArray<PublicName>): ReadonlyArray<string> =>
  names.map(({ name }) => `- \`${name}\``)
