import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { tourSteps } from '../src/tour/steps.ts'
import { scratchDirectory } from './scratch-directory.ts'

const entry = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** The tour as a user starts it: a process, here with a cache directory of its own. */
const startTour = (cache: string, ...args: ReadonlyArray<string>) => {
  const child = spawn(
    process.execPath,
    ['--conditions=@scantling/source', '--disable-warning=ExperimentalWarning', entry, 'tour', ...args],
    { env: { ...process.env, NODE_OPTIONS: '', XDG_CACHE_HOME: cache }, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let output = ''
  const keep = (chunk: Buffer) => void (output += chunk.toString())
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const says = async (pattern: RegExp): Promise<void> => {
    while (!pattern.test(output)) {
      if (child.exitCode !== null) throw new Error(`The tour ended before it said ${String(pattern)}:\n${output}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  return { child, ended, says, output: () => output }
}

/** Processes that this one started, as the kernel lists them. */
const childrenOf = ({ pid }: ChildProcess): ReadonlyArray<number> => {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('scantling tour', () => {
  const scratch = scratchDirectory()

  test('--yes plays every step, prints the bill, stops everything and ends well', async () => {
    const tour = startTour(scratch, '--yes', '--speed', '20')
    await tour.says(/The cluster is up/)
    const parts = childrenOf(tour.child)
    expect({ code: await tour.ended, output: tour.output() }).toMatchObject({ code: 0 })
    for (const [index, { title }] of tourSteps.entries())
      expect(tour.output()).toContain(`${index + 1}/${tourSteps.length}  ${title}`)
    expect(tour.output()).toMatch(/The bill\n(  .*machines? .*\n)+  total \$0\.\d+/)
    expect(tour.output()).not.toMatch(/Cannot|cancelled|rror/)
    if (process.platform === 'linux') expect(parts).toHaveLength(3)
    expect(parts.filter(isAlive)).toEqual([])
  }, 120_000)

  test('Ctrl-C ends every process within seconds, with 130; a kill leaves none behind either', async () => {
    const tour = startTour(scratch, '--yes', '--speed', '20')
    await tour.says(/NodeClaim default-/)
    const parts = childrenOf(tour.child)
    const askedAtMs = Date.now()
    tour.child.kill('SIGINT')
    expect(await tour.ended).toBe(130)
    expect(Date.now() - askedAtMs).toBeLessThan(10_000)
    expect(parts.filter(isAlive)).toEqual([])

    const killed = startTour(scratch, '--yes')
    await killed.says(/The cluster is up/)
    const orphans = childrenOf(killed.child)
    killed.child.kill('SIGKILL')
    await killed.ended
    for (let tries = 0; orphans.some(isAlive) && tries < 100; tries++)
      await new Promise((resolve) => setTimeout(resolve, 100))
    expect(orphans.filter(isAlive)).toEqual([])
  }, 60_000)

  test('-f: one sentence for each mistake with its place, and the rest of the file still counts', async () => {
    const file = join(scratch, 'mine.yaml')
    writeFileSync(file, mistakes)
    const tour = startTour(scratch, '--speed', '50', '-f', file, '-f', join(scratch, 'nowhere.yaml'))
    await tour.says(/0 pending, 0 starting, 2 running/)
    tour.child.kill('SIGINT')
    expect(await tour.ended).toBe(0)
    const said = tour.output().split('\n')
    for (const sentence of [
      `${file}, document 1: Cannot parse YAML at line 3`,
      `${file}, document 2 (Widget w): the server knows no kind Widget in example.com/v1; correct apiVersion and kind`,
      `${file}, document 3 (Provisioner old): Provisioner was replaced by NodePool (karpenter.sh/v1)`,
      `${file}, document 4 (NodePool wrong): NodePool.karpenter.sh "wrong" is invalid: spec.template.spec.requirements[0].operator: Unsupported value: "Near"`,
      `${file}, document 5 (Pod q): Pod "q" is invalid: spec.containers[0].resources.requests[cpu]: Invalid value: "1.5Gii"`,
      `Cannot read ${join(scratch, 'nowhere.yaml')}: there is no such file`,
    ])
      expect(said.filter((line) => line.startsWith(sentence))).toHaveLength(1)
    expect(tour.output()).not.toMatch(/HTTP-Code|Headers:|\n\s+at /)
  }, 60_000)

  test('a port in use, a wrong number and an unknown catalogue: one sentence each, and nothing is left running', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { readonly port: number }
    const ends = async (...args: ReadonlyArray<string>) => {
      const tour = startTour(scratch, '--yes', ...args)
      return { code: await tour.ended, last: tour.output().trim().split('\n').at(-1) }
    }
    const [inUse, speed, half, catalog] = await Promise.all([
      ends('--port', String(port)),
      ends('--speed', 'abc'),
      ends('--port', '1.5'),
      ends('--catalog', 'nope'),
    ])
    server.close()
    expect(inUse).toEqual({
      code: 1,
      last: `The API server did not start: Cannot listen on 127.0.0.1:${port}: the port is in use; choose another with --port`,
    })
    expect(speed).toEqual({
      code: 2,
      last: 'Cannot use --speed "abc": expected a number from 0.1 to 100; see scantling tour --help',
    })
    expect(half).toEqual({
      code: 2,
      last: 'Cannot use --port "1.5": expected a whole number from 0 to 65535; see scantling tour --help',
    })
    expect(catalog).toEqual({
      code: 2,
      last: expect.stringMatching(/^Cannot read catalogue nope: there is no such file; write ec2-like, azure-like/),
    })
  }, 30_000)
})

const mistakes = `apiVersion: v1
kind: [broken
---
apiVersion: example.com/v1
kind: Widget
metadata: { name: w }
---
apiVersion: karpenter.sh/v1alpha5
kind: Provisioner
metadata: { name: old }
---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: { name: wrong }
spec:
  template:
    spec:
      nodeClassRef: { group: karpenter.kwok.sh, kind: KWOKNodeClass, name: default }
      requirements: [{ key: kubernetes.io/arch, operator: Near, values: [amd64] }]
---
apiVersion: v1
kind: Pod
metadata: { name: q }
spec: { containers: [{ name: c, image: pause, resources: { requests: { cpu: 1.5Gii } } }] }
---
apiVersion: karpenter.kwok.sh/v1alpha1
kind: KWOKNodeClass
metadata: { name: default }
---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: { name: fine }
spec:
  template:
    spec:
      nodeClassRef: { group: karpenter.kwok.sh, kind: KWOKNodeClass, name: default }
      requirements: []
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: fine }
spec:
  replicas: 2
  selector: { matchLabels: { app: fine } }
  template:
    metadata: { labels: { app: fine } }
    spec: { containers: [{ name: c, image: pause, resources: { requests: { cpu: "1" } } }] }
`
