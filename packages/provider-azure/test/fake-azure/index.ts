export * from './fake-azure.ts'
