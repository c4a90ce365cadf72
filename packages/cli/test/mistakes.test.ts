import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { describe, expect, test } from '@jest/globals'
import { scantling } from './command-line.ts'
import { scratchDirectory } from './scratch-directory.ts'

const directory = scratchDirectory()

const runLine = async (...args: ReadonlyArray<string>) => {
  const { exitCode, out, errors } = await scantling(...args)
  return { exitCode, out, err: errors.map((line) => line.replaceAll(`${directory}/`, '')) }
}

const nodeClass = `
apiVersion: karpenter.kwok.sh/v1alpha1
kind: KWOKNodeClass
metadata: { name: default }
`
const nodePool = (name: string, requirements: string, more = '') => `
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: { name: ${name} }
spec:
  ${more}
  template:
    spec:
      nodeClassRef: { group: karpenter.kwok.sh, kind: KWOKNodeClass, name: default }
      ${requirements}
`
const sound = nodePool('sound', 'requirements: []')
const pod = (name: string, requests = '{ cpu: 1 }') => `
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  containers: [{ name: app, resources: { requests: ${requests} } }]
`

/** Plans a mistake between sound documents: the rest of the file must still count. */
const planWith = async (mistake: string) => {
  const file = join(directory, 'all.yaml')
  writeFileSync(file, [nodeClass, mistake, sound, pod('sound')].join('---'))
  const result = await runLine('plan', '-f', file)
  expect(result.out).toContain('default/sound')
  expect(result.out).toContain('1 node to launch')
  expect(result.exitCode).toBe(1)
  return result.err
}

describe('a mistake gets one sentence with file, document, field, value and remedy, and the rest counts', () => {
  test('broken YAML', async () => {
    expect(await planWith('\nkind: Pod\n  metadata: [\n')).toEqual([
      expect.stringMatching(
        /^Refused: all\.yaml, document 2: Cannot parse YAML at line \d+, column \d+: .*check indent/,
      ),
    ])
  })

  test('an unknown operator', async () => {
    const mistake = nodePool('bad', 'requirements: [{ key: kubernetes.io/arch, operator: Inn, values: [amd64] }]')
    expect(await planWith(mistake)).toEqual([
      'Refused: all.yaml, document 2 (NodePool bad): spec.template.spec.requirements[0].operator: Invalid value: "Inn": expected In | NotIn | Exists | DoesNotExist | Gt | Lt | Gte | Lte',
    ])
  })

  test('Gt with two values', async () => {
    const mistake = nodePool('bad', 'requirements: [{ key: example.com/cpu, operator: Gt, values: ["1", "2"] }]')
    const [sentence = '', ...more] = await planWith(mistake)
    expect(more).toEqual([])
    expect(sentence).toContain('all.yaml, document 2 (NodePool bad): spec.template.spec.requirements[0]')
    expect(sentence).toContain('["1","2"]')
    expect(sentence).toContain('must have a single positive integer value')
  })

  test('negative limits', async () => {
    expect(await planWith(nodePool('bad', 'requirements: []', 'limits: { cpu: -1 }'))).toEqual([
      'Refused: all.yaml, document 2 (NodePool bad): spec.limits[cpu]: Invalid value: "-1": a limit must be at least 0; leave it out for no limit',
    ])
  })

  test('a label that only the system may set', async () => {
    const mistake = nodePool('bad', 'requirements: [{ key: karpenter.sh/registered, operator: Exists }]')
    const [sentence = ''] = await planWith(mistake)
    expect(sentence).toContain('all.yaml, document 2 (NodePool bad): spec.template.spec.requirements[0]')
  })

  test('a misspelt field is named and changes nothing else', async () => {
    const file = join(directory, 'misspelt.yaml')
    writeFileSync(file, [nodeClass, nodePool('sound', 'requirements: []', 'wieght: 3'), pod('sound')].join('---'))
    expect(await runLine('plan', '-f', file)).toMatchObject({
      exitCode: 0,
      err: [
        'Ignored: misspelt.yaml, document 2 (NodePool sound): spec.wieght: there is no such field; correct its name or remove it',
      ],
    })
  })

  test('a nodeClassRef to nothing', async () => {
    const mistake = nodePool('bad', 'requirements: []').replace('name: default }\n', 'name: gone }\n')
    expect(await planWith(mistake)).toEqual([
      'Refused: all.yaml, document 2 (NodePool bad): spec.template.spec.nodeClassRef: Invalid value: "KWOKNodeClass.karpenter.kwok.sh/gone": there is no such object in the files; add it, or name one that is there',
    ])
  })

  test('a quantity of 1.5Gii', async () => {
    expect(await planWith(pod('bad', '{ memory: 1.5Gii }'))).toEqual([
      'Refused: all.yaml, document 2 (Pod bad): spec.containers[0].resources.requests[memory]: Invalid value: "1.5Gii": Cannot parse quantity "1.5Gii": unknown suffix "Gii"; write an amount such as 500m, 2, 512Mi or 1.5Gi',
    ])
  })

  test('a NodePool without requirements', async () => {
    expect(await planWith(nodePool('bad', ''))).toEqual([
      'Refused: all.yaml, document 2 (NodePool bad): spec.template.spec.requirements: Required value: list at least one, such as {key: kubernetes.io/arch, operator: In, values: [amd64]}',
    ])
  })

  test('a wildcard that matches no type', async () => {
    const mistake = nodePool(
      'bad',
      'requirements: [{ key: node.kubernetes.io/instance-type, operator: In, values: ["zz9.*"] }]',
    )
    const [sentence = ''] = await planWith(mistake)
    expect(sentence).toContain('all.yaml, document 2 (NodePool bad): spec.template.spec.requirements')
    expect(sentence).toContain('"zz9.*": no instance type of the catalogue matches')
  })

  test('a retired kind', async () => {
    const [sentence = '', ...more] = await planWith(
      '\napiVersion: karpenter.sh/v1alpha5\nkind: Provisioner\nmetadata: { name: old }\nspec: {}\n',
    )
    expect(more).toEqual([])
    expect(sentence).toContain('(Provisioner old): Provisioner was replaced by NodePool')
  })

  test('a pod larger than every type', async () => {
    const file = join(directory, 'large.yaml')
    writeFileSync(file, [nodeClass, sound, pod('large', '{ cpu: 5000 }'), pod('small')].join('---'))
    const { exitCode, out } = await runLine('plan', '-f', file)
    expect(exitCode).toBe(1)
    expect(out).toContain('No place for 1 pod: default/large')
    expect(out).toMatch(
      /NodePool sound: all of its \d+ instance types are too small for cpu 5k; the closest, \S+, has cpu/,
    )
    expect(out).toContain('default/small')
  })

  test('a missing file', async () => {
    const file = join(directory, 'all.yaml')
    writeFileSync(file, [nodeClass, sound, pod('sound')].join('---'))
    const { exitCode, err, out } = await runLine('plan', '-f', join(directory, 'gone.yaml'), '-f', file)
    expect(exitCode).toBe(1)
    expect(err).toEqual(['Refused: Cannot read gone.yaml: there is no such file or directory'])
    expect(out).toContain('default/sound')
  })

  test('a catalogue that is not there', async () => {
    const { exitCode, err } = await runLine('plan', '-f', join(directory, 'all.yaml'), '--catalog', 'moon-like')
    expect(exitCode).toBe(1)
    expect(err).toEqual([
      'Cannot read catalogue moon-like: there is no such file; write ec2-like, azure-like, kwok or a file',
    ])
  })

  test('a command line that makes no sense', async () => {
    expect(await runLine('plan')).toMatchObject({
      exitCode: 2,
      err: [expect.stringContaining('Name manifests with -f')],
    })
    expect(await runLine('plan', '--fast')).toMatchObject({ exitCode: 2 })
    expect(await runLine('plam')).toMatchObject({ exitCode: 2 })
    expect(await runLine('plan', '--for', 'fun', '-f', 'x')).toMatchObject({
      exitCode: 2,
      err: [expect.stringContaining('expected provisioning or disruption')],
    })
  })
})

