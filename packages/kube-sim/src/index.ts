export * from './face.ts'
