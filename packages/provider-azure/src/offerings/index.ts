/** Ways to buy a machine: zones, what can be had, and the marks on what cannot. */
export * from './marks.ts'
export * from './offerings.ts'
export * from './zones.ts'
