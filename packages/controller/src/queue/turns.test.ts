import { describe, expect, test } from '@jest/globals'
import { makeTurns } from './turns.ts'

const deferred = <A>() => {
  let settle: { readonly resolve: (value: A) => void; readonly reject: (cause: Error) => void } | undefined
  const promise = new Promise<A>((resolve, reject) => (settle = { resolve, reject }))
  return { promise, resolve: (value: A) => settle?.resolve(value), reject: (cause: Error) => settle?.reject(cause) }
}
const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('turns', () => {
  test('are taken one after another at one key, and at once at others', async () => {
    const turns = makeTurns()
    const began: Array<string> = []
    const first = deferred<number>()
    const take = (key: string, name: string, work: Promise<number>) =>
      turns(key, () => {
        began.push(name)
        return work
      })
    const answers = [
      take('a', 'first', first.promise),
      take('a', 'second', Promise.resolve(2)),
      take('b', 'third', Promise.resolve(3)),
    ]
    await settled()
    expect(began).toEqual(['first', 'third'])
    first.resolve(1)
    expect(await Promise.all(answers)).toEqual([1, 2, 3])
    expect(began).toEqual(['first', 'third', 'second'])
  })

  test('go on after one that fails, which is told to whoever took it', async () => {
    const turns = makeTurns()
    const first = deferred<number>()
    const failed = turns('a', () => first.promise)
    const next = turns('a', async () => 2)
    first.reject(new Error('broken'))
    await expect(failed).rejects.toThrow('broken')
    expect(await next).toBe(2)
  })
})
