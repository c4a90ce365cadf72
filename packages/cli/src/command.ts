/** Where a command reads from and writes to; tests pass their own. */
export interface Terminal {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
}

/** One sub-command of `scantling`. */
export interface Command {
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  readonly help: string
  /** The exit code: 0, or 1 when something was refused or has no place, or 2 for a command line that makes no sense. */
  readonly run: (args: ReadonlyArray<string>, terminal: Terminal) => Promise<number>
}

/** A command line that makes no sense, with the sentence for its author. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
