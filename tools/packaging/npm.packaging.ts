import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { packPackages, published } from '../pack.ts'
import { root } from '../step.ts'

const outside = fs.mkdtempSync(path.join(os.tmpdir(), 'scantling-outside-'))
const tarballs = new Map<string, string>()

const run = (command: string, args: ReadonlyArray<string>): string => {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: outside, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stdout}${stderr}${error?.message ?? ''}`)
  return stdout
}

/** The versions that this repository has, of what an empty project adds beside our packages. */
const versionOf = (name: string): string =>
  (
    JSON.parse(
      fs.readFileSync(path.join(root, 'examples/custom-operator/node_modules', name, 'package.json'), 'utf8'),
    ) as {
      readonly version: string
    }
  ).version

const start = (args: ReadonlyArray<string>): Promise<{ readonly line: string; readonly stop: () => void }> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: outside, stdio: ['ignore', 'pipe', 'inherit'] })
    child.once('exit', (code) => reject(new Error(`${args.join(' ')} ended with ${code}`)))
    createInterface({ input: child.stdout }).once('line', (line) => resolve({ line, stop: () => child.kill() }))
  })

beforeAll(() => {
  for (const tarball of packPackages(path.join(outside, 'tarballs'), published)) {
    const [, name] = /scantling-([a-z-]+)-\d/.exec(path.basename(tarball)) ?? []
    tarballs.set(`@scantling/${name}`, tarball)
  }
}, 300_000)
afterAll(() => fs.rmSync(outside, { recursive: true, force: true }))

describe('What a registry would have', () => {
  test('is what is said to be published, and nothing that it needs is missing', () => {
    expect([...tarballs.keys()].sort()).toEqual([...published].sort())
  })

  test.each(published)('%s passes publint', async (name) => {
    const folder = fs.mkdtempSync(path.join(outside, 'unpacked-'))
    run('tar', ['-xzf', tarballs.get(name) ?? '', '-C', folder])
    const pkgDir = path.join(folder, 'package')
    const manifest = JSON.parse(fs.readFileSync(path.join(pkgDir, 'package.json'), 'utf8')) as Record<string, unknown>
    const { messages } = await publint({ pkgDir, pack: false, level: 'warning', strict: true })
    expect(messages.map((message) => formatMessage(message, manifest))).toEqual([])
    expect(JSON.stringify(manifest)).not.toMatch(/workspace:|\/src\/|"private"/)
    expect(fs.existsSync(path.join(pkgDir, 'LICENSE'))).toBe(true)
  })

  test.each(published)('the types of %s are not wrong', async (name) => {
    const data = createPackageFromTarballData(new Uint8Array(fs.readFileSync(tarballs.get(name) ?? '')))
    const result = await checkPackage(data)
    expect(result.types).toMatchObject({ kind: 'included' })
    const problems = result.types === false ? [] : result.problems
    // They are ES modules and nothing else: who has no import for them is told so by Node as well.
    const isForOthers = (problem: (typeof problems)[number]) =>
      'resolutionKind' in problem && ['node10', 'node16-cjs'].includes(problem.resolutionKind)
    expect(problems.filter((problem) => !isForOthers(problem))).toEqual([])
  })
})

describe('An empty project', () => {
  test('installs the packages, in which the example compiles and runs', async () => {
    fs.writeFileSync(
      path.join(outside, 'package.json'),
      JSON.stringify({ name: 'outside', private: true, type: 'module' }),
    )
    const wanted = ['@kubernetes/client-node', 'fp-ts', 'io-ts'].map((name) => `${name}@${versionOf(name)}`)
    run('npm', [
      'install',
      ...['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline', '--loglevel=error'],
      ...['core', 'provider-kit', 'provider-kwok', 'kube-sim'].map((name) => tarballs.get(`@scantling/${name}`) ?? ''),
      ...wanted,
    ])
    for (const file of ['main.ts', 'operator.ts'])
      fs.copyFileSync(path.join(root, 'examples/custom-operator', file), path.join(outside, file))
    fs.writeFileSync(
      path.join(outside, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          target: 'ES2024',
          module: 'NodeNext',
          strict: true,
          // The client library's types ask for others that it does not bring.
          skipLibCheck: true,
          rewriteRelativeImportExtensions: true,
          types: ['node'],
          // What Node itself has is this repository's to bring.
          typeRoots: [path.join(root, 'node_modules/@types')],
          outDir: 'built',
        },
        files: ['main.ts'],
      }),
    )
    run(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc'), '--project', outside])

    const server = await start([
      'node_modules/@scantling/kube-sim/dist/main.js',
      '--crds',
      path.join(root, 'deploy/crds'),
    ])
    try {
      const { url } = JSON.parse(server.line) as { readonly url: string }
      const created = await fetch(`${url}/apis/karpenter.sh/v1/nodepools`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          apiVersion: 'karpenter.sh/v1',
          kind: 'NodePool',
          metadata: { name: 'default' },
          spec: {
            template: {
              spec: {
                nodeClassRef: { group: 'karpenter.kwok.sh', kind: 'KWOKNodeClass', name: 'default' },
                requirements: [],
              },
            },
          },
        }),
      })
      expect(created.status).toBe(201)
      expect(run(process.execPath, ['built/main.js', url])).toMatch(/^0 nodes|nothing/im)
    } finally {
      server.stop()
    }
  }, 240_000)
})
