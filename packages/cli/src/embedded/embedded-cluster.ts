import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { startPart, type Part, type PartFailure } from './part.ts'

/** A whole cluster on this machine: API server, simulated cloud and controller, each a process of its own on loopback. */
export interface EmbeddedCluster {
  readonly server: string
  readonly cloud: string
  readonly speed: number
  readonly clockOriginMs: number
  /** Resolves with a sentence when one of the processes ends by itself. */
  readonly failed: Promise<string>
  /** Ends the controller; the cluster and its machines live on. `kill`: as a crash would. */
  readonly stopController: (how: 'stop' | 'kill') => Promise<void>
  /** Starts a controller again, with what the last one knew only from cluster and cloud. */
  readonly startController: () => Promise<void>
  readonly controllerPid: () => number
  readonly stop: () => Promise<void>
}

export interface EmbeddedClusterOptions {
  /** How many seconds of the cluster pass in one of ours. */
  readonly speed: number
  /** Loopback port of the API server; 0: any free one. */
  readonly port: number
  readonly catalog: string
  /** Each line that the controller logs, as JSON. */
  readonly onControllerLine: (line: string) => void
  readonly logLevel?: string
  readonly seed?: string
}

const readyWithinMs = 30_000
// The parts are programs of other packages, found as any import of theirs would be.
const require = createRequire(import.meta.url)
const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))
const here = path('../..')

/**
 * Starts the embedded cluster and resolves when its controller is at work.
 *
 * Rejects with a sentence for people when a part cannot start; what was started is stopped again.
 */
export const startEmbeddedCluster = async (options: EmbeddedClusterOptions): Promise<EmbeddedCluster> => {
  const { speed, port, catalog, seed = 'scantling' } = options
  const clockOriginMs = Date.now()
  const time = ['--speed', String(speed), '--clock-origin', String(clockOriginMs)]
  const parts: Array<Part> = []
  let fail: (sentence: string) => void = () => undefined
  const failed = new Promise<string>((resolve) => (fail = resolve))
  let controller: Part | undefined
  const stopController = async (how: 'stop' | 'kill') => {
    const ending = controller
    if (ending === undefined) return
    controller = undefined
    parts.splice(parts.indexOf(ending), 1)
    await ending[how]()
  }
  const stop = async () => {
    // The controller first: it finishes what is in flight against a cluster and a cloud that still answer.
    await stopController('stop')
    await Promise.all(parts.splice(0).map((part) => part.stop()))
  }
  try {
    const [server, cloud] = await Promise.all([
      startServing(parts, fail, 'The API server', require.resolve('@scantling/kube-sim/main'), [
        '--port',
        String(port),
        ...time,
        '--crds',
        path('../../../../deploy/crds'),
      ]),
      startServing(parts, fail, 'The simulated cloud', require.resolve('@scantling/provider-kwok/cloud'), [
        '--port',
        '0',
        ...time,
        '--catalog',
        catalog,
        '--seed',
        seed,
      ]),
    ])
    const startController = async () => {
      const started = await startServingController(options, { server, cloud, clockOriginMs })
      controller = started
      parts.push(started)
      void started.failed.then((failure) => fail(endedUnexpectedly('The controller', failure)))
    }
    await startController()
    return {
      server,
      cloud,
      speed,
      clockOriginMs,
      failed,
      startController,
      stopController,
      controllerPid: () => controller?.pid ?? 0,
      stop,
    }
  } catch (cause) {
    await stop()
    throw cause
  }
}

/** Starts a part that prints one line of JSON with its URL when it listens. */
const startServing = async (
  parts: Array<Part>,
  fail: (sentence: string) => void,
  name: string,
  entry: string,
  args: ReadonlyArray<string>,
): Promise<string> => {
  let tell: (url: string) => void = () => undefined
  const ready = new Promise<string>((resolve) => (tell = resolve))
  const onLine = (line: string) => {
    const url = readyUrl(line)
    if (url !== undefined) tell(url)
  }
  const part = startPart({ entry, args, cwd: here, onLine })
  parts.push(part)
  const url = await orFailure(name, ready, part)
  void part.failed.then((failure) => fail(endedUnexpectedly(name, failure)))
  return url
}

const startServingController = async (
  { speed, onControllerLine, logLevel = 'info' }: EmbeddedClusterOptions,
  { server, cloud, clockOriginMs }: { readonly server: string; readonly cloud: string; readonly clockOriginMs: number },
): Promise<Part> => {
  let tell: () => void = () => undefined
  const ready = new Promise<void>((resolve) => (tell = resolve))
  const onLine = (line: string) => {
    onControllerLine(line)
    if (line.includes('"Started"')) tell()
  }
  const part = startPart({
    entry: path('./controller-process.ts'),
    args: [
      '--provider',
      'kwok',
      '--server',
      server,
      '--cluster-name',
      'embedded',
      '--log-level',
      logLevel,
      '--kwok-cloud-url',
      cloud,
      '--metrics-port',
      '0',
      '--health-probe-port',
      '0',
      '--bind-address',
      '127.0.0.1',
      '--leader-elect',
      'false',
      '--kube-client-qps',
      '2000',
      '--kube-client-burst',
      '4000',
    ],
    env: { SCANTLING_SPEED: String(speed), SCANTLING_CLOCK_ORIGIN: String(clockOriginMs) },
    // Providers are looked for from here: this package has the simulated one.
    cwd: here,
    onLine,
  })
  await orFailure('The controller', ready, part).catch(async (cause: unknown) => {
    await part.stop()
    throw cause
  })
  return part
}

const orFailure = async <A>(name: string, ready: Promise<A>, part: Part): Promise<A> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} is not ready after ${readyWithinMs / 1000} s`)), readyWithinMs)
    // A part that was stopped, since another did not start, is waited for by nobody.
    timer.unref()
  })
  try {
    return await Promise.race([ready, late, failedToStart(name, part)])
  } finally {
    clearTimeout(timer)
  }
}

const failedToStart = async (name: string, part: Part): Promise<never> => {
  const { how, said } = await part.failed
  throw new Error(`${name} did not start: ${said === '' ? how : said}`)
}

const endedUnexpectedly = (name: string, { how, said }: PartFailure): string =>
  `${name} ended unexpectedly (${how})${said === '' ? '' : `: ${said}`}`

const readyUrl = (line: string): string | undefined => {
  try {
    const { url } = JSON.parse(line) as { readonly url?: unknown }
    return typeof url === 'string' ? url : undefined
  } catch {
    return undefined
  }
}
