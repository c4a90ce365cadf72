/** Work that can be paused: every `yield` is a place where others may be answered. */
export type Steps<A> = Generator<void, A, void>

/** Work that is done as its caller finds time for it. */
export interface Run<A> {
  /** Does up to `units` pieces of work and says whether all is done. Further calls do nothing. */
  readonly step: (units: number) => boolean
  /** The result; does what is left first. */
  readonly finish: () => A
}

/** All of the work at once. */
export const drain = <A>(steps: Steps<A>): A => {
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
  }
}

/** The work in slices. */
export const runOf = <A>(steps: Steps<A>): Run<A> => {
  let result: { readonly value: A } | undefined
  const advance = () => {
    const { done, value } = steps.next()
    if (done === true) result = { value }
  }
  return {
    step: (units) => {
      for (let unit = 0; unit < units && result === undefined; unit += 1) advance()
      return result !== undefined
    },
    finish: () => {
      for (;;) {
        if (result !== undefined) return result.value
        advance()
      }
    },
  }
}
