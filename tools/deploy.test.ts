import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { families } from '@scantling/controller'
import { dashboardMetrics } from './dashboard.ts'
import { root } from './step.ts'

const read = (file: string) => readFileSync(path.join(root, file), 'utf8')

describe('What is installed', () => {
  const known = new Set(
    Object.values(families).flatMap(
      ({ name, type }) =>
        (
          ({ histogram: ['_bucket', '_sum', '_count'], summary: ['', '_sum', '_count'] }) as Partial<
            Record<typeof type, ReadonlyArray<string>>
          >
        )[type]?.map((suffix) => `${name}${suffix}`) ?? [name],
    ),
  )

  test('dashboard and alerts ask only for metrics that the controller has', () => {
    const asked = [...dashboardMetrics(), ...(read('deploy/chart/files/alerts.yaml').match(/karpenter_[a-z_]+/g) ?? [])]
    expect(asked.length).toBeGreaterThan(20)
    expect(asked.filter((name) => !known.has(name))).toEqual([])
  })

  test('the image copies what the bundle writes, onto the Node that it is made for', () => {
    const image = read('deploy/Dockerfile')
    const bundle = read('deploy/bundle.ts')
    const [, major] = /^FROM \S*nodejs(\d+)/m.exec(image) ?? []
    expect(bundle).toContain(`'node${major}'`)
    const sources = [...image.matchAll(/^COPY (?:--\S+ )*(\S+) /gm)].map(([, source]) => source ?? '')
    expect(sources.length).toBeGreaterThan(0)
    for (const source of sources) {
      const file = source.replace('${PROVIDER}', 'kwok')
      expect(bundle.includes('`scantling-controller-${name}.mjs`') || existsSync(path.join(root, file))).toBe(true)
      expect(file).toBe('dist/scantling-controller-kwok.mjs')
    }
  })
})
