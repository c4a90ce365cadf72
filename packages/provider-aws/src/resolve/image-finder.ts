import type { CancelSignal } from '@scantling/core'
import { memoize, traverseBounded } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import {
  aliasParameters,
  aliasQuery,
  parametersOfTerms,
  selectImages,
  termQueries,
  type ImageQuery,
} from '../image/index.ts'
import { aliasOf, type Ec2NodeClass, type ResolvedImage } from '../node-class/index.ts'
import { everyPage, type AwsError, type Ec2Port } from '../sdk/index.ts'
import type { Parameters } from './parameters.ts'

const queriesAtOnce = 5
const parametersAtOnce = 10

/** Why the images of a NodeClass are not known. */
export type ImageProblem =
  | { readonly _tag: 'UnsupportedAlias'; readonly message: string }
  /** Its selectors name what is not there. */
  | { readonly _tag: 'NotFound'; readonly message: string }
  | { readonly _tag: 'Failed'; readonly error: AwsError }

/** The images that a NodeClass selects, as of the last refresh. */
export interface ImageFinder {
  readonly find: (
    nodeClass: Ec2NodeClass,
    kubernetesVersion: string,
    signal: CancelSignal,
  ) => TE.TaskEither<ImageProblem, ReadonlyArray<ResolvedImage>>
}

interface Question {
  readonly nodeClass: Ec2NodeClass
  readonly queries: ReadonlyArray<ImageQuery>
  readonly signal: CancelSignal
}

export const imageFinder = (options: {
  readonly ec2: Pick<Ec2Port, 'describeImages'>
  readonly parameters: Parameters
  readonly refreshMs: number
  readonly nowMs: () => number
}): ImageFinder => {
  const { ec2, parameters, refreshMs, nowMs } = options
  const failed = (error: AwsError): ImageProblem => ({ _tag: 'Failed', error })
  const cache = memoize<Question, ImageProblem, ReadonlyArray<ResolvedImage>>({
    // What parameters hold is part of the question: they are read each time, from a memory of their own.
    idOf: ({ nodeClass: { metadata }, queries }) =>
      `${metadata.uid}-${metadata.generation}-${JSON.stringify(queries.map(({ input }) => input))}`,
    ttlMs: refreshMs,
    nowMs,
    load: ({ queries, signal }) =>
      pipe(
        queries,
        traverseBounded(queriesAtOnce, (query) =>
          pipe(
            everyPage(ec2.describeImages, query.input, signal, ({ Images }) => Images),
            TE.map((images) => ({ query, images })),
          ),
        ),
        TE.bimap(failed, (answers) => selectImages(answers, nowMs())),
      ),
  })
  const valuesOf = (
    names: ReadonlyArray<{ readonly name: string; readonly isMutable: boolean; readonly isCustom: boolean }>,
    signal: CancelSignal,
  ): TE.TaskEither<ImageProblem, ReadonlyMap<string, string>> =>
    pipe(
      names,
      traverseBounded(parametersAtOnce, (parameter) => parameters.get(parameter, signal)),
      TE.bimap(failed, (values) => {
        const found = new Map<string, string>()
        values.forEach((value, index) => {
          if (value !== undefined) found.set(names[index]?.name ?? '', value)
        })
        return found
      }),
    )
  const queriesOf = (
    { spec }: Ec2NodeClass,
    kubernetesVersion: string,
    signal: CancelSignal,
  ): TE.TaskEither<ImageProblem, ReadonlyArray<ImageQuery>> => {
    const alias = aliasOf(spec)
    if (alias === undefined)
      return pipe(
        valuesOf(
          parametersOfTerms(spec.amiSelectorTerms).map((name) => ({ name, isMutable: false, isCustom: true })),
          signal,
        ),
        TE.map((values) => termQueries(spec.amiSelectorTerms, values)),
      )
    const paths = aliasParameters(alias, kubernetesVersion)
    if (E.isLeft(paths)) return TE.left({ _tag: 'UnsupportedAlias', message: paths.left })
    return pipe(
      valuesOf(
        paths.right.map(({ path, isMutable }) => ({ name: path, isMutable, isCustom: false })),
        signal,
      ),
      TE.chain((values) =>
        TE.fromEither(
          pipe(
            aliasQuery(
              spec.amiSelectorTerms.find((term) => term.alias !== undefined)?.alias ?? '',
              paths.right,
              values,
            ),
            E.bimap(
              (message): ImageProblem => ({ _tag: 'NotFound', message }),
              (query) => [query],
            ),
          ),
        ),
      ),
    )
  }
  return {
    find: (nodeClass, kubernetesVersion, signal) =>
      pipe(
        queriesOf(nodeClass, kubernetesVersion, signal),
        TE.chain((queries) => cache.get({ nodeClass, queries, signal })),
      ),
  }
}
