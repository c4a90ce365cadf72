import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readSnapshot } from '@scantling/core'
import { type Face, type KubeSim, readDefinitions, resource, startKubeSim } from '@scantling/kube-sim'
import { systemClock } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'

/*
 * A controller as a process of its own, over real HTTP and by real signals, on the embedded cluster.
 */
const entry = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const crds = fileURLToPath(new URL('../../../deploy/crds', import.meta.url))
const claims = resource('karpenter.sh/v1', 'nodeclaims')
const deadlineMs = 60_000

let sim: KubeSim
let face: Face
let directory = ''
const children: Array<ChildProcess> = []
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'scantling-operations-'))
  sim = await startKubeSim({ clock: systemClock, port: 0, definitions: await readDefinitions([crds]) })
  face = sim.server.face('test')
  await face.create(resource('karpenter.kwok.sh/v1alpha1', 'kwoknodeclasses'), { metadata: { name: 'default' } })
  await face.create(resource('karpenter.sh/v1', 'nodepools'), {
    metadata: { name: 'default', annotations: { 'example.com/token': 'hunter2' } },
    spec: {
      template: {
        spec: {
          nodeClassRef: { group: 'karpenter.kwok.sh', kind: 'KWOKNodeClass', name: 'default' },
          requirements: [{ key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand'] }],
        },
      },
    },
  })
})
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await sim.stop()
  rmSync(directory, { recursive: true })
})

type Line = Readonly<Record<string, unknown>>

