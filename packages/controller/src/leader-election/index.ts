export * from './leader-election.ts'
export * from './fence.ts'
