import { afterEach, beforeEach, expect } from '@jest/globals'

import type { ControllersOptions } from '../src/controllers/index.ts'
import { startTestCluster, type TestCluster } from './cluster-fixture.ts'

/**
 * A cluster of its own for each test of a file or a `describe`, in which no controller may fail.
 *
 * What is returned stands for the cluster of the test that runs.
 */
export const clusterForEach = (
  prepare: (cluster: TestCluster) => Promise<unknown> = () => Promise.resolve(),
  options: ControllersOptions = {},
): TestCluster => {
  let present: TestCluster | undefined
  const current = (): TestCluster => {
    if (present === undefined) throw new Error('There is a cluster only while a test runs')
    return present
  }
  beforeEach(async () => {
    present = startTestCluster(options)
    await prepare(present)
  })
  afterEach(async () => {
    const { stop, errors } = current()
    await stop()
    expect(errors).toEqual([])
  })
  return new Proxy({} as TestCluster, { get: (_, key) => Reflect.get(current(), key) as unknown })
}
