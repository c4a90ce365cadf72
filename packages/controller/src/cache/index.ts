export * from './caches.ts'
export * from './object-cache.ts'
export * from './make-object-cache.ts'
export * from './start-caches.ts'
