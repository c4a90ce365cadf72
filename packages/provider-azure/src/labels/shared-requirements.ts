import { Requirement, Requirements } from '@scantling/core'

/** Requirements that are made once for all that ask for the same: a region has a thousand sizes and few label values. */
export interface SharedRequirements {
  readonly isIn: (key: string, ...values: ReadonlyArray<string>) => Requirement
  /** The set of these labels, as one object for equal lists in one order. */
  readonly of: (labels: ReadonlyArray<readonly [key: string, ...values: ReadonlyArray<string>]>) => Requirements
}

/** Starts without any; to be kept as long as what is made with it. */
export const sharedRequirements = (): SharedRequirements => {
  const single = new Map<string, Requirement>()
  const sets = new Map<string, Requirements>()
  const isIn: SharedRequirements['isIn'] = (key, ...values) => {
    const id = [key, ...values].join('\u0000')
    const made = single.get(id) ?? Requirement.isIn(key, values)
    single.set(id, made)
    return made
  }
  return {
    isIn,
    of: (labels) => {
      const id = labels.map((label) => label.join('\u0000')).join('\u0001')
      const made = sets.get(id) ?? Requirements.of(labels.map(([key, ...values]) => isIn(key, ...values)))
      sets.set(id, made)
      return made
    },
  }
}