describe('scantling plan --scenario -', () => {
  test('answers each line in order, in one process, and goes on after a bad one', () => {
    const scenario = { version: 1, now: '2026-01-01T00:00:00Z', objects: [] }
    const lines = [
      { ...scenario, name: 'one' },
      'not a scenario',
      { ...scenario, name: 'two', kind: 'disrupt' },
      { ...scenario, name: 'three' },
    ]
    const { stdout, status } = spawnSync(
      process.execPath,
      [
        '--conditions=@scantling/source',
        fileURLToPath(new URL('../src/main.ts', import.meta.url)),
        'plan',
        '--scenario',
        '-',
      ],
      {
        input: lines.map((line) => JSON.stringify(line)).join('\n'),
        encoding: 'utf8',
        env: { ...process.env, NODE_OPTIONS: '' },
      },
    )
    const answers = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly name: string; readonly failure?: string })
    expect(answers.map(({ name }) => name)).toEqual(['one', '', 'two', 'three'])
    expect(answers.map(({ failure }) => failure !== undefined)).toEqual([false, true, false, false])
    expect(status).toBe(1)
  })
})

describe('scantling convert', () => {
  test("prints today's form, and the changes on standard error", async () => {
    const file = fileURLToPath(new URL('../../../examples/v1beta1/nodepool.yaml', import.meta.url))
    const { exitCode, out, err } = await runLine('convert', '-f', file)
    expect(exitCode).toBe(0)
    expect(out).toContain('apiVersion: karpenter.sh/v1\n')
    expect(out).toContain('consolidationPolicy: WhenEmptyOrUnderutilized')
    expect(err.length).toBe(7)
    const again = join(directory, 'converted.yaml')
    writeFileSync(again, out)
    expect(await runLine('convert', '-f', again)).toMatchObject({ exitCode: 0, err: [] })
    expect(readFileSync(again, 'utf8')).toContain('kind: EC2NodeClass')
  })
})
