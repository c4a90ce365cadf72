/** What every provider needs and none should write again. Time comes from the caller; nothing here knows a cloud. */
export * from './abort-signal.ts'
export * from './batch.ts'
export * from './clock.ts'
export * from './fingerprint.ts'
export * from './memoize.ts'
export * from './pages.ts'
export * from './poll-until.ts'
/** Codecs for what a provider's `SettingsSpec` declares. */
export * as SettingCodecs from './setting-codecs.ts'
export * from './stable.ts'
export * from './token-bucket.ts'
export * from './traverse-bounded.ts'
