import { runCommandLine } from '../src/run.ts'

/** Runs a command line in this process and gives what it wrote; `errors` is the same as `err`, sentence by sentence. */
export const scantling = async (...args: ReadonlyArray<string>) => {
  const out: Array<string> = []
  const errors: Array<string> = []
  const exitCode = await runCommandLine(args, { out: (text) => out.push(text), err: (text) => errors.push(text) })
  return { exitCode, out: out.join('\n'), err: errors.join('\n'), errors }
}
