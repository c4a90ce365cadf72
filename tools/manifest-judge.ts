import path from 'node:path'
import { readDefinitions, startKubeSim, type KubeSim } from '@scantling/kube-sim'
import { systemClock } from '@scantling/provider-kit'
import { root } from './step.ts'

/** Starts an API server with our definitions and nobody who acts on objects: it says which manifests are sound. */
export const startManifestJudge = async (): Promise<KubeSim> =>
  startKubeSim({
    clock: systemClock,
    seed: 1,
    definitions: await readDefinitions([path.join(root, 'deploy/crds')]),
    controllers: false,
  })