const until = async <A>(what: string, find: () => A | undefined | Promise<A | undefined>): Promise<A> => {
  const end = Date.now() + deadlineMs
  for (;;) {
    const found = await find()
    if (found !== undefined && found !== false) return found
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** The controller as a Deployment starts it, on ports of its own. */
const start = async (port: number, ...flags: ReadonlyArray<string>) => {
  const lines: Array<Line> = []
  let rest = ''
  const child = spawn(
    process.execPath,
    [
      '--conditions=@scantling/source',
      '--disable-warning=ExperimentalWarning',
      entry,
      `--server=${sim.url}`,
      '--bind-address=127.0.0.1',
      `--metrics-port=${port}`,
      `--health-probe-port=${port + 1}`,
      `--debug-port=${port + 2}`,
      '--kwok-latency=0',
      '--batch-idle-duration=100ms',
      ...flags,
    ],
    { env: { PATH: process.env['PATH'], SECRET: 'hunter2' }, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  children.push(child)
  child.stdout.on('data', (chunk: Buffer) => {
    const texts = (rest + chunk.toString()).split('\n')
    rest = texts.pop() ?? ''
    lines.push(...texts.map((text) => JSON.parse(text) as Line))
  })
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const said = (message: string) => until(`it says ${message}`, () => lines.find((line) => line['message'] === message))
  await said('Started')
  const get = async (at: number, path: string) => {
    const response = await fetch(`http://127.0.0.1:${at}${path}`)
    return { status: response.status, body: await response.text() }
  }
  return {
    child,
    lines,
    said,
    ended,
    get: (path: string) => get(port, path),
    debug: (path: string) => get(port + 2, path),
  }
}

const addPod = (name: string) =>
  face.create(
    { ...resource('v1', 'pods'), namespace: 'default' },
    {
      metadata: { name },
      spec: {
        containers: [
          {
            name: 'main',
            image: 'pause',
            env: [{ name: 'PASSWORD', value: 'hunter2' }],
            args: ['--token=hunter2'],
            resources: { requests: { cpu: '1' } },
          },
        ],
      },
    },
  )

const claimNames = async () => (await face.list(claims)).items.map(({ metadata }) => metadata.name)

describe('a running controller', () => {
  test('is looked into: levels of the log by signal and file, metrics, a snapshot, profiles; and finishes what is in flight', async () => {
    const levelFile = join(directory, 'level')
    const controller = await start(18_700, `--log-level-file=${levelFile}`, '--enable-profiling')

    // SIGUSR2 switches to debug and back, without a restart.
    controller.child.kill('SIGUSR2')
    expect(await controller.said('The log level changed')).toMatchObject({ level: 'DEBUG' })
    controller.child.kill('SIGUSR2')
    await until('the level is back', () =>
      controller.lines.find(({ message, level }) => message === 'The log level changed' && level === 'INFO'),
    )
    writeFileSync(levelFile, 'debug\n')
    await until('the file is read', () => controller.lines.find(({ path }) => path === levelFile))

    // The lines of a launch carry the keys of the reference.
    await addPod('one')
    expect(await controller.said('Launched NodeClaim')).toMatchObject({
      level: 'INFO',
      logger: 'controller',
      NodeClaim: { name: expect.stringMatching(/^default-/) },
      'provider-id': expect.any(String),
      'instance-type': expect.any(String),
      zone: expect.any(String),
      'capacity-type': 'on-demand',
      allocatable: expect.any(Object),
    })

    const metrics = (await controller.get('/metrics')).body
    for (const family of ['scantling_watch_missed_events', 'process_resident_memory_bytes'])
      expect(metrics).toContain(family)
    expect(metrics).toMatch(/karpenter_nodeclaims_created_total\{[^}]*nodepool="default"/)
    const series = metrics.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    expect(series.length).toBeLessThan(1500)
    expect(metrics).not.toMatch(/^karpenter_(pods_state|nodes_allocatable)/m)

    // Planners' fields and nothing else, on loopback and nowhere else.
    const snapshot = await controller.debug('/debug/snapshot')
    expect(snapshot.status).toBe(200)
    expect(snapshot.body).not.toContain('hunter2')
    const read = readSnapshot(snapshot.body)
    if (E.isLeft(read)) throw new Error(read.left)
    expect(read.right.nodePools.map(({ name }) => name)).toEqual(['default'])
    expect(read.right.instanceTypes.get('default')?.length).toBeGreaterThan(100)
    expect((await controller.get('/debug/snapshot')).status).toBe(404)
    const stranger = await fetch('http://127.0.0.1:18702/debug/snapshot', { headers: { host: 'evil.example' } }).catch(
      () => undefined,
    )
    expect(stranger?.status ?? 403).not.toBe(500)

    const profile = await controller.get('/debug/pprof/profile?seconds=0.2')
    expect(Object.keys(JSON.parse(profile.body) as object)).toContain('nodes')
    expect(Object.keys(JSON.parse((await controller.get('/debug/pprof/heap?seconds=0.2')).body) as object)).toContain(
      'head',
    )
    expect((await controller.get('/debug/pprof/profile?seconds=900')).status).toBe(400)

    // SIGTERM while a claim is being created: the answer is waited for, the Lease given up, nothing else begun.
    let asked = 0
    sim.server.interceptors.add((call) => {
      if (call.verb !== 'create' || call.resource !== 'nodeclaims') return undefined
      asked++
      return { delayMs: 1500 }
    })
    const before = await claimNames()
    expect(await terminateInFlight(controller, () => asked > 0)).toBe(0)
    sim.server.interceptors.clear()
    const after = await claimNames()
    expect(after.length).toBe(before.length + 1)
    expect(controller.lines.slice(-1)[0]).toMatchObject({ message: 'Stopped' })
    const leases = (await face.list(resource('coordination.k8s.io/v1', 'leases'))).items as unknown as ReadonlyArray<{
      readonly metadata: { readonly name: string }
      readonly spec: { readonly holderIdentity?: string }
    }>
    expect(
      leases.find(({ metadata }) => metadata.name === 'karpenter-leader-election')?.spec.holderIdentity ?? '',
    ).toBe('')

    // Its successor takes over at once, and makes none of it twice.
    const successor = await start(18_710)
    await successor.said('Launched NodeClaim')
    await successor.said('Initialized NodeClaim')
    expect(await claimNames()).toEqual(after)
    successor.child.kill('SIGTERM')
    expect(await successor.ended).toBe(0)
  }, 120_000)
})

const terminateInFlight = async (
  { child, ended }: { readonly child: ChildProcess; readonly ended: Promise<number | null> },
  isInFlight: () => boolean,
): Promise<number | null> => {
  for (let index = 0; index < 4; index++) await addPod(`large-${index}`)
  await until('a claim is being created', () => (isInFlight() ? true : undefined))
  child.kill('SIGTERM')
  return ended
}
