/**
 * `npm run packaging`: what leaves the repository, tested as those find it who have nothing else of it: the chart by
 * Helm itself, the bundles in an empty file system, the npm packages in an empty project.
 */
import { findHelm } from '../helm/helm.ts'
import { runStep } from '../step.ts'

const helm = await findHelm((line) => console.log(line))
if (typeof helm === 'string') console.log(`The chart is not tested: ${helm}`)

const isBundled = await runStep({ name: 'bundling every provider', script: 'deploy/bundle.ts' })
const isTested = await runStep({
  name: 'testing what leaves the repository',
  script: 'node_modules/jest/bin/jest.js',
  nodeFlags: ['--experimental-vm-modules'],
  args: ['--config', 'tools/packaging/jest.config.mjs', ...process.argv.slice(2)],
  env: { SCANTLING_SUITE: 'packaging', SCANTLING_FAILED_BEFORE: isBundled ? '0' : '1' },
})
if (!isBundled || !isTested) process.exitCode = 1
