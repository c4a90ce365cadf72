import { describe, expect, test } from '@jest/globals'
import { checks, checksFor, describeCloudProvider, runCheck, runDeclarationCheck } from '../src/index.ts'
import { mutants } from './mutants/index.ts'
import { makeToy } from './toy/toy-subject.ts'

describe('the suite finds', () => {
  test.each(mutants.map((mutant) => [mutant.mistake, mutant] as const))('%s', async (_mistake, mutant) => {
    const meant = checks.find(({ name }) => name === mutant.caughtBy)
    if (meant === undefined) throw new Error(`There is no check ${mutant.caughtBy}`)
    await expect(runCheck(meant, makeToy(mutant))).rejects.toThrow()
    await runCheck(meant, makeToy())
  })
})

describe('the suite', () => {
  test('has checks with names of their own, and mutants for every part', () => {
    expect(checks.length).toBeGreaterThanOrEqual(60)
    expect(mutants.length).toBeGreaterThanOrEqual(30)
    const names = checks.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    const partOf = (name: string) => name.split('/')[0]
    expect(new Set(mutants.map(({ caughtBy }) => partOf(caughtBy)))).toEqual(new Set(names.map(partOf)))
  })

  test('leaves out what is declared by name, a check or all that need a capability', () => {
    expect(checksFor(['launch/cheapest']).length).toBe(checks.length - 1)
    expect(checksFor(['interruptions']).some(({ name }) => name.startsWith('interruptions/'))).toBe(false)
    expect(() => checksFor(['interuptions'])).toThrow(
      'Cannot leave out "interuptions": neither a capability nor a check',
    )
  })

  test('fails where a subject lacks a lever that is not declared, and where a member is declared and there', async () => {
    const [needy] = checks.filter(({ needs }) => needs.includes('sellOut'))
    const bare = async () => ({ ...(await makeToy()()), levers: {} })
    await expect(runCheck(needy!, bare)).rejects.toThrow('This check needs "sellOut": give it to the subject')
    await expect(runDeclarationCheck(['converge'], makeToy())).rejects.toThrow('It has converge')
    await runDeclarationCheck(['launch/cheapest', 'sellOut'], makeToy())
  })

  test('describes itself to any runner', () => {
    const titles: Array<string> = []
    const runner = {
      describe: (title: string, body: () => void) => (titles.push(title), body()),
      test: (title: string) => void titles.push(title),
    }
    describeCloudProvider('a toy', makeToy(), { notSupported: ['launch/cheapest'], runner })
    expect(titles[0]).toBe('a toy keeps the contract of CloudProvider (not supported: launch/cheapest)')
    expect(titles.length).toBe(checks.length + 1)
  })
})
