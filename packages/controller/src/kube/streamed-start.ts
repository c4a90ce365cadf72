/**
 * Whether a server begins watches with what there is (`sendInitialEvents`). Found out once, by whoever comes first, for
 * every kind that is followed on that server.
 */
export interface StreamedStart {
  /** Resolves when it is known, or with true when it is the caller's turn to find out; that turn ends by `told`. */
  readonly isWorthTrying: () => Promise<boolean>
  /** What a try has shown; `undefined`: nothing, so that the next may try. */
  readonly told: (isServed: boolean | undefined) => void
}

/** `isWanted`: false where nobody is to try. */
export const makeStreamedStart = (isWanted: boolean): StreamedStart => {
  let isServed = isWanted ? undefined : false
  let trial: { readonly ended: Promise<void>; readonly end: () => void } | undefined
  return {
    isWorthTrying: async () => {
      while (isServed === undefined) {
        if (trial === undefined) {
          let end = () => {}
          const ended = new Promise<void>((resolve) => (end = resolve))
          trial = { ended, end }
          return true
        }
        await trial.ended
      }
      return isServed
    },
    told: (answer) => {
      // One refusal is enough: behind one address there may be servers of two versions.
      if (answer === false || isServed === undefined) isServed = answer
      trial?.end()
      trial = undefined
    },
  }
}
