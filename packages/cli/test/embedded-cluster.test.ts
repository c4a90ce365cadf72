import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from '@jest/globals'
import { startEmbeddedCluster, noteCluster, knownClusters, type EmbeddedCluster } from '../src/embedded/index.ts'
import { connectLive } from '../src/live/connect.ts'
import { runCommandLine } from '../src/run.ts'
import { applyFiles } from '../src/tour/apply-files.ts'
import { connectKubeApi } from '../src/tour/kube-api.ts'

const closers: Array<() => unknown> = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const start = async (onControllerLine: (line: string) => void = () => undefined) => {
  const cluster = await startEmbeddedCluster({ speed: 20, port: 0, catalog: 'ec2-like', onControllerLine })
  closers.push(cluster.stop)
  const api = connectKubeApi(cluster.server)
  const folder = fileURLToPath(new URL('../../../examples/inflate', import.meta.url))
  expect(await applyFiles(api, [folder])).toEqual([])
  return { cluster, api }
}

interface Listed {
  readonly metadata: { readonly name: string; readonly uid: string }
  readonly spec: { readonly providerID?: string }
  readonly status: { readonly phase?: string; readonly providerID?: string }
}
const list = async ({ server }: EmbeddedCluster, path: string): Promise<ReadonlyArray<Listed>> =>
  ((await (await fetch(`${server}${path}`)).json()) as { readonly items: ReadonlyArray<Listed> }).items
const pods = (cluster: EmbeddedCluster) => list(cluster, '/api/v1/namespaces/default/pods')
const claims = (cluster: EmbeddedCluster) => list(cluster, '/apis/karpenter.sh/v1/nodeclaims')
const machines = async ({ cloud }: EmbeddedCluster) => {
  const answer = (await (await fetch(`${cloud}/control/instances`)).json()) as {
    readonly instances: ReadonlyArray<{ readonly name: string; readonly token: string; readonly state: string }>
  }
  return answer.instances
}

const until = async (what: string, holds: () => Promise<boolean>) => {
  const deadlineMs = Date.now() + 30_000
  while (!(await holds())) {
    if (Date.now() > deadlineMs) throw new Error(`waited in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
const allRun = async (cluster: EmbeddedCluster, count: number) =>
  (await pods(cluster)).filter(({ status }) => status.phase === 'Running').length === count

describe('startEmbeddedCluster()', () => {
  test('a controller killed in the middle of a launch goes on when it is started again, with one machine per claim', async () => {
    const { cluster, api } = await start()
    await api.scaleDeployment({ name: 'inflate', namespace: 'default' }, 48)
    // The claims are there and the cloud has begun: nothing of it is written down yet, or only some.
    await until('a machine is launched', async () => (await machines(cluster)).length > 0)
    await cluster.stopController('kill')
    expect(await allRun(cluster, 50)).toBe(false)
    await cluster.startController()
    await until('every pod runs', () => allRun(cluster, 50))
    const present = await claims(cluster)
    const running = (await machines(cluster)).filter(({ state }) => state === 'running')
    expect(present.map(({ metadata }) => metadata.uid).sort()).toEqual(running.map(({ token }) => token).sort())
    expect(present.map(({ status }) => String(status.providerID)).sort()).toEqual(
      running.map(({ name }) => `kwok://${name}`).sort(),
    )
  }, 60_000)

  test('scantling interrupt takes a node away, and its pods run elsewhere; the controller stops before what it talks to', async () => {
    const lines: Array<string> = []
    const { cluster } = await start((line) => void lines.push(line))
    await until('every pod runs', () => allRun(cluster, 12))
    const [node] = (await list(cluster, '/api/v1/nodes')).map(({ metadata }) => metadata.name)
    const said: Array<string> = []
    const terminal = { out: (text: string) => void said.push(text), err: (text: string) => void said.push(text) }
    const interrupt = (...args: ReadonlyArray<string>) =>
      runCommandLine(['interrupt', ...args, '--cloud', cluster.cloud], terminal)
    expect(await interrupt(node ?? '', '--kind', 'spot')).toBe(0)
    expect(said).toEqual([`The machine of ${node} will be taken away in two minutes`])
    await until('it is gone', async () =>
      (await list(cluster, '/api/v1/nodes')).every((one) => one.metadata.name !== node),
    )
    await until('its pods run elsewhere', () => allRun(cluster, 12))
    expect(await interrupt('nobody')).toBe(1)
    expect(said.at(-1)).toBe(
      'Cannot interrupt nobody: the cloud has no such machine, or it has ended; kubectl get nodes names them',
    )
    await cluster.stop()
    const complaints = lines.filter((line) => /"level":"(WARN|ERROR)"/.test(line))
    expect(complaints).toEqual([])
  }, 60_000)
})

describe('scantling interrupt', () => {
  const refusal = async (...args: ReadonlyArray<string>) => {
    const said: Array<string> = []
    const code = await runCommandLine(['interrupt', ...args], {
      out: (text) => void said.push(text),
      err: (text) => void said.push(text),
    })
    return { code, said }
  }

  test('finds the clusters that run, and forgets those that are gone', async () => {
    const cache = mkdtempSync(join(tmpdir(), 'scantling-clusters-'))
    const before = process.env['XDG_CACHE_HOME']
    process.env['XDG_CACHE_HOME'] = cache
    closers.push(() => {
      if (before === undefined) delete process.env['XDG_CACHE_HOME']
      else process.env['XDG_CACHE_HOME'] = before
      rmSync(cache, { recursive: true })
    })
    expect(await refusal('node-1')).toEqual({
      code: 1,
      said: ['No embedded cluster runs on this machine: start one with npm start, or name a cloud with --cloud URL'],
    })
    // No process has this id: the note of a tour that was killed.
    noteCluster({ server: 'http://127.0.0.1:1', cloud: 'http://127.0.0.1:2', pid: 2 ** 30 }, process.env)
    expect(knownClusters(process.env)).toEqual([])
    const forget = noteCluster(
      { server: 'http://127.0.0.1:1', cloud: 'http://127.0.0.1:2', pid: process.pid },
      process.env,
    )
    expect(await refusal('node-1')).toEqual({
      code: 1,
      said: ['Cannot reach the simulated cloud at http://127.0.0.1:2: nothing answers there; check the address'],
    })
    expect((await refusal('node-1', '--server', 'http://127.0.0.1:9')).said[0]).toMatch(
      /^No embedded cluster with the API server http:\/\/127\.0\.0\.1:9 runs .*: those that do have http:\/\/127\.0\.0\.1:1$/,
    )
    const forgetOther = noteCluster(
      { server: 'http://127.0.0.1:3', cloud: 'http://127.0.0.1:4', pid: process.ppid },
      process.env,
    )
    const env = { ...process.env }
    delete env['KUBECONFIG']
    const connected = await connectLive({}, env)
    expect(connected._tag === 'Left' && connected.left).toMatch(
      /^Several embedded clusters run on this machine: choose one with --server, of http:.*, http:/,
    )
    forgetOther()
    forget()
    expect(knownClusters(process.env)).toEqual([])
  })

  test('says what a wrong command line lacks', async () => {
    expect(await refusal()).toEqual({ code: 2, said: ['Name the node to interrupt; see scantling interrupt --help'] })
    expect((await refusal('a', '--kind', 'fire')).said).toEqual([
      'Cannot use --kind "fire": expected spot, rebalance, maintenance, stop, terminate; see scantling interrupt --help',
    ])
  })
})
