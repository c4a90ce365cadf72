import fs from 'node:fs'
import path from 'node:path'

/**
 * Jest reporter: ends a run with `N passed, N failed`, which scripts and people read alike.
 *
 * A file that could not even load counts as one failure, and a run in which nothing passed is a failure: a suite that
 * silently ran nothing must not look green. Where `SCANTLING_SUITE` names the suite, every test's name and state goes
 * to `test-results/<suite>.json` as well, which `npm run compatibility` reads.
 */
export default class ClosingLine {
  #ranNothing = false

  constructor(globalConfig) {
    this.rootDir = globalConfig.rootDir
  }

  onRunComplete(_contexts, results) {
    // The type-check runs first and counts as well: a run that must not pass should not close on "0 failed".
    const failedBefore = Number(process.env['SCANTLING_FAILED_BEFORE'] ?? 0)
    const failed = failedBefore + results.numFailedTests + results.numRuntimeErrorTestSuites
    const skipped = results.numPendingTests + results.numTodoTests
    this.#ranNothing = results.numPassedTests === 0
    const suite = process.env['SCANTLING_SUITE']
    if (suite !== undefined) this.#write(suite, results)
    for (const name of namesOf(results, 'pending')) process.stdout.write(`skipped: ${name}\n`)
    const line = `${results.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`
    // Jest's own summary is printed after every reporter's; ours must come last.
    process.once('exit', () => process.stdout.write(`\n${line}`))
  }

  getLastError() {
    return this.#ranNothing ? new Error('No test passed, so there is nothing to rely on') : undefined
  }

  #write(suite, results) {
    const tests = results.testResults.flatMap((file) =>
      file.testResults.map((test) => ({
        file: path.relative(this.rootDir, file.testFilePath).replaceAll(path.sep, '/'),
        name: test.fullName,
        status: test.status,
        durationMs: test.duration ?? 0,
      })),
    )
    const directory = path.join(this.rootDir, 'test-results')
    fs.mkdirSync(directory, { recursive: true })
    fs.writeFileSync(path.join(directory, `${suite}.json`), `${JSON.stringify({ suite, tests }, null, 1)}\n`)
  }
}

const namesOf = (results, status) =>
  results.testResults.flatMap((file) =>
    file.testResults.filter((test) => test.status === status).map((test) => test.fullName),
  )
