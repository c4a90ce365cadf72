import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { scaledClock, systemClock } from '@scantling/provider-kit'
import { startKubeSim, type KubeSim } from '@scantling/kube-sim'

const isPresent = spawnSync('kubectl', ['version', '--client']).status === 0
if (!isPresent) process.stdout.write('SKIPPED kubectl.test.ts: there is no kubectl on this machine\n')

interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

const node = (name: string) => `
apiVersion: v1
kind: Node
metadata:
  name: ${name}
  annotations: {kwok.x-k8s.io/node: fake}
  labels: {kubernetes.io/hostname: ${name}, node-role.kubernetes.io/worker: ""}
status:
  capacity: {cpu: 8, memory: 16Gi, pods: 110}
---`

const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - {name: main, image: "web:1", resources: {requests: {cpu: "1"}}}
`

const statefulSet = `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 2
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - {name: main, image: "db:1"}
`

const daemonSet = `
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - {name: main, image: "agent:1"}
`

const job = `
apiVersion: batch/v1
kind: Job
metadata: {name: work}
spec:
  completions: 2
  parallelism: 2
  template:
    spec:
      restartPolicy: Never
      containers:
      - {name: main, image: "work:1"}
`

const budget = `
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 3, selector: {matchLabels: {app: web}}}
`

const definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, kind: Widget, shortNames: [wd]}
  versions:
  - name: v1
    served: true
    storage: true
    additionalPrinterColumns:
    - {name: Size, type: integer, jsonPath: .spec.size}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              size: {type: integer, description: How large it is, minimum: 1}
`

const widget = (size: unknown) => `
apiVersion: example.com/v1
kind: Widget
metadata: {name: w}
spec: {size: ${String(size)}}
`

const describeIfPresent = isPresent ? describe : describe.skip

