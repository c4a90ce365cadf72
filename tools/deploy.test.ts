import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { families, isDetailed, type MetricFamily } from '@scantling/controller'
import { parse } from 'yaml'
import { targetMajor } from '../deploy/bundle-provider.ts'
import { readImage } from './packaging/image.ts'
import { root } from './step.ts'

const read = (file: string) => readFileSync(path.join(root, file), 'utf8')

/** An expression of PromQL with the labels that its name, text or selectors use. */
interface Query {
  readonly expression: string
  readonly labels: ReadonlyArray<string>
}

const labelsIn = (text: string, pattern: RegExp): ReadonlyArray<string> =>
  [...text.matchAll(pattern)].flatMap(([, found = '']) => found.split(',').map((label) => label.trim()))

const queryOf = (expression: string, text: string): Query => ({
  expression,
  labels: [
    ...labelsIn(expression, /by \(([^)]*)\)/g),
    ...labelsIn(expression, /(\w+)=/g),
    ...labelsIn(text, /\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}/g),
  ],
})

const queries = (): ReadonlyArray<Query> => {
  const dashboard = JSON.parse(read('deploy/chart/files/dashboard.json')) as {
    readonly panels: ReadonlyArray<{
      readonly targets: ReadonlyArray<{ readonly expr: string; readonly legendFormat: string }>
    }>
  }
  const alerts = parse(read('deploy/chart/files/alerts.yaml')) as {
    readonly groups: ReadonlyArray<{
      readonly rules: ReadonlyArray<{ readonly expr: string; readonly annotations: unknown }>
    }>
  }
  return [
    ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr, legendFormat }) => queryOf(expr, legendFormat))),
    ...alerts.groups.flatMap(({ rules }) =>
      rules.map(({ expr, annotations }) => queryOf(expr, JSON.stringify(annotations))),
    ),
  ]
}

describe('What is installed', () => {
  const known = new Map<string, MetricFamily>(
    Object.values<MetricFamily>(families).flatMap((family) => {
      const suffixes = { histogram: ['_bucket', '_sum', '_count'], summary: ['', '_sum', '_count'] }
      const { [family.type as 'histogram']: own = [''] } = suffixes
      return own.map((suffix) => [`${family.name}${suffix}`, family] as const)
    }),
  )

  test.each(queries().map(({ expression, labels }) => [expression, labels] as const))(
    'dashboard and alerts ask for what is there without detail: %s',
    (expression, labels) => {
      const names = expression.match(/\b(?:karpenter|scantling|leader_election)_[a-z_]+/g) ?? []
      expect(names.length).toBeGreaterThan(0)
      for (const name of names) {
        const family = known.get(name)
        expect({ name, isKnown: family !== undefined }).toEqual({ name, isKnown: true })
        if (family === undefined) continue
        expect({ name, isDetailed: isDetailed(family) }).toEqual({ name, isDetailed: false })
        const own = [
          ...family.labels,
          name.endsWith('_bucket') ? 'le' : '',
          family.type === 'summary' ? 'quantile' : '',
        ]
        expect({ name, labels: labels.filter((label) => !own.includes(label)) }).toEqual({ name, labels: [] })
      }
    },
  )

  test('the image has the Node that the bundles are made for, and copies what they are', () => {
    const { base, copies } = readImage('kwok')
    expect(/nodejs(\d+)/.exec(base)?.[1]).toBe(String(targetMajor))
    expect(copies.map(([source]) => source)).toEqual(
      ['mjs', 'cdx.json', 'licences.txt'].map((ending) => `dist/scantling-controller-kwok.${ending}`),
    )
  })
})
