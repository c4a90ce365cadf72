import type { ConformanceCheck } from '../check.ts'
import { clockChecks } from './by-the-clock.ts'
import { hostChecks } from './host.ts'
import { instanceTypeChecks } from './instance-types.ts'
import { launchChecks } from './launch.ts'
import { launchFailureChecks } from './launch-failures.ts'
import { getChecks, listChecks } from './list.ts'
import { moduleChecks } from './module.ts'
import { nodeClassChecks } from './node-class.ts'
import { terminateChecks } from './terminate.ts'

/** Every promise of the port that can be asked for from outside; any runner can drive them. */
export const checks: ReadonlyArray<ConformanceCheck> = [
  ...moduleChecks,
  ...instanceTypeChecks,
  ...launchChecks,
  ...launchFailureChecks,
  ...listChecks,
  ...getChecks,
  ...terminateChecks,
  ...nodeClassChecks,
  ...clockChecks,
  ...hostChecks,
]
