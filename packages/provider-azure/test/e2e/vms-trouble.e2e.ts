import { describeController } from './scenarios.ts'

describeController('aksscriptless', 'trouble')
