import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { families } from '@scantling/controller'
import { targetMajor } from '../deploy/bundle-provider.ts'
import { dashboardMetrics } from './dashboard.ts'
import { readImage } from './packaging/image.ts'
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

  test('the image has the Node that the bundles are made for, and copies what they are', () => {
    const { base, copies } = readImage('kwok')
    expect(/nodejs(\d+)/.exec(base)?.[1]).toBe(String(targetMajor))
    expect(copies.map(([source]) => source)).toEqual(
      ['mjs', 'cdx.json', 'licences.txt'].map((ending) => `dist/scantling-controller-kwok.${ending}`),
    )
  })
})
