import base from '../../jest.config.mjs'

/** The scenarios that need a real control plane; `npm run e2e:cluster` brings it, one for each file. */
export default {
  ...base,
  rootDir: '../..',
  testMatch: ['<rootDir>/tools/real-cluster/e2e/*.e2e.ts'],
  testTimeout: 600_000,
  maxConcurrency: 12,
  maxWorkers: 1,
  // What a failed start leaves running ends with this process.
  forceExit: true,
}
