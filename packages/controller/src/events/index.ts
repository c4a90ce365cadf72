export * from './event-recorder.ts'
export * from './make-event-recorder.ts'
