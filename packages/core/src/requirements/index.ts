/** The scheduling algebra of labels: `Requirement` for one key, `Requirements` for a conjunction. */
import * as requirement from './requirement.ts'
import * as requirements from './requirements.ts'

export const Requirement = requirement
export type Requirement = requirement.Requirement

export const Requirements = requirements
export type Requirements = requirements.Requirements

export type { Operator, RequirementSpec } from './requirement.ts'
export type { Aliases, Conflict } from './requirements.ts'
