import type { CancelSignal } from '@scantling/core'
import { pages } from '@scantling/provider-kit'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { AwsError } from './aws-error.ts'
import type { AwsCall } from './ports.ts'

/**
 * The items of all pages of an operation that is paged by `NextToken`.
 *
 * Errors: the first page that fails fails the whole.
 *
 * @example
 * everyPage(ports.ec2.describeSubnets, { MaxResults: 500 }, signal, ({ Subnets }) => Subnets)
 */
export const everyPage = <
  Input extends { NextToken?: string | undefined },
  Output extends { NextToken?: string | undefined },
  Item,
>(
  call: AwsCall<Input, Output>,
  input: Input,
  signal: CancelSignal,
  itemsOf: (output: Omit<Output, '$metadata'>) => ReadonlyArray<Item> | undefined,
): TE.TaskEither<AwsError, ReadonlyArray<Item>> =>
  pages(
    (page) =>
      pipe(
        call(page === undefined ? input : { ...input, NextToken: page }, signal),
        TE.map((output) => {
          const next = (output as { NextToken?: string | undefined }).NextToken
          // Services end a list with an empty token as well as with none.
          return { items: itemsOf(output) ?? [], ...(next !== undefined && next !== '' && { next }) }
        }),
      ),
    (page): AwsError => ({
      action: 'list',
      code: 'UnreadableAnswer',
      message: `A list of AWS does not get past page ${page}`,
    }),
  )
