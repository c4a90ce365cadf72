import type { DescribeImagesCommandInput, Filter } from '@aws-sdk/client-ec2'
import type { RequirementSpec } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import type { ImageSelectorTerm } from '../node-class/index.ts'
import type { AliasParameter } from './alias-parameters.ts'

/** One question to DescribeImages, and what is known of the images that answer it. */
export interface ImageQuery {
  readonly input: DescribeImagesCommandInput
  /** By image: the types that it is for. An image that is not there is for all types of its architecture. */
  readonly requirements: ReadonlyMap<string, ReadonlyArray<ReadonlyArray<RequirementSpec>>>
}

const question = (filters: ReadonlyArray<Filter>, owners?: ReadonlyArray<string>): DescribeImagesCommandInput => ({
  Filters: [...filters, { Name: 'state', Values: ['available'] }],
  IncludeDeprecated: true,
  MaxResults: 1000,
  ...(owners !== undefined && { Owners: [...owners] }),
})

const imageIds = (ids: Iterable<string>): Filter => ({ Name: 'image-id', Values: [...new Set(ids)].sort() })

/** The parameters of `ssmParameter` terms, which have to be looked up before there can be queries. */
export const parametersOfTerms = (terms: ReadonlyArray<ImageSelectorTerm>): ReadonlyArray<string> => [
  ...new Set(terms.flatMap(({ ssmParameter }) => (ssmParameter === undefined ? [] : [ssmParameter]))),
]

/**
 * The query for an alias, from what its parameters hold (A-AMI-01).
 *
 * A parameter that does not exist is absent. Errors: a sentence, where none of them exists (A-AMI-16).
 */
export const aliasQuery = (
  alias: string,
  parameters: ReadonlyArray<AliasParameter>,
  values: ReadonlyMap<string, string>,
): E.Either<string, ImageQuery> => {
  const requirements = new Map<string, ReadonlyArray<ReadonlyArray<RequirementSpec>>>()
  for (const { path, requirements: uses } of parameters) {
    const id = values.get(path)
    if (id !== undefined) requirements.set(id, [...(requirements.get(id) ?? []), ...uses])
  }
  return requirements.size === 0
    ? E.left(`Cannot find an image for alias ${JSON.stringify(alias)}: none of its SSM parameters exists`)
    : E.right({ input: question([imageIds(requirements.keys())]), requirements })
}

/**
 * The queries for terms without an alias (A-AMI-03…05): one for all ids and resolved parameters, and one for each other
 * term.
 *
 * `values` are what parameters hold; a term whose parameter is absent or holds no image is passed over (A-AMI-06).
 */
export const termQueries = (
  terms: ReadonlyArray<ImageSelectorTerm>,
  values: ReadonlyMap<string, string>,
): ReadonlyArray<ImageQuery> => {
  const ids: Array<string> = []
  const inputs: Array<DescribeImagesCommandInput> = []
  for (const term of terms) {
    if (term.id !== undefined) ids.push(term.id)
    else if (term.ssmParameter !== undefined) {
      const value = values.get(term.ssmParameter)
      if (value?.startsWith('ami-') === true) ids.push(value)
    } else if (term.alias === undefined) inputs.push(question(filtersOf(term), ownersOf(term)))
  }
  const all = ids.length === 0 ? inputs : [question([imageIds(ids)]), ...inputs]
  return all.map((input) => ({ input, requirements: new Map() }))
}

const filtersOf = ({ name, tags }: ImageSelectorTerm): ReadonlyArray<Filter> => [
  ...(name === undefined ? [] : [{ Name: 'name', Values: [name] }]),
  ...Object.entries(tags ?? {}).map(([key, value]): Filter =>
    value === '*' ? { Name: 'tag-key', Values: [key] } : { Name: `tag:${key}`, Values: [value] },
  ),
]

// Anyone may publish an image under any name: without an owner a name stands for Amazon's and the account's own.
const ownersOf = ({ name, owner }: ImageSelectorTerm): ReadonlyArray<string> | undefined =>
  owner !== undefined ? [owner] : name !== undefined ? ['self', 'amazon'] : undefined
