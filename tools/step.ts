import { spawn } from 'node:child_process'
import path from 'node:path'

/** The repository's root directory. */
export const root = path.dirname(import.meta.dirname)

/** One tool run of a larger check: what people call it, and the JavaScript file and arguments that do it. */
export interface Step {
  readonly name: string
  readonly script: string
  readonly args?: ReadonlyArray<string>
  readonly nodeFlags?: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
}

/** Runs a step from the root under this Node, its output in place, and answers whether it succeeded. */
export const runStep = ({ name, script, args = [], nodeFlags = [], env = {} }: Step): Promise<boolean> => {
  console.log(`\n▸ ${name}`)
  return new Promise((resolve) => {
    const flags = ['--conditions=@scantling/source', '--disable-warning=ExperimentalWarning', ...nodeFlags]
    const child = spawn(process.execPath, [...flags, path.join(root, script), ...args], {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, ...env },
    })
    child.on('error', (error) => {
      console.error(`Cannot run ${script}: ${error.message}`)
      resolve(false)
    })
    child.on('close', (code) => resolve(code === 0))
  })
}
