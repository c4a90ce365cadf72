/**
 * `npm run e2e:custom-provider`: what docs/write-a-provider.md tells the author of a provider, done from an empty folder.
 *
 * Packs the packages and the example, installs them outside of the workspace, runs the conformance suite there, and has
 * the controller load the provider by name and bring up nodes for pods of the embedded API server.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { parseAllDocuments } from 'yaml'
import { packFolder, packPackages } from './pack.ts'
import { root } from './step.ts'

const example = path.join(root, 'examples/custom-provider')
const outside = fs.mkdtempSync(path.join(os.tmpdir(), 'scantling-provider-'))
const children: Array<ChildProcess> = []
const runsWithinMs = 60_000

const run = (command: string, args: ReadonlyArray<string>, cwd: string): string => {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}${error?.message ?? ''}`)
  return stdout
}

const start = (args: ReadonlyArray<string>, onLine: (line: string) => void): ChildProcess => {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
    cwd: outside,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  createInterface({ input: child.stdout }).on('line', onLine)
  return child
}

const urlOf = (args: ReadonlyArray<string>): Promise<string> =>
  new Promise((resolve, reject) => {
    start(args, (line) => {
      if (line.startsWith('{')) resolve((JSON.parse(line) as { readonly url: string }).url)
    }).once('exit', (code) => reject(new Error(`${args.join(' ')} ended with ${code}`)))
  })

interface Item {
  readonly metadata: { readonly name: string }
  readonly spec: { readonly providerID?: string; readonly nodeName?: string }
  readonly status?: { readonly phase?: string }
}

const listOf = async (url: string): Promise<ReadonlyArray<Item>> =>
  ((await (await fetch(url)).json()) as { readonly items: ReadonlyArray<Item> }).items

const plurals: ReadonlyMap<string, string> = new Map([
  ['BoxClass', 'boxclasses'],
  ['NodePool', 'nodepools'],
  ['Deployment', 'namespaces/default/deployments'],
])

const bringUpNodes = async (): Promise<void> => {
  const crd = run(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      "import { crdOf } from '@scantling/core'; import { provider } from 'box-provider'; console.log(JSON.stringify(crdOf(provider.nodeClasses[0])))",
    ],
    outside,
  )
  fs.writeFileSync(path.join(outside, 'crd.json'), crd)
  const cloud = await urlOf([path.join(outside, 'node_modules/box-provider/dist/cloud.js')])
  const source = '--conditions=@scantling/source'
  const server = await urlOf([
    source,
    path.join(root, 'packages/kube-sim/src/main.ts'),
    '--crds',
    path.join(root, 'deploy/crds'),
    '--crds',
    'crd.json',
  ])
  start(
    [
      source,
      path.join(root, 'packages/controller/src/main.ts'),
      ...['--provider', 'box-provider', '--box-url', cloud, '--server', server, '--cluster-name', 'outside'],
      ...['--metrics-port', '0', '--health-probe-port', '0', '--log-level', 'error'],
    ],
    (line) => console.log(line),
  )
  for (const document of parseAllDocuments(fs.readFileSync(path.join(example, 'manifests/boxes.yaml'), 'utf8'))) {
    const object = document.toJS() as { readonly apiVersion: string; readonly kind: string }
    const created = await fetch(`${server}/apis/${object.apiVersion}/${plurals.get(object.kind)}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(object),
    })
    if (!created.ok) throw new Error(`${object.kind} is refused: ${await created.text()}`)
  }
  const startedMs = Date.now()
  for (;;) {
    const pods = await listOf(`${server}/api/v1/namespaces/default/pods`)
    if (pods.length === 3 && pods.every(({ status }) => status?.phase === 'Running')) break
    if (Date.now() - startedMs > runsWithinMs) throw new Error(`The pods do not run: ${JSON.stringify(pods)}`)
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
  const nodes = await listOf(`${server}/api/v1/nodes`)
  console.log(
    `3 pods run on ${nodes.map(({ metadata, spec }) => `${metadata.name} (${spec.providerID})`).join(', ')} after ${Math.round((Date.now() - startedMs) / 1000)} s`,
  )
  if (nodes.length === 0 || !nodes.every(({ spec }) => spec.providerID?.startsWith('box://')))
    throw new Error('The nodes are not of the cloud of boxes')
}

let passed = 0
let failed = 0
const step = async (name: string, work: () => Promise<void> | void): Promise<void> => {
  if (failed > 0) return
  const startedMs = Date.now()
  try {
    await work()
    passed++
    console.log(`✓ ${name} (${((Date.now() - startedMs) / 1000).toFixed(1)} s)`)
  } catch (cause) {
    failed++
    console.log(`✗ ${name}: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}

try {
  await step('packs what a provider is written with, and the example', () => {
    const tarballs = [...packPackages(path.join(outside, 'tarballs'))]
    run(
      process.execPath,
      [
        path.join(root, 'node_modules/typescript/bin/tsc'),
        ...['--project', example, '--noEmit', 'false', '--customConditions', 'null'],
      ],
      root,
    )
    tarballs.push(packFolder(example, path.join(outside, 'tarballs')))
    fs.writeFileSync(
      path.join(outside, 'package.json'),
      JSON.stringify({ name: 'outside', private: true, type: 'module' }),
    )
    run(
      'npm',
      [
        'install',
        '--no-audit',
        '--no-fund',
        '--ignore-scripts',
        '--prefer-offline',
        ...tarballs,
        'fp-ts@2.16.11',
        'io-ts@2.2.22',
      ],
      outside,
    )
  })
  await step('passes the conformance suite outside of the workspace', () => {
    fs.copyFileSync(
      path.join(example, 'test/box-provider.conformance.ts'),
      path.join(outside, 'box-provider.conformance.ts'),
    )
    const said = run(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', '--test', '--test-reporter=tap', 'box-provider.conformance.ts'],
      outside,
    )
    console.log(`  ${/^# pass \d+/m.exec(said)?.[0] ?? said}`)
  })
  await step('is loaded by name and brings up nodes', bringUpNodes)
} finally {
  for (const child of children.reverse()) child.kill()
  fs.rmSync(outside, { recursive: true, force: true })
}
console.log(`\n${passed} passed, ${failed} failed`)
if (failed > 0) process.exitCode = 1
