import { Environment, type ParseResult } from '@marcbachmann/cel-js'
import { Quantity } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'

/** What an expression may speak of. */
export interface ExpressionVariables {
  readonly vcpus: number
  readonly memoryMib: number
  /** Network interfaces of the card that pods use. */
  readonly defaultEnis: number
  readonly ipsPerEni: number
  /** In `maxPods`: what it would be without; elsewhere what it is. */
  readonly maxPods: number
  readonly instanceType: string
}

/** An expression in CEL over an instance type that yields a number. */
export interface Expression {
  readonly text: string
  /** The value, cut off at the point. Errors: a sentence, such as for a division by zero. */
  readonly evaluate: (variables: ExpressionVariables) => E.Either<string, bigint>
}

const environment = (['max', 'min'] as const).reduce(
  (env, name) => {
    const choose = (a: number | bigint, b: number | bigint) => ((name === 'max' ? a > b : a < b) ? a : b)
    env.registerFunction(`${name}(int, int): int`, choose)
    for (const types of ['double, double', 'int, double', 'double, int'])
      env.registerFunction(`${name}(${types}): double`, (a: number | bigint, b: number | bigint) =>
        Number(choose(a, b)),
      )
    return env
  },
  new Environment()
    .registerVariable('vcpus', 'int')
    .registerVariable('memory_mib', 'int')
    .registerVariable('default_enis', 'int')
    .registerVariable('ips_per_eni', 'int')
    .registerVariable('max_pods', 'int')
    .registerVariable('instance_type', 'string'),
)

const reasonOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? 'unknown error'

const problem = (text: string, reason: string) => `Cannot use expression ${JSON.stringify(text)}: ${reason}`

/**
 * Compiles an expression, once per text.
 *
 * Errors: a sentence, where the text is no expression or yields no number.
 */
export const compileExpression = (text: string): E.Either<string, Expression> => {
  const present = compiled.get(text)
  if (present !== undefined) return E.right(present)
  return pipe(
    E.tryCatch(() => environment.parse(text), reasonOf),
    E.chain((program) => {
      const checked = program.check()
      if (!checked.valid) return E.left(reasonOf(checked.error))
      return checked.type === 'int' || checked.type === 'double'
        ? E.right({ text, evaluate: evaluateWith(program, text) })
        : E.left(`it yields ${checked.type ?? 'no value'}, not a number`)
    }),
    E.bimap(
      (reason) => problem(text, reason),
      (expression) => {
        // Texts come from NodeClasses, which are few; edits over months must not add up.
        if (compiled.size >= mostCompiled) compiled.clear()
        compiled.set(text, expression)
        return expression
      },
    ),
  )
}

// A function of its key alone, so nothing can be stale.
const compiled = new Map<string, Expression>()
const mostCompiled = 1000

const evaluateWith =
  (program: ParseResult, text: string) =>
  (variables: ExpressionVariables): E.Either<string, bigint> =>
    pipe(
      E.tryCatch(
        () =>
          program({
            vcpus: BigInt(variables.vcpus),
            memory_mib: BigInt(variables.memoryMib),
            default_enis: BigInt(variables.defaultEnis),
            ips_per_eni: BigInt(variables.ipsPerEni),
            max_pods: BigInt(variables.maxPods),
            instance_type: variables.instanceType,
          }) as unknown,
        reasonOf,
      ),
      E.chain((value) => {
        if (typeof value === 'bigint') return E.right(value)
        return typeof value === 'number' && Number.isFinite(value)
          ? E.right(BigInt(Math.trunc(value)))
          : E.left(`it yields ${String(value)}`)
      }),
      E.mapLeft((reason) => problem(text, `for ${variables.instanceType}, ${reason}`)),
    )

/** Whether a value of `kubeReserved` or `systemReserved` is an expression: what is no quantity is one. */
export const isExpression = (value: string): boolean => E.isLeft(Quantity.parse(value))

const largest = 2n ** 63n - 1n

/**
 * The result of an expression as an amount of the resource (A-CEL-04).
 *
 * CPU in millicores rounded up to 10, memory in MiB rounded up to 16, storage in GiB, others as they are.
 */
export const amountOf = (resource: string, result: bigint): string => {
  const roundedUp = (step: bigint) => {
    const rounded = ((result + step - 1n) / step) * step
    return rounded > largest ? result : rounded
  }
  if (result === 0n) return '0'
  switch (resource) {
    case 'cpu':
      return `${roundedUp(10n)}m`
    case 'memory':
      return `${roundedUp(16n)}Mi`
    case 'ephemeral-storage':
      return `${result}Gi`
    default:
      return String(result)
  }
}
