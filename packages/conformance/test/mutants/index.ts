import type { Mutant } from './mutant.ts'
import { moduleMutants } from './of-module.ts'
import { instanceTypeMutants } from './of-instance-types.ts'
import { launchMutants } from './of-launch.ts'
import { instanceMutants } from './of-instances.ts'
import { otherMutants } from './of-the-rest.ts'

export const mutants: ReadonlyArray<Mutant> = [
  ...moduleMutants,
  ...instanceTypeMutants,
  ...launchMutants,
  ...instanceMutants,
  ...otherMutants,
]
