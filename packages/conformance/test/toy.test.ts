import { describeCloudProvider } from '../src/index.ts'
import { makeToy } from './toy/toy-subject.ts'

describeCloudProvider('a toy with every member', makeToy())
