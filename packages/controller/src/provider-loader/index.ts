export * from './provider-loader.ts'
