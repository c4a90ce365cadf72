import { findBuilt } from '../built-from-go.ts'

/** The directory with Helm itself. Cost: some two minutes the first time. */
export const findHelm = (say: (line: string) => void) =>
  findBuilt(
    { title: 'Helm', name: 'helm', directory: import.meta.dirname, sources: ['module/go.mod', 'module/go.sum'] },
    say,
  )
