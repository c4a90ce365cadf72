/** Quotas of the subscription. */
export * from './usages.ts'
