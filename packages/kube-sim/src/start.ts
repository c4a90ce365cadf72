import type { Clock } from '@scantling/provider-kit'
import { startControllers, type ControllersOptions } from './controllers/index.ts'
import { resource, StatusError, type DraftObject } from './face.ts'
import { listen, type Listener } from './http/index.ts'
import { createApiServer, type ApiServer } from './server/api-server.ts'

export interface KubeSimOptions {
  readonly clock: Clock
  /** Of UIDs, names and latencies. Default 1. */
  readonly seed?: number
  /** Where to listen on 127.0.0.1; 0 takes any free port. Absent: in process only. */
  readonly port?: number
  /** `false`: watches cannot begin with what there is, as on servers before 1.32. Default true. */
  readonly watchList?: boolean
  /** CustomResourceDefinitions to serve from the start. */
  readonly definitions?: ReadonlyArray<DraftObject>
  /** `false`: the API server alone. */
  readonly controllers?: ControllersOptions | false
}

/** An embedded cluster: API server, controllers, and the address of its HTTP face if it has one. */
export interface KubeSim {
  readonly server: ApiServer
  readonly url: string | undefined
  readonly stop: () => Promise<void>
}

const definitionResource = resource('apiextensions.k8s.io/v1', 'customresourcedefinitions')

/**
 * Starts an embedded cluster.
 *
 * Errors: rejects with one sentence for a definition that is refused, and for a port in use.
 *
 * @example
 * const sim = await startKubeSim({ clock: systemClock, port: 0 })
 * console.log(`kubectl --server ${sim.url} get nodes`)
 * await sim.stop()
 */
export const startKubeSim = async (options: KubeSimOptions): Promise<KubeSim> => {
  const { clock, seed = 1, port, definitions = [], controllers = {}, watchList = true } = options
  const server = createApiServer({ clock, seed, watchList })
  const face = server.face('kube-sim')
  for (const definition of definitions) {
    try {
      await face.create(definitionResource, definition, { fieldValidation: 'Ignore' })
    } catch (error) {
      if (!(error instanceof StatusError)) throw error
      throw new Error(`Cannot serve definition "${definition.metadata?.name ?? ''}": ${error.message}`, {
        cause: error,
      })
    }
  }
  const listener: Listener | undefined = port === undefined ? undefined : await listen(server, { port })
  const running =
    controllers === false ? undefined : startControllers(server.face('controllers'), clock, { seed, ...controllers })
  return {
    server,
    url: listener?.url,
    stop: async () => {
      await running?.stop()
      await listener?.close()
    },
  }
}
