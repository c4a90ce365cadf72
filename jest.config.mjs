/** Tests run the TypeScript sources directly: swc strips the types, and the source condition resolves workspace packages. */
export default {
  testMatch: ['<rootDir>/{packages,examples,tools}/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' } },
    ],
  },
  testEnvironmentOptions: { customExportConditions: ['@scantling/source', 'node', 'import', 'default'] },
  // A busy machine takes its time; what hangs is still told.
  testTimeout: 60_000,
  reporters: ['default', '<rootDir>/tools/closing-line.mjs'],
  modulePathIgnorePatterns: ['<rootDir>/packages/[^/]+/dist/'],
}
