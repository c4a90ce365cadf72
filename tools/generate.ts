/** `npm run generate` writes every generated file; `npm run generate:check` fails where one on disk differs. */
import fs from 'node:fs'
import path from 'node:path'
import { renderApi } from './api.ts'
import { renderAwsAccess } from './aws-access.ts'
import { renderAzureAccess } from './azure-access.ts'
import { readCompatibility, renderCompatibility } from './compatibility-table.ts'
import { renderCrds } from './crds.ts'
import { renderOperatorPages } from './operator-pages.ts'
import { renderReference } from './reference.ts'
import { renderDashboard } from './dashboard.ts'
import { renderRoles } from './roles.ts'
import { root } from './step.ts'

/** Each generator answers the files it owns, as path -> text. A new kind of generated file joins this list. */
const generators: ReadonlyArray<() => Readonly<Record<string, string>>> = [
  () => ({ 'docs/compatibility.md': renderCompatibility(readCompatibility()) }),
  renderCrds,
  renderReference,
  renderOperatorPages,
  renderApi,
  renderRoles,
  renderDashboard,
  renderAwsAccess,
  renderAzureAccess,
]

const isCheck = process.argv.includes('--check')
const files = generators.flatMap((generate) => Object.entries(generate()))
const stale = files.filter(([file, text]) => {
  const target = path.join(root, file)
  return !fs.existsSync(target) || fs.readFileSync(target, 'utf8') !== text
})
for (const [file, text] of stale) {
  if (isCheck) {
    console.error(`${file} is not what its generator writes: run "npm run generate" and commit the result`)
  } else {
    fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true })
    fs.writeFileSync(path.join(root, file), text)
    console.log(`wrote ${file}`)
  }
}
console.log(`${files.length} generated files, ${stale.length} ${isCheck ? 'out of date' : 'written'}`)
if (isCheck && stale.length > 0) process.exitCode = 1
