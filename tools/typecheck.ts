/** Type-checks every package, its sources and its tests apart: core's tests may use Node, its sources may not. */
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { root } from './step.ts'

const projects = (): ReadonlyArray<string> =>
  ['packages', 'examples']
    .filter((folder) => fs.existsSync(path.join(root, folder)))
    .flatMap((folder) => fs.readdirSync(path.join(root, folder)).map((name) => path.join(folder, name)))
    .concat('tools', 'bench', 'deploy')
    .flatMap((folder) => [path.join(folder, 'tsconfig.json'), path.join(folder, 'tsconfig.test.json')])
    .filter((file) => fs.existsSync(path.join(root, file)))

const check = (
  project: string,
): Promise<{ readonly project: string; readonly isFine: boolean; readonly output: string }> =>
  new Promise((resolve) => {
    const tsc = path.join(root, 'node_modules/typescript/bin/tsc')
    const child = spawn(process.execPath, [tsc, '--project', project, ...(process.stdout.isTTY ? ['--pretty'] : [])], {
      cwd: root,
    })
    let output = ''
    const keep = (chunk: Buffer) => {
      output += chunk.toString()
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.on('error', (error) => resolve({ project, isFine: false, output: error.message }))
    child.on('close', (code) => resolve({ project, isFine: code === 0, output }))
  })

const waiting = [...projects()]
const checked: Array<Awaited<ReturnType<typeof check>>> = []
const work = async (): Promise<void> => {
  for (let project = waiting.shift(); project !== undefined; project = waiting.shift())
    checked.push(await check(project))
}
await Promise.all(Array.from({ length: os.availableParallelism() }, work))

const wrong = checked.filter(({ isFine }) => !isFine)
for (const { project, output } of wrong) console.error(`${project}:\n${output}`)
console.log(`${checked.length} projects type-checked, ${wrong.length} with errors`)
// Sources and tests of six packages: fewer means that the search above went blind.
if (wrong.length > 0 || checked.length < 12) process.exitCode = 1
