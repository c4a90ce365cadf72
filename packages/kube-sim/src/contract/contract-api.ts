import { deepStrictEqual, ok } from 'node:assert/strict'
import { systemClock } from '@scantling/provider-kit'

/** An object, list or refusal as the checks read it; what one of them lacks is absent whatever its type says. */
export interface Body {
  readonly kind: string
  readonly apiVersion: string
  readonly reason: string
  readonly message: string
  readonly code: number
  readonly data: Readonly<Record<string, string>>
  readonly items: ReadonlyArray<Body>
  readonly metadata: {
    readonly name: string
    readonly namespace: string
    readonly uid: string
    readonly resourceVersion: string
    readonly creationTimestamp: string
    readonly deletionTimestamp?: string
    readonly generation: number
    readonly continue?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
    readonly finalizers?: ReadonlyArray<string>
    readonly ownerReferences?: ReadonlyArray<unknown>
    readonly managedFields: ReadonlyArray<{ readonly manager: string }>
  }
  readonly details: { readonly causes: ReadonlyArray<{ readonly reason: string; readonly field: string }> }
  readonly spec: {
    readonly replicas?: number
    readonly nodeName: string
    readonly containers: ReadonlyArray<ContainerBody>
    readonly hostname?: string
    readonly subdomain?: string
    readonly volumes?: ReadonlyArray<object>
    readonly completions?: number
    readonly parallelism?: number
    readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> }
    readonly template: {
      readonly metadata: { readonly labels?: Readonly<Record<string, string>> }
      readonly spec: { readonly containers: ReadonlyArray<ContainerBody> }
    }
  }
  readonly status: {
    readonly phase?: string
    readonly replicas?: number
    readonly selector: string
    readonly currentHealthy?: number
    readonly disruptionsAllowed?: number
    readonly currentRevision?: string
    readonly updateRevision?: string
    readonly completionTime?: string
    readonly startTime?: string
    readonly conditions?: ReadonlyArray<{
      readonly type: string
      readonly status: string
      readonly reason?: string
      readonly message?: string
    }>
    readonly [field: string]: unknown
  }
  readonly revision?: number
}

interface ContainerBody {
  readonly name: string
  readonly image: string
  readonly env?: ReadonlyArray<object>
}

/** An answer, read. */
export interface Answer {
  readonly status: number
  readonly body: Body
  /** The whole text; of a watch one event a line. */
  readonly text: string
}

/** An API server under test, with its controllers, and kubelets for Nodes labelled `kwok.x-k8s.io/node: fake`. */
export interface ContractApi {
  readonly ask: (
    method: string,
    path: string,
    body?: unknown,
    contentType?: string,
  ) => Promise<{ readonly status: number; readonly body: string }>
  /** Forgets the history of every object. */
  readonly forget: () => Promise<void>
  /** Whether pods can be created in a new namespace. */
  readonly isReady: (namespace: string) => Promise<boolean>
}

/** One thing that clients may count on. Rejects with the difference. */
export interface ContractCheck {
  readonly name: string
  readonly run: (api: ContractApi) => Promise<void>
}

/** What a check is given: a namespace of its own, and calls that read their answers. */
export interface Bench {
  readonly namespace: string
  readonly get: (path: string) => Promise<Answer>
  readonly post: (path: string, body: unknown) => Promise<Answer>
  readonly put: (path: string, body: unknown) => Promise<Answer>
  readonly patch: (path: string, body: unknown, type?: keyof typeof patchTypes) => Promise<Answer>
  readonly delete: (path: string, body?: unknown) => Promise<Answer>
  readonly until: (what: string, holds: () => Promise<boolean>) => Promise<void>
  /** The events of a watch that ends by itself after two seconds. */
  readonly watch: (path: string) => Promise<ReadonlyArray<{ readonly type: string; readonly object: Body }>>
  readonly pause: (ms: number) => Promise<void>
  readonly forget: () => Promise<void>
}

export const patchTypes = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const

const withinMs = 20_000
const pollMs = 50
let benches = 0

export const check = (name: string, run: (bench: Bench) => Promise<void>): ContractCheck => ({
  name,
  run: async (api) => run(await makeBench(api)),
})

const makeBench = async (api: ContractApi): Promise<Bench> => {
  const namespace = `contract-${++benches}`
  const ask = async (method: string, path: string, body?: unknown, contentType?: string): Promise<Answer> => {
    const { status, body: text } = await api.ask(method, path, body, contentType)
    return { status, text, body: parse(text) }
  }
  const until = async (what: string, holds: () => Promise<boolean>) => {
    const deadlineMs = systemClock.nowMs() + withinMs
    while (!(await holds())) {
      ok(systemClock.nowMs() < deadlineMs, `waited in vain until ${what}`)
      await systemClock.sleep(pollMs)
    }
  }
  const made = await ask('POST', '/api/v1/namespaces', { metadata: { name: namespace } })
  equal(made.status, 201)
  await until('pods can be created', () => api.isReady(namespace))
  return {
    namespace,
    get: (path) => ask('GET', path),
    post: (path, body) => ask('POST', path, body),
    put: (path, body) => ask('PUT', path, body),
    patch: (path, body, type = 'merge') => ask('PATCH', path, body, patchTypes[type]),
    delete: (path, body) => ask('DELETE', path, body),
    until,
    pause: (ms) => systemClock.sleep(ms),
    watch: async (path) => {
      const { text } = await ask('GET', `${path}${path.includes('?') ? '&' : '?'}watch=true&timeoutSeconds=2`)
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as { readonly type: string; readonly object: Body })
    },
    forget: api.forget,
  }
}

const parse = (text: string): Body => {
  try {
    return JSON.parse(text) as Body
  } catch {
    return {} as Body
  }
}

export const equal = (actual: unknown, expected: unknown): void => deepStrictEqual(actual, expected)

/** The parts of a refusal that clients read. */
export const refusal = ({ status, body }: Answer) => ({
  status,
  kind: body.kind,
  reason: body.reason,
  message: body.message,
})
