export type { Ec2Details } from './details.ts'