describeIfPresent('kubectl', () => {
  let sim: KubeSim
  let directory: string
  let files = 0

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kube-sim-kubectl-'))
    const clock = scaledClock({ speed: 10, originMs: systemClock.nowMs() })
    sim = await startKubeSim({ clock, port: 0 })
  })
  afterAll(async () => {
    await sim?.stop()
    await rm(directory, { recursive: true, force: true })
  })

  const run = (...args: ReadonlyArray<string>): Promise<Outcome> =>
    new Promise((resolve) => {
      const common = ['--server', sim.url ?? '', '--cache-dir', directory, '--kubeconfig', '/dev/null']
      execFile('kubectl', [...common, ...args], { timeout: 60_000 }, (error, out, err) => {
        resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, out, err })
      })
    })
  /** Runs kubectl and insists that it succeeds. */
  const kubectl = async (...args: ReadonlyArray<string>): Promise<string> => {
    const { code, out, err } = await run(...args)
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} failed with ${code}: ${err}${out}`)
    return out
  }
  const file = async (text: string): Promise<string> => {
    const path = join(directory, `${files++}.yaml`)
    await writeFile(path, text)
    return path
  }

  test('create -f, get nodes', async () => {
    expect(await kubectl('create', '-f', await file(node('n1') + node('n2')))).toBe(
      'node/n1 created\nnode/n2 created\n',
    )
    await kubectl('wait', '--for=condition=Ready', 'node', '--all', '--timeout=30s')
    expect(await kubectl('get', 'nodes', '--no-headers')).toMatch(/^n1 +Ready +worker +\d+s/)
  }, 60_000)

  test('apply, apply again with a change, rollout status', async () => {
    const path = await file(deployment)
    expect(await kubectl('apply', '-f', path)).toBe('deployment.apps/web created\n')
    expect(await kubectl('apply', '-f', path)).toBe('deployment.apps/web unchanged\n')
    expect(await kubectl('rollout', 'status', 'deployment/web', '--timeout=30s')).toContain('successfully rolled out')
    const changed = await file(deployment.replace('replicas: 3', 'replicas: 4'))
    expect(await kubectl('apply', '-f', changed)).toBe('deployment.apps/web configured\n')
    expect(await kubectl('get', 'deployment', 'web', '-o', 'jsonpath={.spec.replicas}')).toBe('4')
    expect(await kubectl('apply', '--server-side', '-f', path)).toBe('deployment.apps/web serverside-applied\n')
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=30s')
  }, 90_000)

  test('get in its forms, and selectors', async () => {
    const lines = (await kubectl('get', 'pods', '-l', 'app=web', '--field-selector', 'status.phase=Running'))
      .trim()
      .split('\n')
    expect(lines[0]).toMatch(/^NAME +READY +STATUS +RESTARTS +AGE$/)
    expect(lines.slice(1)).toHaveLength(3)
    expect(lines[1]).toMatch(/^web-\w+-\w+ +1\/1 +Running +0 +\w+$/)
    expect(await kubectl('get', 'deploy,rs,pods', '-o', 'name')).toMatch(
      /^deployment.apps\/web\nreplicaset.apps\/web-\w+\npod\//,
    )
    expect(await kubectl('get', 'all', '-A')).toContain('deployment.apps/web')
    expect((await run('get', 'pod', 'nothing')).err).toBe('Error from server (NotFound): pods "nothing" not found\n')
  }, 60_000)

  test('describe shows what happened to whom', async () => {
    expect(await kubectl('describe', 'deployment', 'web')).toMatch(/Replicas: +3 desired/)
    expect(await kubectl('describe', 'node', 'n1')).toMatch(/Allocated resources:/)
    expect(await kubectl('describe', 'pods', '-l', 'app=web')).toMatch(/Events:[^]*Scheduled/)
  }, 60_000)

  test('scale, label, annotate, patch, wait', async () => {
    expect(await kubectl('scale', 'deployment/web', '--replicas=2')).toBe('deployment.apps/web scaled\n')
    await kubectl('wait', '--for=jsonpath={.status.readyReplicas}=2', 'deployment/web', '--timeout=30s')
    await kubectl('scale', 'deployment/web', '--replicas=3')
    await kubectl('wait', '--for=condition=Available', 'deployment/web', '--timeout=30s')
    expect(await kubectl('label', 'node', 'n1', 'a=b')).toBe('node/n1 labeled\n')
    expect(await kubectl('annotate', 'deployment', 'web', 'note=x')).toContain('annotated')
    expect(await kubectl('patch', 'deployment', 'web', '-p', '{"spec":{"minReadySeconds":1}}')).toContain('patched')
    expect(
      await kubectl('patch', 'node', 'n1', '--type=json', '-p', '[{"op":"remove","path":"/metadata/labels/a"}]'),
    ).toContain('patched')
    expect((await run('scale', 'deployment/web', '--replicas=-1')).code).not.toBe(0)
  }, 90_000)

  test('get -w sees pods come', async () => {
    const watching = run('get', 'pods', '-w', '--request-timeout=3s', '-l', 'app=web')
    await systemClock.sleep(500)
    await kubectl('scale', 'deployment/web', '--replicas=5')
    const { out } = await watching
    expect(out).toContain('ContainerCreating')
    expect(out.trim().split('\n').length).toBeGreaterThan(5)
    await kubectl('scale', 'deployment/web', '--replicas=3')
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=30s')
  }, 60_000)

  test('rollouts back and forth, of Deployments, StatefulSets and DaemonSets', async () => {
    const imageOf = (what: string) => kubectl('get', what, '-o', 'jsonpath={.spec.template.spec.containers[0].image}')
    await kubectl('apply', '-f', await file(statefulSet))
    await kubectl('rollout', 'status', 'statefulset/db', '--timeout=30s')
    expect(await kubectl('get', 'pods', '-l', 'app=db', '-o', 'name')).toBe('pod/db-0\npod/db-1\n')
    for (const what of ['deployment/web', 'statefulset/db']) {
      const before = await imageOf(what)
      await kubectl('set', 'image', what, 'main=new:2')
      await kubectl('rollout', 'status', what, '--timeout=30s')
      expect(await kubectl('rollout', 'history', what)).toMatch(/1 +<none>\n2 +<none>/)
      expect(await kubectl('rollout', 'undo', what)).toContain('rolled back')
      await kubectl('rollout', 'status', what, '--timeout=30s')
      expect(await imageOf(what)).toBe(before)
      expect(await kubectl('rollout', 'history', what)).toMatch(/2 +<none>\n3 +<none>/)
    }
    expect(await kubectl('get', 'statefulset', 'db', '--no-headers')).toMatch(/^db +2\/2 +\d/)
    await kubectl('apply', '-f', await file(daemonSet))
    await kubectl('set', 'image', 'daemonset/agent', 'main=new:2')
    await kubectl('rollout', 'status', 'daemonset/agent', '--timeout=30s')
    await kubectl('rollout', 'undo', 'daemonset/agent')
    expect([await imageOf('daemonset/agent'), await kubectl('rollout', 'history', 'daemonset/agent')]).toEqual([
      'agent:1',
      expect.stringMatching(/2 +<none>\n3 +<none>/),
    ])
    await kubectl('delete', 'statefulset/db', 'daemonset/agent')
  }, 120_000)

  test('a Job is waited for, shown, and deleted with its pods', async () => {
    await kubectl('apply', '-f', await file(job))
    await kubectl('wait', '--for=condition=complete', 'job/work', '--timeout=30s')
    expect(await kubectl('get', 'jobs', '--no-headers')).toMatch(/^work +Complete +2\/2 +\d+s +\d+s/)
    expect(await kubectl('describe', 'job', 'work')).toMatch(/0 Active .*2 Succeeded .*0 Failed/)
    await kubectl('delete', 'job', 'work')
    expect((await run('get', 'pods', '-l', 'job-name=work')).err).toContain('No resources found')
  }, 60_000)

  test('cordon, drain against a budget, uncordon', async () => {
    await kubectl('apply', '-f', await file(budget))
    expect(await kubectl('cordon', 'n1')).toBe('node/n1 cordoned\n')
    expect(await kubectl('get', 'node', 'n1')).toContain('Ready,SchedulingDisabled')
    await kubectl('wait', '--for=jsonpath={.status.currentHealthy}=3', 'pdb/web', '--timeout=30s')
    const refused = await run('drain', 'n1', '--timeout=2s')
    expect(refused.code).not.toBe(0)
    expect(refused.err).toContain("Cannot evict pod as it would violate the pod's disruption budget.")
    await kubectl('patch', 'pdb', 'web', '--type=merge', '-p', '{"spec":{"minAvailable":1}}')
    expect(await kubectl('drain', 'n1', '--timeout=60s')).toContain('node/n1 drained')
    expect(await kubectl('get', 'pods', '--field-selector', 'spec.nodeName=n1', '-o', 'name')).toBe('')
    expect(await kubectl('uncordon', 'n1')).toBe('node/n1 uncordoned\n')
  }, 120_000)

  test('custom resources: apply, get with columns, explain, refusal by field', async () => {
    await kubectl('apply', '-f', await file(definition))
    await kubectl('wait', '--for=condition=established', 'crd/widgets.example.com', '--timeout=10s')
    expect(await kubectl('apply', '-f', await file(widget(2)))).toBe('widget.example.com/w created\n')
    expect(await kubectl('apply', '-f', await file(widget(3)))).toBe('widget.example.com/w configured\n')
    expect(await kubectl('get', 'wd')).toMatch(/^NAME +SIZE\nw +3\n$/)
    expect(await kubectl('explain', 'widget.spec')).toContain('How large it is')
    expect((await run('apply', '-f', await file(widget(0)))).err).toContain(
      'spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1',
    )
    const typo = await file(widget(3).replace('size', 'sise'))
    expect((await run('apply', '-f', typo)).err).toContain('unknown field "spec.sise"')
    expect(await kubectl('delete', 'wd', 'w')).toContain('deleted')
  }, 60_000)

  test('create by words, which kubectl sends as protobuf', async () => {
    await kubectl('create', 'namespace', 'words')
    const inWords = ['-n', 'words']
    await kubectl('create', 'configmap', 'c', '--from-literal=a=b', ...inWords)
    expect(await kubectl('get', 'configmap', 'c', '-o', 'jsonpath={.data}', ...inWords)).toBe('{"a":"b"}')
    await kubectl('create', 'secret', 'generic', 's', '--from-literal=a=b', ...inWords)
    expect(await kubectl('get', 'secret', 's', '-o', 'jsonpath={.data.a} {.type}', ...inWords)).toBe('Yg== Opaque')
    await kubectl('create', 'deployment', 'd', '--image=web:1', '--replicas=2', '--port=80', ...inWords)
    await kubectl('rollout', 'status', 'deployment/d', '--timeout=30s', ...inWords)
    await kubectl('create', 'serviceaccount', 'sa', ...inWords)
    await kubectl('create', 'pdb', 'p', '--selector=app=d', '--min-available=50%', ...inWords)
    expect(await kubectl('get', 'pdb', 'p', '-o', 'jsonpath={.spec.minAvailable}', ...inWords)).toBe('50%')
    await kubectl('create', 'priorityclass', 'gold', '--value=100')
    expect(await kubectl('get', 'priorityclass', 'gold', '-o', 'jsonpath={.value}')).toBe('100')
    await kubectl('run', 'lone', '--image=web:1', '--labels=a=b', ...inWords)
    await kubectl('create', 'cronjob', 'cj', '--image=web:1', '--schedule=0 0 1 1 *', ...inWords)
    await kubectl('create', 'job', 'j', '--from=cronjob/cj', ...inWords)
    const owner = '{.metadata.ownerReferences[0].kind} {.spec.template.spec.containers[0].image}'
    expect(await kubectl('get', 'job', 'j', '-o', `jsonpath=${owner}`, ...inWords)).toBe('CronJob web:1')
    await kubectl('create', 'service', 'clusterip', 'svc', '--tcp=80:8080', ...inWords)
    expect(await kubectl('get', 'service', 'svc', '-o', 'jsonpath={.spec.ports[0].targetPort}', ...inWords)).toBe(
      '8080',
    )
    await kubectl('create', 'role', 'r', '--verb=get', '--resource=pods', ...inWords)
    await kubectl('create', 'rolebinding', 'rb', '--role=r', '--serviceaccount=words:sa', ...inWords)
    expect(
      await kubectl(
        'get',
        'role/r',
        'rolebinding/rb',
        '-o',
        'jsonpath={.items[*].rules}{.items[*].subjects}',
        ...inWords,
      ),
    ).toBe(
      '[{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}][{"kind":"ServiceAccount","name":"sa","namespace":"words"}]',
    )
    await kubectl('create', 'quota', 'q', '--hard=cpu=1', ...inWords)
    expect((await run('create', 'ingress', 'i', '--rule=a/b=svc:80', ...inWords)).err).toContain('unknown format')
  }, 120_000)

  test('delete, and wait for it to be gone', async () => {
    expect(await kubectl('delete', 'deployment', 'web')).toContain('deployment.apps "web" deleted')
    await kubectl('wait', '--for=delete', 'pod', '-l', 'app=web', '--timeout=30s')
    expect((await run('get', 'pods')).err).toContain('No resources found in default namespace.')
    await kubectl('create', '-f', await file('apiVersion: v1\nkind: Namespace\nmetadata: {name: team}'))
    const inTeam = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: team}\ndata: {a: b}'
    await kubectl('create', '-f', await file(inTeam))
    expect(await kubectl('delete', 'namespace', 'team')).toContain('deleted')
    expect((await run('get', 'namespace', 'team')).code).not.toBe(0)
  }, 90_000)
})
