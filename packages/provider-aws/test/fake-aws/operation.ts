import * as E from 'fp-ts/lib/Either.js'
import type { AwsCall, AwsError } from '../../src/sdk/index.ts'

/** An error that the fake cloud answers with. */
export class Refusal extends Error {
  readonly error: Omit<AwsError, 'action'>
  constructor(code: string, message = code, rest: Partial<AwsError> = {}) {
    super(message)
    this.error = { code, message, httpStatus: 400, ...rest }
  }
}

/** An error that waits for a call; `isAfter`: the call takes effect, and its answer is lost. */
export interface ArmedFailure {
  readonly error: Omit<AwsError, 'action'>
  readonly isAfter?: true
}

/** What happens to calls on their way, whatever the service. */
export interface Switchboard {
  /** Every call in order, with its input. */
  readonly calls: Array<{ readonly action: string; readonly input: unknown }>
  /** Errors for the next calls of an action, first come first served; `undefined` lets one pass. */
  readonly failures: Map<string, Array<ArmedFailure | undefined>>
  /** Actions that the controller's role may not take. */
  readonly denied: Set<string>
  /** Told of each call before and after it took effect; a throw stands for the end of the process. */
  hook?: (moment: 'before' | 'after', action: string) => void | Promise<void>
}

export const operation =
  <Input, Output>(
    board: Switchboard,
    action: string,
    answer: (input: Input) => Output | Promise<Output>,
  ): AwsCall<Input, Output> =>
  (input, signal) =>
  async () => {
    if (signal.aborted) return E.left({ action, code: 'Cancelled', message: `${action} was cancelled` })
    board.calls.push({ action, input })
    await board.hook?.('before', action)
    const armed = board.failures.get(action)?.shift()
    const failure = armed === undefined ? undefined : E.left({ action, ...armed.error })
    if (failure !== undefined && armed?.isAfter !== true) return failure
    const denied = [action, ...impliedBy(action, input)].find((one) => board.denied.has(one))
    if (denied !== undefined) return E.left({ action, ...denial(denied) })
    try {
      const output = await answer(input)
      await board.hook?.('after', action)
      return failure ?? E.right(output)
    } catch (thrown) {
      if (thrown instanceof Refusal) return E.left({ action, ...thrown.error })
      throw thrown
    }
  }

/** Rights that AWS asks for beside the one that bears the name of the call. */
const implied: Readonly<Record<string, ReadonlyArray<string>>> = {
  'ec2:CreateFleet': ['ec2:RunInstances', 'ec2:CreateTags', 'iam:PassRole'],
  'ec2:CreateLaunchTemplate': ['ec2:CreateTags'],
  'ec2:RunInstances': ['ec2:CreateTags', 'iam:PassRole'],
  'iam:AddRoleToInstanceProfile': ['iam:PassRole'],
  'iam:CreateInstanceProfile': ['iam:TagInstanceProfile'],
}

/** A dry run of CreateFleet does not look at the rights of the machines it would start, which is why RunInstances is tried too. */
const impliedBy = (action: string, input: unknown): ReadonlyArray<string> =>
  action === 'ec2:CreateFleet' && (input as { readonly DryRun?: boolean }).DryRun === true
    ? []
    : (implied[action] ?? [])

const denial = (action: string): Omit<AwsError, 'action'> => ({
  code: action.startsWith('ec2:') ? 'UnauthorizedOperation' : 'AccessDeniedException',
  message: `You are not authorized to perform ${action} because no identity-based policy allows it`,
  httpStatus: 403,
})

interface Filter {
  readonly Name?: string | undefined
  readonly Values?: ReadonlyArray<string> | undefined
}
interface Tag {
  readonly Key?: string | undefined
  readonly Value?: string | undefined
}

/** Whether a resource meets all filters; `attributes` gives what filters other than of tags look at. */
export const meets = (
  tags: ReadonlyArray<Tag> | undefined,
  attributes: Readonly<Record<string, string | undefined>>,
  filters: ReadonlyArray<Filter> | undefined,
): boolean =>
  (filters ?? []).every(({ Name = '', Values = [] }) => {
    const actual = Name.startsWith('tag:')
      ? (tags ?? []).filter(({ Key }) => Key === Name.slice(4)).map(({ Value = '' }) => Value)
      : Name === 'tag-key'
        ? (tags ?? []).map(({ Key = '' }) => Key)
        : Name in attributes
          ? [attributes[Name] ?? '']
          : unknownFilter(Name)
    return actual.some((value) => Values.some((pattern) => isLike(value, pattern)))
  })

const unknownFilter = (name: string): never => {
  throw new Refusal('InvalidParameterValue', `The filter '${name}' is invalid`)
}

const isLike = (value: string, pattern: string): boolean =>
  new RegExp(
    `^${pattern
      .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
    's',
  ).test(value)

/** One page of a list; the token is the place to go on from. */
export const page = <A>(
  items: ReadonlyArray<A>,
  size: number,
  token: string | undefined,
): { readonly items: Array<A>; readonly NextToken?: string } => {
  const from = token === undefined ? 0 : Number(token)
  const to = from + size
  return { items: items.slice(from, to), ...(to < items.length && { NextToken: String(to) }) }
}
