export * from './event-recorder.ts'
