import { describe, expect, test } from '@jest/globals'
import { scantling } from './command-line.ts'

describe('scantling simulate', () => {
  test('replays a day and says what it cost, what moved and that nothing went in a circle', async () => {
    const { exitCode, out } = await scantling('simulate', '--nodes', '6', '--days', '1', '--seed', 'a')
    expect(exitCode).toBe(0)
    expect(out).toMatch(/^day {3}1: \d+ nodes, \d+ pods, \$\d+\.\d\d so far, \d+ evictions\n/)
    expect(out).toMatch(/^replacement cycles +0$/m)
    expect(out).toMatch(/^pods moved twice within an hour +\d+$/m)
  }, 120_000)

  test('refuses a step that a day has no whole number of, and a curve that is not there', async () => {
    expect(await scantling('simulate', '--step', '7m')).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('Cannot use --step "7m"'),
    })
    expect(await scantling('simulate', '--curve', '/nowhere')).toMatchObject({
      exitCode: 1,
      err: 'Cannot read load curve /nowhere: there is no such file; write daily or a file',
    })
  })
})
