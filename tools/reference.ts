import { documentationOf, type CustomResource, type FieldDocumentation } from '@scantling/core'
import { customResources } from './crds.ts'

/** `docs/reference.md`: every field of every kind that we install. */
export const renderReference = (): Readonly<Record<string, string>> => ({
  'docs/reference.md': [
    '# Reference of the custom resources',
    '',
    'Written by `npm run generate` from the schemas; not edited by hand. The kinds, fields and rules are those of Karpenter, so its manifests apply as they are. Rules that span fields stand in `deploy/crds`.',
    '',
    ...customResources.flatMap(renderKind),
  ].join('\n'),
})

const renderKind = ({ group, kind, versions }: CustomResource): ReadonlyArray<string> => [
  `## ${kind} (${group}/${versions[0].name})`,
  '',
  '| Field | Type | Required | Default | Meaning |',
  '|---|---|---|---|---|',
  ...documentationOf(versions[0].schema).filter(isOwn).map(renderRow),
  '',
]

// What every object has is explained by Kubernetes, and conditions are the same everywhere.
const isOwn = ({ path }: FieldDocumentation): boolean =>
  (path.startsWith('spec.') || path.startsWith('status.')) && !path.startsWith('status.conditions[]')

const renderRow = ({ path, type, isRequired, default: value, description }: FieldDocumentation): string => {
  const shown = isRequired ? '' : renderDefault(value)
  return `| \`${path}\` | ${type.replaceAll('|', '\\|')} | ${isRequired ? 'yes' : ''} | ${shown} | ${description.replaceAll('|', '\\|')} |`
}

// Empty lists and objects are what decoding makes of an absent field, and say nothing to a reader.
const renderDefault = (value: unknown): string => {
  const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0
  return value === undefined || isEmpty || value === ''
    ? ''
    : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``
}
