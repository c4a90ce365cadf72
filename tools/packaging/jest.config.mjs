import base from '../../jest.config.mjs'

/** What leaves the repository; `npm run packaging` builds what these tests need. */
export default {
  ...base,
  rootDir: '../..',
  testMatch: ['<rootDir>/tools/packaging/*.{test,packaging}.ts'],
  testTimeout: 120_000,
}
