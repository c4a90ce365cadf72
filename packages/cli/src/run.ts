import { UsageError, type Command, type Terminal } from './command.ts'
import { convertCommand } from './commands/convert.ts'
import { explainCommand } from './commands/explain.ts'
import { interruptCommand } from './commands/interrupt.ts'
import { planCommand } from './commands/plan.ts'
import { simulateCommand } from './commands/simulate.ts'
import { topCommand } from './commands/top.ts'
import { tourCommand } from './commands/tour.ts'

const commands: ReadonlyArray<Command> = [
  planCommand,
  explainCommand,
  convertCommand,
  tourCommand,
  interruptCommand,
  topCommand,
  simulateCommand,
]

const overview = () => {
  const width = Math.max(...commands.map(({ name }) => name.length))
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`)
  return `Usage: scantling COMMAND [options]\n\n${lines.join('\n')}\n\nscantling COMMAND --help says more.`
}

/** Runs one command line and returns its exit code. */
export const runCommandLine = async (args: ReadonlyArray<string>, terminal: Terminal): Promise<number> => {
  const [name, ...rest] = args
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    terminal.out(overview())
    return name === undefined ? 2 : 0
  }
  const command = commands.find((one) => one.name === name)
  if (command === undefined) {
    terminal.err(
      `There is no command ${JSON.stringify(name)}; expected ${commands.map((one) => one.name).join(' or ')}`,
    )
    return 2
  }
  try {
    return await command.run(rest, terminal)
  } catch (error) {
    if (!(error instanceof UsageError) && !isParseError(error)) throw error
    terminal.err(`${error.message}; see scantling ${name} --help`)
    return 2
  }
}

const isParseError = (error: unknown): error is Error =>
  String((error as { readonly code?: unknown } | undefined)?.code).startsWith('ERR_PARSE_ARGS')
