import { Session } from 'node:inspector/promises'
import { systemClock } from '@scantling/provider-kit'
import { type Endpoint, type EndpointAnswer, text } from '../observability/index.ts'

const longestSeconds = 120

/**
 * Profiles of the running process, under the reference's paths and in V8's format: `.cpuprofile` and `.heapprofile`.
 *
 * They name functions and count; no value of the process is in them. One at a time; another one waits for it with 503.
 */
export const profileEndpoints = (): Readonly<Record<string, Endpoint>> => {
  let isTaken = false
  const during =
    (begin: string, end: string): Endpoint =>
    async (query) => {
      const seconds = Number(query.get('seconds') ?? 30)
      if (!(seconds > 0 && seconds <= longestSeconds))
        return text(400, `expected seconds above 0 and up to ${longestSeconds}\n`)
      if (isTaken) return text(503, 'another profile is being taken; wait for it\n')
      isTaken = true
      const session = new Session()
      try {
        session.connect()
        await session.post('Profiler.enable')
        await session.post(begin)
        await systemClock.sleep(seconds * 1000)
        const { profile } = (await session.post(end)) as unknown as { readonly profile: object }
        return json(JSON.stringify(profile))
      } finally {
        session.disconnect()
        isTaken = false
      }
    }
  return {
    '/debug/pprof/profile': during('Profiler.start', 'Profiler.stop'),
    '/debug/pprof/heap': during('HeapProfiler.startSampling', 'HeapProfiler.stopSampling'),
  }
}

const json = (body: string): EndpointAnswer => ({ status: 200, contentType: 'application/json', body })
