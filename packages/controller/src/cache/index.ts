export * from './caches.ts'
export * from './object-cache.ts'
