import { type AnyProviderModule, families, isDetailed, type MetricFamily, settingsSpec } from '@scantling/controller'
import type { Setting } from '@scantling/core'
import { provider as aws } from '@scantling/provider-aws'
import { provider as azure } from '@scantling/provider-azure'
import { provider as kwok } from '@scantling/provider-kwok'

type AnySetting = Setting<unknown>

/** Each provider that we ship, by the title of its part of a page. */
const providers = { 'On AWS': aws, 'On Azure': azure, 'The simulated cloud': kwok } as unknown as Readonly<
  Record<string, AnyProviderModule>
>

/** `docs/settings.md` and `docs/metrics.md`: what an operator may set and read, from the tables that the code uses. */
export const renderOperatorPages = (): Readonly<Record<string, string>> => ({
  'docs/settings.md': [
    '# Settings',
    '',
    'Written by `npm run generate` from the code; not edited by hand. A flag beats its variable, which beats the default. A value that cannot be read stops the start with one line that names it. In the chart each is a value, or a variable in `controller.env`; what they do together stands in [operations](operations.md).',
    '',
    '## Of the controller',
    '',
    ...settingsTable(Object.values(settingsSpec.fields) as unknown as ReadonlyArray<AnySetting>),
    ...Object.entries(providers).flatMap(([title, { settings }]) => [
      `## ${title}`,
      '',
      ...settingsTable(Object.values((settings?.fields ?? {}) as Readonly<Record<string, AnySetting>>)),
    ]),
  ].join('\n'),
  'docs/metrics.md': [
    '# Metrics',
    '',
    'Written by `npm run generate` from the code; not edited by hand. Names and labels are Karpenter’s, except under `scantling_`. Those marked *detail* have a series for each pod, node or instance type and are reported with `--metrics-detail` only.',
    '',
    '## Of the controller',
    '',
    ...metricsTable(Object.values(families)),
    'Two groups take their labels from what they describe, so that they are no table: for each Node `karpenter_nodes_allocatable`, `karpenter_nodes_total_pod_requests`, `karpenter_nodes_total_pod_limits`, `karpenter_nodes_total_daemon_requests`, `karpenter_nodes_total_daemon_limits`, `karpenter_nodes_system_overhead` and `karpenter_nodes_current_lifetime_seconds` (all *detail*), with its name and the ends of its well-known labels; for each kind of object (`nodeclaim`, `nodepool`, `node`, `capacitybuffer` and the NodeClasses) `operator_KIND_status_condition_count`, `operator_KIND_status_condition_current_status_seconds`, `operator_KIND_status_condition_transition_seconds`, `operator_KIND_status_condition_transitions_total`, `operator_KIND_termination_current_time_seconds` and `operator_KIND_termination_duration_seconds`, of which those with a name of a NodeClaim or Node are *detail*.',
    '',
    ...Object.entries(providers).flatMap(([title, { metrics = [] }]) =>
      metrics.length === 0 ? [] : [`## ${title}`, '', ...metricsTable(metrics)],
    ),
  ].join('\n'),
})

const settingsTable = (fields: ReadonlyArray<AnySetting>): ReadonlyArray<string> => [
  '| Flag | Variable | Default | Meaning |',
  '|---|---|---|---|',
  ...fields.map(({ flag, env, help, ...field }) => {
    const encoded = field.default === undefined || field.secret === true ? '' : field.codec.encode(field.default)
    const shown = 'default' in field ? (encoded === '' ? '' : `\`${encoded}\``) : 'required'
    return row(flag === undefined ? '' : `\`--${flag}\``, env.map((name) => `\`${name}\``).join(', '), shown, help)
  }),
  '',
]

const metricsTable = (
  metrics: ReadonlyArray<Pick<MetricFamily, 'name' | 'type' | 'help' | 'labels' | 'perObject'>>,
): ReadonlyArray<string> => [
  '| Metric | Type | Labels | Meaning |',
  '|---|---|---|---|',
  ...metrics.map((metric) =>
    row(
      `\`${metric.name}\``,
      isDetailed(metric) ? `${metric.type}, *detail*` : metric.type,
      metric.labels.map((label) => `\`${label}\``).join(', '),
      metric.help,
    ),
  ),
  '',
]

const row = (...cells: ReadonlyArray<string>): string =>
  `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`
