import { join } from 'node:path'
import { builtBefore, findBuilt, type GoProgram } from '../built-from-go.ts'

const program: GoProgram = {
  title: 'Helm',
  name: 'helm',
  directory: import.meta.dirname,
  sources: ['module/go.mod', 'module/go.sum'],
}

/** The directory with Helm itself. Cost: some two minutes the first time. */
export const findHelm = (say: (line: string) => void) => findBuilt(program, say)

/** Helm's binary where it was built before; tests that only need Node leave out what asks for it. */
export const builtHelm = (): string | undefined => {
  const binaries = builtBefore(program)
  return binaries === undefined ? undefined : join(binaries, 'helm')
}
