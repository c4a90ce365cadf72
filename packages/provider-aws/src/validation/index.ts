/** Validation of an EC2NodeClass: what can be said by itself, what dry runs are to be made, and what their outcome says. */
export { probeOf, verdictOfProbe, verdictWithoutObjection, type Probe, type ProbeStep } from './probe.ts'
export { staticVerdict, validationKey, type StaticCheckInput } from './static-checks.ts'
export { verdictTtlMs, type Verdict } from './verdict.ts'
