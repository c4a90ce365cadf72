import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import type { JsonObject } from '@scantling/core'
import { leftOf, recordingHost, rightOf } from '@scantling/simulation/testing'
import * as E from 'fp-ts/lib/Either.js'
import { portsOverSdk } from '../src/sdk/clients.ts'
import type { ArmError } from '../src/sdk/index.ts'
import { World } from './emulator/index.ts'
import { fakeAzure } from './fake-azure/index.ts'
import { claimFor, rig } from './rig.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')
const answer = {
  cse: 'run {{.TokenID}}.{{.TokenSecret}}',
  customData: base64('join with {{.TokenID}}.{{.TokenSecret}}'),
}
const failure = (code: string, status?: number): ArmError => ({
  action: 'node bootstrapping',
  code,
  message: code,
  phase: 'request',
  ...(status !== undefined && { status }),
})

/** The provider in the mode of the service, which answers these in turn, then goes on with the last. */
const withAnswers = async (...answers: ReadonlyArray<E.Either<ArmError, unknown>>) => {
  const { clock } = recordingHost()
  const azure = fakeAzure(new World({ nowMs: clock.nowMs, operationMs: 1_000, pageSize: 1_000 }))
  const asked: Array<{ readonly path: string; readonly body: JsonObject }> = []
  const made = await rig({
    clock,
    settings: { provisionMode: 'bootstrappingclient', nodeBootstrappingServerUrl: 'http://service' },
    azure: {
      ...azure,
      ports: {
        ...azure.ports,
        others: {
          ...azure.ports.others,
          nodeBootstrapping: (input) => async () => {
            asked.push(input)
            return answers[Math.min(asked.length, answers.length) - 1] ?? E.left(failure('Unreachable'))
          },
        },
      },
    },
  })
  return { ...made, asked }
}

describe('nodes that AKS’ bootstrapping service sets up', () => {
  test('Z-CP-05, Z-EXT-02: a VM with the custom data, and an extension that runs the command', async () => {
    const made = await withAnswers(E.right(answer))
    const { instance } = rightOf(await made.launch(claimFor('general-abcde')))
    expect(made.asked[0]).toMatchObject({
      path: expect.stringMatching(/managedclusters\/test\/nodeBootstrapping$/),
      body: { provisionProfile: { vmSize: instance.instanceType, distro: expect.stringContaining('containerd') } },
    })
    const { bootData } = made.azure.world.list('MC_cluster_test_region', 'Microsoft.Compute/virtualMachines')[0]
      ?.properties ?? { bootData: undefined }
    expect(Buffer.from(String(bootData), 'base64').toString()).toBe('join with abcdef.0123456789abcdef')
    await made.converged(claimFor('general-abcde'), instance.providerId)
    const put = made.azure.calls.find(({ path }) => path.endsWith('/extensions/cse-agent-karpenter'))
    expect(put?.body).toMatchObject({
      properties: {
        publisher: 'Microsoft.Azure.Extensions',
        typePropertiesType: 'CustomScript',
        typeHandlerVersion: '2.0',
        protectedSettings: { commandToExecute: 'run abcdef.0123456789abcdef' },
      },
    })
  })

  test('Z-NPS-01: a service that errs or cannot be reached is asked again', async () => {
    const made = await withAnswers(E.left(failure('Unreachable')), E.left(failure('Http503', 503)), E.right(answer))
    expect(E.isRight(await made.launch(claimFor('general-abcde')))).toBe(true)
    expect(made.asked).toHaveLength(3)
  })

  test.each([
    ['what it refuses', E.left(failure('BadRequest', 400)), /does not answer: BadRequest; check --nodebootstrapping/],
    ['what it never answers', E.left(failure('Unreachable')), /does not answer: Unreachable/],
    ['an answer without a part', E.right({ cse: 'a' }), /without customData/],
  ])('Z-NPS-01: %s fails the launch, and leaves nothing behind', async (_, given, message) => {
    const made = await withAnswers(given)
    expect(leftOf(await made.launch(claimFor('general-abcde')))).toMatchObject({
      reason: 'NodeBootstrappingFailed',
      error: { message: expect.stringMatching(message) },
    })
    await made.clock.advance(5_000)
    expect([made.vms(), made.nics()]).toEqual([[], []])
  })
})

describe('the port to the service', () => {
  const servers: Array<Server> = []
  afterEach(() => {
    for (const server of servers.splice(0)) server.close()
  })
  const portTo = async (status: number, text: string) => {
    const seen: Array<{
      readonly method?: string | undefined
      readonly authorization?: string | undefined
      body: string
    }> = []
    const server = createServer((incoming, outgoing) => {
      const request = { method: incoming.method, authorization: incoming.headers.authorization, body: '' }
      incoming.on('data', (chunk: Buffer) => (request.body += chunk.toString()))
      incoming.on('end', () => {
        seen.push(request)
        outgoing.writeHead(status, { 'content-type': 'application/json' }).end(text)
      })
    })
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const ports = portsOverSdk({
      subscriptionId: 's',
      clusterResourceGroup: 'g',
      clusterName: 'c',
      machinesPool: '',
      endpoint: '',
      scope: '',
      priceList: '',
      nodeBootstrappingUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      userAgent: 'test',
      credential: { getToken: () => Promise.resolve({ token: 'arm', expiresOnTimestamp: Date.now() + 3_600_000 }) },
      nowMs: Date.now,
    })
    const ask = ports.others.nodeBootstrapping(
      { path: '/nodeBootstrapping', body: { a: 1 } },
      new AbortController().signal,
    )
    return { ask, seen }
  }

  test('Z-NPS-01: a GET with a body and a token of ARM, without TLS', async () => {
    const { ask, seen } = await portTo(200, JSON.stringify(answer))
    expect(await ask()).toEqual(E.right(answer))
    expect(seen).toEqual([{ method: 'GET', authorization: 'Bearer arm', body: '{"a":1}' }])
  })

  test('an answer that is none is an error, not a crash', async () => {
    expect(leftOf(await (await portTo(200, '<html>')).ask())).toMatchObject({ code: 'UnreadableAnswer' })
    expect(leftOf(await (await portTo(400, '{"code":"BadRequest","message":"no"}')).ask())).toMatchObject({
      code: 'BadRequest',
      status: 400,
    })
  })
})
