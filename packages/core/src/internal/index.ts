export * from './assert.ts'
export * from './ord.ts'
