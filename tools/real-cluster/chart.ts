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
export const renderChart = (namespace: string, ...flags: ReadonlyArray<string>): ReadonlyArray<Rendered> => {
  const helm = join(process.env['SCANTLING_HELM'] ?? '', 'helm')
  const args = ['template', 'scantling', chart, '--namespace', namespace, ...flags]
  const ran = spawnSync(helm, [...args, '--set', 'provider=kwok,settings.clusterName=real'], { encoding: 'utf8' })
  if (ran.status !== 0) throw new Error(`helm template: ${ran.stderr}`)
  return parseAllDocuments(ran.stdout).flatMap((document) => (document.toJS() ?? []) as Rendered)
}
