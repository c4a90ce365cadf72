export * from './assert.ts'
export * from './bitset.ts'
export * from './hash.ts'
export * from './ord.ts'
