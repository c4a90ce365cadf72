/**
 * `npm run deps`: holds the imports against the table in .dependency-cruiser.mjs.
 *
 * dependency-cruiser finds no TypeScript 7 and warns that it may have missed sources, so the files it visited are
 * compared with the files on disk: a rule that sees nothing must not pass.
 */
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { root } from './step.ts'

interface Cruise {
  readonly modules: ReadonlyArray<{
    readonly source: string
    readonly dependencies: ReadonlyArray<{ readonly resolved: string }>
  }>
  readonly summary: {
    readonly totalDependenciesCruised: number
    readonly violations: ReadonlyArray<{
      readonly from: string
      readonly to: string
      readonly rule: { readonly name: string; readonly severity: string }
      readonly comment?: string
      readonly cycle?: ReadonlyArray<{ readonly name: string }>
    }>
    readonly ruleSetUsed: { readonly forbidden: ReadonlyArray<{ readonly name: string; readonly comment?: string }> }
  }
}

const folders = ['packages', 'examples'].filter((folder) => fs.existsSync(path.join(root, folder)))

const sourcesOnDisk = folders.flatMap((folder) =>
  fs
    .readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /(^|\/)src\/.*\.ts$/.test(file) && !/(^|\/)(node_modules|dist)\//.test(file))
    .map((file) => `${folder}/${file}`),
)

const cruise = async (): Promise<Cruise> => {
  const bin = path.join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs')
  const args = [bin, '--config', '.dependency-cruiser.mjs', '--output-type', 'json', ...folders]
  const run = promisify(execFile)
  // A cruise with violations exits non-zero and still prints its findings.
  const { stdout } = await run(process.execPath, args, { cwd: root, maxBuffer: 1 << 28 }).catch(
    (error: { readonly stdout?: string }) => ({ stdout: error.stdout ?? '' }),
  )
  return JSON.parse(stdout) as Cruise
}

const { modules, summary } = await cruise()
const comments = new Map(summary.ruleSetUsed.forbidden.map(({ name, comment }) => [name, comment]))
for (const { from, to, rule, cycle } of summary.violations) {
  console.error(`${rule.name}: ${from} → ${cycle === undefined ? to : cycle.map(({ name }) => name).join(' → ')}`)
  console.error(`    ${comments.get(rule.name) ?? ''}`)
}
const visited = new Set(modules.map(({ source }) => source))
const missed = sourcesOnDisk.filter((file) => !visited.has(file))
for (const file of missed) console.error(`Not visited, so not judged: ${file}`)
const fromNpm = modules
  .flatMap(({ dependencies }) => dependencies)
  .filter(({ resolved }) => resolved.includes('node_modules/'))
console.log(
  `${sourcesOnDisk.length} sources, ${summary.totalDependenciesCruised} imports (${fromNpm.length} from npm), ` +
    `${summary.violations.length} against the table, ${missed.length} not visited`,
)
// An empty search would agree with an empty cruise, and an exclusion too wide would hide every npm package.
const isBlind =
  sourcesOnDisk.length < 60 || !fromNpm.some(({ resolved }) => resolved.includes('/@kubernetes/client-node/'))
if (isBlind) console.error('Too little was seen for the rules to mean anything')
if (summary.violations.length > 0 || missed.length > 0 || isBlind) process.exitCode = 1
