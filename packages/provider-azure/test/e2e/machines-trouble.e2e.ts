import { describeController } from './scenarios.ts'

describeController('aksmachineapiheaderbatch', 'trouble')
