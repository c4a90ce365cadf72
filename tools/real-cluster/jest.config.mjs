import base from '../../jest.config.mjs'

/** The scenarios that need a real control plane; `npm run e2e:cluster` brings it and runs them one after another. */
export default {
  ...base,
  rootDir: '../..',
  testMatch: ['<rootDir>/tools/real-cluster/e2e/*.e2e.ts'],
  testTimeout: 180_000,
  maxWorkers: 1,
  // What a failed start leaves running ends with this process.
  forceExit: true,
}
