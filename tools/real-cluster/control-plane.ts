import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileOf } from './binaries.ts'
import { makeApi, type Api } from './api.ts'
import { writeCertificates } from './certificates.ts'
import { startChild, type Child } from './child.ts'

export type Part = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 'kwok'

/** A Kubernetes control plane with kubelets of its own for Nodes labelled `kwok.x-k8s.io/node: fake`. */
export interface ControlPlane {
  readonly directory: string
  /** Of an administrator. */
  readonly kubeconfig: string
  readonly server: string
  /** Every request to the API server, one JSON line each. */
  readonly auditLog: string
  /** Asked as an administrator. */
  readonly api: Api
  readonly pidOf: (part: Part) => number
  readonly restartApiServer: () => Promise<void>
  /** Stops a part until `start` is called. */
  readonly halt: (part: Part) => Promise<void>
  /** Starts a part that was halted, with more flags where given; resolves when the API server answers. */
  readonly start: (part: Part, flags?: ReadonlyArray<string>) => Promise<void>
  /** Forgets the history of every object: who watches from before must list again. */
  readonly compact: () => Promise<void>
  /** From then on etcd refuses every write, as one does whose quota is used up; until `disarm`. */
  readonly raiseQuotaAlarm: () => Promise<void>
  readonly disarm: () => Promise<void>
  readonly stop: () => Promise<void>
}

// Fixed: the plane lives in a network namespace of its own.
const etcdUrl = 'http://127.0.0.1:2379'
const server = 'https://127.0.0.1:6443'
const readyWithinMs = 90_000
const pollMs = 100

/**
 * Starts etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok; resolves when pods can be created and
 * are scheduled.
 *
 * Rejects with what the part said that did not start; what was started is stopped again.
 */
export const startControlPlane = async (
  binaries: string,
  more: Partial<Readonly<Record<Part, ReadonlyArray<string>>>> = {},
): Promise<ControlPlane> => {
  const directory = mkdtempSync(join(tmpdir(), 'scantling-plane-'))
  await writeCertificates(directory, server)
  const auditLog = join(directory, 'audit.log')
  const parts = new Map<Part, Child>()
  const launch = (name: Part, flags: ReadonlyArray<string> = more[name] ?? []): Child => {
    const child = startChild({
      name,
      command: fileOf(binaries, name),
      args: [...argumentsOf(directory, binaries, auditLog)[name], ...flags],
      log: join(directory, `${name}.log`),
    })
    parts.set(name, child)
    return child
  }
  const api = makeApi(server, directory)
  const stop = async () => {
    api.close()
    for (const part of [...parts.values()].reverse()) await part.stop()
    rmSync(directory, { recursive: true, force: true })
  }
  const untilReady = (child: Child) =>
    until('kube-apiserver is ready', child, async () => (await api.request('/readyz')).body === 'ok')
  const halt = async (part: Part) => parts.get(part)?.stop()
  const start = async (part: Part, flags?: ReadonlyArray<string>) => untilReady(launch(part, flags))
  try {
    mkdirSync(join(directory, 'etcd'), { mode: 0o700 })
    launch('etcd')
    await start('kube-apiserver')
    // The three need nothing of each other.
    await Promise.all([
      until(
        'kube-controller-manager made the first ServiceAccount',
        launch('kube-controller-manager'),
        async () => (await api.request('/api/v1/namespaces/default/serviceaccounts/default')).status === 200,
      ),
      until('kube-scheduler is healthy', launch('kube-scheduler'), () => isHealthy(10259)),
      until('kwok is healthy', launch('kwok'), () => isHealthy(10247)),
    ])
  } catch (cause) {
    await stop()
    throw cause
  }
  return {
    directory,
    kubeconfig: join(directory, 'admin.kubeconfig'),
    server,
    auditLog,
    api,
    pidOf: (part) => parts.get(part)?.pid ?? 0,
    stop,
    halt,
    start,
    restartApiServer: async () => {
      await halt('kube-apiserver')
      await start('kube-apiserver')
    },
    compact: async () => {
      const { header } = (await etcd('/v3/kv/range', { key: 'AA==' })) as { header: { revision: string } }
      await etcd('/v3/kv/compaction', { revision: header.revision, physical: true })
    },
    raiseQuotaAlarm: async () => void (await etcd('/v3/maintenance/alarm', { action: 'ACTIVATE', alarm: 'NOSPACE' })),
    disarm: async () => void (await etcd('/v3/maintenance/alarm', { action: 'DEACTIVATE', alarm: 'NOSPACE' })),
  }
}

