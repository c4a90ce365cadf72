import { describe, expect, test } from '@jest/globals'
import { recordingHost } from '@scantling/simulation/testing'
import * as E from 'fp-ts/lib/Either.js'
import { capped } from '../sdk/capped-credential.ts'
import { auxiliaryTokens, environmentOf, publicCloud, scopeOf } from './index.ts'

const noFile = () => {
  throw new Error('ENOENT')
}

describe('clouds', () => {
  test('Z-AUTH-02: by name, by a file, or the public one', () => {
    const named = (cloud: string) => environmentOf({ cloud, environmentFilepath: '' }, noFile)
    expect(named('')).toEqual(E.right(publicCloud))
    expect(['azurepubliccloud', 'AzureCloud'].map(named)).toEqual([E.right(publicCloud), E.right(publicCloud)])
    expect(named('AzureChinaCloud')).toMatchObject({
      right: {
        resourceManagerEndpoint: 'https://management.chinacloudapi.cn',
        activeDirectoryEndpoint: 'https://login.chinacloudapi.cn',
      },
    })
    expect(named('AzureUSGovernment')).toMatchObject({
      right: { name: 'AzureUSGovernmentCloud', resourceManagerEndpoint: 'https://management.usgovcloudapi.net' },
    })
    expect(named('AzureGermanCloud')).toEqual(
      E.left(
        'arm-cloud: Invalid value: "AzureGermanCloud": expected AzurePublicCloud | AzureChinaCloud | AzureUSGovernmentCloud',
      ),
    )
  })

  test('Z-AUTH-02: a file is whole, absolute and alone', () => {
    const whole = {
      name: 'Stack',
      resourceManagerEndpoint: 'https://arm.local/',
      activeDirectoryEndpoint: 'https://login.local',
      tokenAudience: 'https://audience.local/',
    }
    const from = (text: string, changes: { readonly cloud?: string; readonly environmentFilepath?: string } = {}) =>
      environmentOf({ cloud: '', environmentFilepath: '/etc/azure.json', ...changes }, () => text)
    expect(from(JSON.stringify(whole))).toEqual(E.right({ ...whole, resourceManagerEndpoint: 'https://arm.local' }))
    const problems = [
      from(JSON.stringify({ ...whole, tokenAudience: '', activeDirectoryEndpoint: undefined })),
      from('no json'),
      from('{}', { environmentFilepath: 'azure.json' }),
      from(JSON.stringify(whole), { cloud: 'AzureCloud' }),
      environmentOf({ cloud: '', environmentFilepath: '/etc/azure.json' }, noFile),
    ].map((problem) => (E.isLeft(problem) ? problem.left : ''))
    expect(problems).toEqual([
      expect.stringContaining('it has no activeDirectoryEndpoint, tokenAudience'),
      expect.stringContaining('it cannot be read'),
      expect.stringContaining('expected an absolute path'),
      expect.stringContaining('cannot both be set'),
      expect.stringContaining('ENOENT'),
    ])
  })

  test('Z-AUTH-03: tokens are asked for by the cloud’s audience', () => {
    expect(scopeOf(publicCloud)).toBe('https://management.core.windows.net/.default')
  })
})

describe('tokens', () => {
  test('Z-AUTH-03: none counts for longer than two hours', async () => {
    const day = 24 * 3_600_000
    const source = (expiresOnTimestamp: number) => ({
      getToken: () => Promise.resolve({ token: 't', expiresOnTimestamp }),
    })
    expect(await capped(source(day), () => 1000).getToken('s')).toEqual({ token: 't', expiresOnTimestamp: 7_201_000 })
    expect(await capped(source(60_000), () => 1000).getToken('s')).toEqual({ token: 't', expiresOnTimestamp: 60_000 })
    expect(await capped({ getToken: () => Promise.resolve(null) }, () => 0).getToken('s')).toBeNull()
  })

  test('Z-AUTH-05: of galleries of another tenant: kept until they are to be renewed, or will end within five minutes', async () => {
    const { clock } = recordingHost()
    const minute = 60_000
    const asked: Array<string> = []
    const times: Record<string, unknown> = {}
    let status = 200
    const tokenOf = auxiliaryTokens({
      url: 'http://127.0.0.1:8080/token',
      scope: 'https://management.azure.com/.default',
      get: (url) => {
        asked.push(url)
        return Promise.resolve({ status, text: JSON.stringify({ token: `t${asked.length}`, ...times }) })
      },
      nowMs: clock.nowMs,
    })
    const at = (ms: number) => new Date(clock.nowMs() + ms).toISOString()
    Object.assign(times, { expiresOn: at(60 * minute), refreshOn: at(30 * minute) })
    expect(await Promise.all([tokenOf(), tokenOf()])).toEqual(['t1', 't1'])
    expect(asked).toEqual(['http://127.0.0.1:8080/token?scope=https%3A%2F%2Fmanagement.azure.com%2F.default'])
    await clock.advance(31 * minute)
    Object.assign(times, { expiresOn: at(10 * minute), refreshOn: '0001-01-01T00:00:00Z' })
    expect(await tokenOf()).toBe('t2')
    await clock.advance(4 * minute)
    expect(await tokenOf()).toBe('t2')
    await clock.advance(2 * minute)
    Object.assign(times, { expiresOn: '0001-01-01T00:00:00Z' })
    expect(await tokenOf()).toBe('t3')
    expect(await tokenOf()).toBe('t4')
    status = 503
    await expect(tokenOf()).rejects.toThrow('http://127.0.0.1:8080: it answered with status 503')
  })
})
