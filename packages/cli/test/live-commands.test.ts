import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startEmbeddedCluster, type EmbeddedCluster } from '../src/embedded/index.ts'
import { applyFiles } from '../src/tour/apply-files.ts'
import { connectKubeApi } from '../src/tour/kube-api.ts'
import { scantling } from './command-line.ts'
import { scratchDirectory } from './scratch-directory.ts'

let cluster: EmbeddedCluster | undefined
const scratch = scratchDirectory()

/** A command line against the cluster of this file. */
const live = (...args: ReadonlyArray<string>) => scantling(...args, '--server', cluster?.server ?? '')

interface Top {
  readonly nodes: ReadonlyArray<{ readonly name: string; readonly nodePool: string; readonly pricePerHour?: number }>
  readonly pods: { readonly running: number; readonly total: number }
}
const top = async (...args: ReadonlyArray<string>): Promise<Top> =>
  JSON.parse((await live('top', '--json', ...args)).out) as Top

beforeAll(async () => {
  cluster = await startEmbeddedCluster({
    speed: 30,
    port: 0,
    catalog: 'ec2-like',
    onControllerLine: () => undefined,
  })
  const api = connectKubeApi(cluster.server)
  const file = fileURLToPath(new URL('../../../examples/disruption/right-size.yaml', import.meta.url))
  const nodeClass = join(scratch, 'class.yaml')
  writeFileSync(
    nodeClass,
    'apiVersion: karpenter.kwok.sh/v1alpha1\nkind: KWOKNodeClass\nmetadata: { name: default }\nspec: {}\n',
  )
  expect(await applyFiles(api, [nodeClass])).toEqual([])
  await applyFiles(api, [file])
  const deadlineMs = Date.now() + 40_000
  while ((await top()).pods.running < 12) {
    if (Date.now() > deadlineMs) throw new Error('The pods do not run')
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}, 60_000)

afterAll(() => cluster?.stop())

describe('scantling top', () => {
  test('shows nodes with their type, price, use and pods, as text and as data', async () => {
    const { exitCode, out } = await live('top', '--once')
    expect(exitCode).toBe(0)
    expect(out).toMatch(/^1 node, \$0\.\d{4}\/hour, \$\d+\.\d\d\/month\n/)
    expect(out).toContain('12 pods: 12 running, 0 pending')
    expect(out).toMatch(/ip-\S+ +right-size +\S+4xlarge +on-demand +us-west-2\w +0\.\d{4} +12 /)
    expect((await top()).nodes).toMatchObject([{ nodePool: 'right-size', pricePerHour: expect.any(Number) }])
  })

  test('--selector leaves nodes and their pods out, and --sort of an unknown key is refused', async () => {
    expect(await top('--selector', 'karpenter.sh/nodepool=other')).toMatchObject({ nodes: [], pods: { total: 0 } })
    expect(await live('top', '--sort', 'colour')).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('Cannot use --sort "colour": expected name, type, zone'),
    })
  })

  test('--prices come first; a line that is none is named with its place', async () => {
    const prices = join(scratch, 'prices.txt')
    const [node] = (await top()).nodes
    expect(node).toBeDefined()
    const text = (await live('top', '--once')).out
    const type = /right-size +(\S+) /.exec(text)?.[1] ?? ''
    writeFileSync(prices, `${type} 7.5 on-demand # dear\n`)
    expect((await top('--prices', prices)).nodes).toMatchObject([{ pricePerHour: 7.5 }])
    writeFileSync(prices, 'm5.large cheap\n')
    expect(await live('top', '--prices', prices)).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining(`${prices}, line 1: Cannot read "m5.large cheap"`),
    })
  })

  test('a cluster that does not answer is one sentence', async () => {
    const { exitCode, errors } = await scantling('top', '--once', '--server', 'http://127.0.0.1:1')
    expect(exitCode).toBe(1)
    expect(errors).toHaveLength(1)
    expect(errors[0]).not.toContain('\n')
  })
})

describe('scantling explain', () => {
  test('names the PodDisruptionBudget that holds a node, and what would have to change', async () => {
    const [node] = (await top()).nodes
    const { exitCode, out } = await live('explain', 'node', node?.name.split('.')[0] ?? '', '--catalog', 'ec2-like')
    expect(exitCode).toBe(0)
    expect(out).toMatch(/stays: PodDisruptionBudget default\/api allows no eviction of pod default\/api-/)
    expect(out).toMatch(/\nTo change that: let default\/api allow a disruption/)
    const json = await live('explain', 'node', node?.name ?? '', '--catalog', 'ec2-like', '--json')
    expect(JSON.parse(json.out)).toMatchObject({
      kind: 'node',
      verdict: 'stays',
      reason: { _tag: 'PodDisruptionBudget', budgets: ['default/api'] },
    })
  })

  test('says of a pod where it is, and names what there is where the name is wrong', async () => {
    const wrong = await live('explain', 'pod', 'nobody', '--catalog', 'ec2-like')
    expect(wrong).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining('There is no pod nobody; there are default/api-'),
    })
    const pod = /default\/(api-[\w-]+)/.exec(wrong.err)?.[1] ?? ''
    expect((await live('explain', 'pod', pod, '--catalog', 'ec2-like')).out).toMatch(/stays: It is on node ip-/)
    expect(await live('explain', 'service', 'x')).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('expected node, pod or nodeclaim'),
    })
  })
})