/** One call by etcd's JSON gateway. */
const etcd = async (path: string, body: object): Promise<unknown> => {
  const answer = await fetch(`${etcdUrl}${path}`, { method: 'POST', body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`etcd ${path}: ${answer.status} ${await answer.text()}`)
  return answer.json()
}

const isHealthy = (port: number) =>
  new Promise<boolean>((resolve, reject) => {
    const asking = request(
      `https://127.0.0.1:${port}/healthz`,
      { agent: false, rejectUnauthorized: false },
      (response) => {
        response.resume()
        resolve(response.statusCode === 200)
      },
    )
    asking.once('error', reject)
    asking.end()
  })

const until = async (what: string, child: Child, holds: () => Promise<boolean>): Promise<void> => {
  const deadline = performance.now() + readyWithinMs
  const poll = async () => {
    while (!(await holds().catch(() => false))) {
      if (performance.now() > deadline) throw new Error(`Waited ${readyWithinMs / 1000} s in vain until ${what}`)
      await new Promise((resolve) => setTimeout(resolve, pollMs))
    }
  }
  await Promise.race([poll(), child.running])
}

// The defaults of 20 to 50 requests a second would bind scheduling and ReplicaSets, not our controller.
const unhurried = ['--kube-api-qps=200', '--kube-api-burst=400']

const argumentsOf = (
  directory: string,
  binaries: string,
  auditLog: string,
): Readonly<Record<Part, ReadonlyArray<string>>> => {
  const at = (file: string) => join(directory, file)
  return {
    etcd: [
      `--data-dir=${at('etcd')}`,
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      '--listen-peer-urls=http://127.0.0.1:2380',
      '--initial-advertise-peer-urls=http://127.0.0.1:2380',
      '--initial-cluster=default=http://127.0.0.1:2380',
      '--unsafe-no-fsync',
      '--log-level=warn',
    ],
    'kube-apiserver': [
      `--etcd-servers=${etcdUrl}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      '--secure-port=6443',
      '--endpoint-reconciler-type=none',
      `--tls-cert-file=${at('apiserver.crt')}`,
      `--tls-private-key-file=${at('apiserver.key')}`,
      `--client-ca-file=${at('ca.crt')}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${at('sa.pub')}`,
      `--service-account-signing-key-file=${at('sa.key')}`,
      '--service-cluster-ip-range=10.96.0.0/16',
      '--authorization-mode=RBAC',
      '--allow-privileged=true',
      '--kubelet-preferred-address-types=InternalIP',
      `--kubelet-client-certificate=${at('admin.crt')}`,
      `--kubelet-client-key=${at('admin.key')}`,
      `--audit-policy-file=${join(import.meta.dirname, 'audit-policy.yaml')}`,
      `--audit-log-path=${auditLog}`,
      '--audit-log-mode=batch',
    ],
    'kube-controller-manager': [
      `--kubeconfig=${at('kube-controller-manager.kubeconfig')}`,
      '--use-service-account-credentials=true',
      `--service-account-private-key-file=${at('sa.key')}`,
      `--root-ca-file=${at('ca.crt')}`,
      '--leader-elect=false',
      '--bind-address=127.0.0.1',
      '--secure-port=10257',
      '--concurrent-deployment-syncs=10',
      ...unhurried,
    ],
    'kube-scheduler': [
      `--kubeconfig=${at('kube-scheduler.kubeconfig')}`,
      '--leader-elect=false',
      '--bind-address=127.0.0.1',
      '--secure-port=10259',
      ...unhurried,
    ],
    kwok: [
      `--kubeconfig=${at('admin.kubeconfig')}`,
      `--config=${fileOf(binaries, 'stages.yaml')}`,
      '--manage-all-nodes=false',
      '--manage-nodes-with-label-selector=kwok.x-k8s.io/node=fake',
      '--node-ip=127.0.0.1',
      '--node-port=10247',
      '--server-address=127.0.0.1:10247',
      `--tls-cert-file=${at('apiserver.crt')}`,
      `--tls-private-key-file=${at('apiserver.key')}`,
      '--node-lease-duration-seconds=40',
    ],
  }
}
