import { expect, test } from '@jest/globals'
import type { Log } from '../observability/index.ts'
import { makeServerWarnings } from './server-warnings.ts'

test('fields that the API server drops are told once, with the remedy; other warnings as they are', () => {
  const said: Array<string> = []
  const write = (level: string) => (message: string, fields: object) =>
    void said.push(`${level} ${message.slice(0, 28)} ${JSON.stringify(fields)}`)
  const note = makeServerWarnings({ info: write('info'), warn: write('warn') } as unknown as Log)
  note(
    'patch the status of NodeClaim a',
    String.raw`299 - "unknown field \"status.imageID\"", 299 - "unknown field \"status.conditions[0].observedGeneration\""`,
  )
  note('patch the status of NodeClaim b', String.raw`299 - "unknown field \"status.conditions[3].observedGeneration\""`)
  note('create Thing c', '299 - "v1 Thing is deprecated, and goes"')
  note('create Thing c', 'no such header')
  expect(said).toEqual([
    'warn The API server drops a field {"request":"patch the status of NodeClaim a","field":"status.imageID"}',
    'warn The API server drops a field {"request":"patch the status of NodeClaim a","field":"status.conditions[].observedGeneration"}',
    'info The API server warns {"request":"create Thing c","warning":"v1 Thing is deprecated, and goes"}',
  ])
})
