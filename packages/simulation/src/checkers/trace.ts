import type { Hash } from 'node:crypto'
import type { Checker } from './checker.ts'

/** Every effect and every change, in order, as one hash: equal runs have equal ones. */
export const traceOf = (hash: Hash): Checker & { readonly digest: () => string } => ({
  name: 'trace',
  onChange: ({ plural, type, object, atMs }) =>
    void hash.update(`${atMs} ${type} ${plural} ${object.metadata.name} ${object.metadata.resourceVersion}\n`),
  onEffect: ({ name, subject = '', atMs }) => void hash.update(`${atMs} ${name} ${subject}\n`),
  violations: () => [],
  digest: () => hash.digest('hex').slice(0, 16),
})
