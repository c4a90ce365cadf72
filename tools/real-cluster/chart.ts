import { spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { parseAllDocuments } from 'yaml'

/** What the chart makes, as far as these tests read it. */
export interface Rendered {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly rules?: ReadonlyArray<{
    readonly apiGroups: ReadonlyArray<string>
    readonly resources: ReadonlyArray<string>
    readonly verbs: ReadonlyArray<string>
  }>
  readonly spec?: {
    readonly template?: {
      readonly spec: {
        readonly serviceAccountName: string
        readonly containers: ReadonlyArray<{
          readonly env: ReadonlyArray<{ readonly name: string; readonly value?: string }>
        }>
      }
    }
  }
}

const chart = resolve(import.meta.dirname, '../../deploy/chart')

/** `helm template` of our chart for the simulated provider. Throws with what Helm said. */
export const renderChart = (namespace: string, ...more: ReadonlyArray<string>): ReadonlyArray<Rendered> => {
  const helm = join(process.env['SCANTLING_HELM'] ?? '', 'helm')
  const values = ['provider=kwok', 'settings.clusterName=real', ...more].join(',')
  const ran = spawnSync(helm, ['template', 'scantling', chart, '--namespace', namespace, '--set', values], {
    encoding: 'utf8',
  })
  if (ran.status !== 0) throw new Error(`helm template: ${ran.stderr}`)
  return parseAllDocuments(ran.stdout).flatMap((document) => (document.toJS() ?? []) as Rendered)
}
