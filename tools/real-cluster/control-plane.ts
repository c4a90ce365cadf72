import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request, type RequestOptions } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeCertificates } from './certificates.ts'
import { startChild, type Child } from './child.ts'

/** A Kubernetes control plane with kubelets of its own for Nodes labelled `kwok.x-k8s.io/node: fake`. */
export interface ControlPlane {
  readonly directory: string
  /** Of an administrator. */
  readonly kubeconfig: string
  readonly server: string
  /** Every request to the API server, one JSON line each. */
  readonly auditLog: string
  readonly restartApiServer: () => Promise<void>
  /** One request as administrator; resolves with status and body. */
  readonly raw: (path: string) => Promise<{ readonly status: number; readonly body: string }>
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
export const startControlPlane = async (binaries: string): Promise<ControlPlane> => {
  const directory = mkdtempSync(join(tmpdir(), 'scantling-plane-'))
  await writeCertificates(directory, server)
  const auditLog = join(directory, 'audit.log')
  const parts = new Map<string, Child>()
  const start = (name: string): Child => {
    const child = startChild({
      name,
      command: join(binaries, name),
      args: argumentsOf(directory, binaries, auditLog)[name] ?? [],
      log: join(directory, `${name}.log`),
    })
    parts.set(name, child)
    return child
  }
  const raw = (path: string) => get(`${server}${path}`, directory)
  const stop = async () => {
    for (const part of [...parts.values()].reverse()) await part.stop()
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    mkdirSync(join(directory, 'etcd'), { mode: 0o700 })
    start('etcd')
    await until('kube-apiserver is ready', start('kube-apiserver'), async () => (await raw('/readyz')).body === 'ok')
    await until(
      'kube-controller-manager made the first ServiceAccount',
      start('kube-controller-manager'),
      async () => (await raw('/api/v1/namespaces/default/serviceaccounts/default')).status === 200,
    )
    const isHealthy = (port: number) => async () =>
      (await get(`https://127.0.0.1:${port}/healthz`, directory, { rejectUnauthorized: false })).status === 200
    await until('kube-scheduler is healthy', start('kube-scheduler'), isHealthy(10259))
    await until('kwok is healthy', start('kwok'), isHealthy(10247))
  } catch (cause) {
    await stop()
    throw cause
  }
  return {
    directory,
    kubeconfig: join(directory, 'admin.kubeconfig'),
    server,
    auditLog,
    raw,
    stop,
    restartApiServer: async () => {
      await parts.get('kube-apiserver')?.stop()
      await until('kube-apiserver is ready', start('kube-apiserver'), async () => (await raw('/readyz')).body === 'ok')
    },
  }
}

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

const get = (url: string, directory: string, options: RequestOptions = {}) =>
  new Promise<{ status: number; body: string }>((resolve, reject) => {
    const read = (file: string) => readFileSync(join(directory, file))
    const asking = request(
      url,
      { ca: read('ca.crt'), cert: read('admin.crt'), key: read('admin.key'), agent: false, ...options },
      (response) => {
        let body = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (body += chunk))
        response.once('end', () => resolve({ status: response.statusCode ?? 0, body }))
      },
    )
    asking.once('error', reject)
    asking.end()
  })

// The defaults of 20 to 50 requests a second would bind scheduling and ReplicaSets, not our controller.
const unhurried = ['--kube-api-qps=200', '--kube-api-burst=400']

const argumentsOf = (
  directory: string,
  binaries: string,
  auditLog: string,
): Readonly<Record<string, ReadonlyArray<string>>> => {
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
      `--config=${join(binaries, 'stages.yaml')}`,
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
