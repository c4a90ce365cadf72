import { describe, expect, test } from '@jest/globals'
import * as E from 'fp-ts/lib/Either.js'
import { typeInfo } from '../../test/subjects.ts'
import type { AwsError, Ec2Port } from '../sdk/index.ts'
import { loadCatalogue, soldIn } from './index.ts'

describe('the catalogue', () => {
  const signal = new AbortController().signal
  const pagesOf = <A>(...pages: ReadonlyArray<A>) => {
    const inputs: Array<unknown> = []
    return {
      inputs,
      call: (input: { NextToken?: string }) => () => {
        inputs.push(input)
        const at = Number(input.NextToken ?? 0)
        const next = at + 1 < pages.length ? { NextToken: String(at + 1) } : {}
        return Promise.resolve(E.right({ ...pages[at], ...next }))
      },
    }
  }
  type Loader = Pick<Ec2Port, 'describeInstanceTypes' | 'describeInstanceTypeOfferings'>
  const types = pagesOf({ InstanceTypes: [typeInfo('m5.large')] }, { InstanceTypes: [typeInfo('c3.large')] })
  const places = pagesOf(
    { InstanceTypeOfferings: [{ InstanceType: 'm5.large', Location: 'b' }] },
    {
      InstanceTypeOfferings: [
        { InstanceType: 'm5.large', Location: 'a' },
        { InstanceType: 'c3.large', Location: 'b' },
      ],
    },
  )
  const ec2 = { describeInstanceTypes: types.call, describeInstanceTypeOfferings: places.call } as unknown as Loader
  test('A-ITP-01, A-ITP-02: all pages of types and of the zones that they are sold in', async () => {
    const loaded = await loadCatalogue(ec2, signal)
    if (E.isLeft(loaded)) throw new Error(loaded.left.message)
    expect([[...loaded.right.types.keys()], loaded.right.zones]).toEqual([
      ['c3.large', 'm5.large'],
      ['a', 'b'],
    ])
    expect([[...soldIn(loaded.right, 'm5.large')].sort(), [...soldIn(loaded.right, 'made.up')]]).toEqual([
      ['a', 'b'],
      [],
    ])
    expect(types.inputs[0]).toEqual({
      MaxResults: 100,
      Filters: [
        { Name: 'supported-virtualization-type', Values: ['hvm'] },
        { Name: 'processor-info.supported-architecture', Values: ['x86_64', 'arm64'] },
      ],
    })
    expect(places.inputs[0]).toEqual({ MaxResults: 1000, LocationType: 'availability-zone' })
  })
  test('A-ITP-03: a failure or an empty answer is an error, not an empty catalogue', async () => {
    const failure: AwsError = { action: 'ec2:DescribeInstanceTypes', code: 'AuthFailure', message: 'no' }
    const broken = { ...ec2, describeInstanceTypes: () => () => Promise.resolve(E.left(failure)) } as unknown as Loader
    expect(await loadCatalogue(broken, signal)).toEqual(E.left(failure))
    const empty = { ...ec2, describeInstanceTypes: pagesOf({ InstanceTypes: [] }).call } as unknown as Loader
    expect(await loadCatalogue(empty, signal)).toMatchObject({ left: { code: 'EmptyAnswer' } })
  })
})
