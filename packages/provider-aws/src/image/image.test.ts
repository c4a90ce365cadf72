import { describe, expect, test } from '@jest/globals'
import type { Image } from '@aws-sdk/client-ec2'
import { labelKeys, Requirements } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { typeInfo } from '../../test/subjects.ts'
import { typeRequirements } from '../labels/index.ts'
import type { ImageAlias } from '../node-class/index.ts'
import {
  aliasParameters,
  aliasQuery,
  familyTraits,
  imageOfType,
  isStandardVariant,
  minorVersionOf,
  parametersOfTerms,
  requirementsOfImage,
  selectImages,
  termQueries,
} from './index.ts'

const parametersOf = (family: ImageAlias['family'], version: string, kubernetes = '1.32') => {
  const found = aliasParameters({ family, version }, kubernetes)
  if (E.isLeft(found)) throw new Error(found.left)
  return found.right
}
const variantOf = (specs: ReadonlyArray<{ readonly key: string; readonly operator: string }>) =>
  isStandardVariant(specs) ? 'standard' : specs[0]?.key.includes('gpu') ? 'nvidia' : 'neuron'
const pathsOf = (...args: Parameters<typeof parametersOf>) =>
  parametersOf(...args).map(({ path, requirements }) => [path, ...requirements.map(variantOf)].join(' '))

const eks = '/aws/service/eks/optimized-ami'

describe('parameters of an alias', () => {
  test('A-AMI-20: AL2', () => {
    expect(pathsOf('AL2', 'latest')).toEqual([
      `${eks}/1.32/amazon-linux-2/recommended/image_id standard`,
      `${eks}/1.32/amazon-linux-2-arm64/recommended/image_id standard`,
      `${eks}/1.32/amazon-linux-2-gpu/recommended/image_id neuron nvidia`,
    ])
    expect(pathsOf('AL2', 'v20240807')).toEqual([
      `${eks}/1.32/amazon-linux-2/amazon-eks-node-1.32-v20240807/image_id standard`,
      `${eks}/1.32/amazon-linux-2-arm64/amazon-eks-arm64-node-1.32-v20240807/image_id standard`,
      `${eks}/1.32/amazon-linux-2-gpu/amazon-eks-gpu-node-1.32-v20240807/image_id neuron nvidia`,
    ])
  })
  test('A-AMI-21: AL2023', () => {
    const al2023 = `${eks}/1.34/amazon-linux-2023`
    expect(pathsOf('AL2023', 'latest', '1.34.1-eks-abc')).toEqual([
      `${al2023}/x86_64/standard/recommended/image_id standard`,
      `${al2023}/x86_64/nvidia/recommended/image_id nvidia`,
      `${al2023}/x86_64/neuron/recommended/image_id neuron`,
      `${al2023}/arm64/standard/recommended/image_id standard`,
      `${al2023}/arm64/nvidia/recommended/image_id nvidia`,
    ])
    expect(pathsOf('AL2023', 'v20240807', '1.34')[3]).toBe(
      `${al2023}/arm64/standard/amazon-eks-node-al2023-arm64-standard-1.34-v20240807/image_id standard`,
    )
  })
  test('A-AMI-22: Bottlerocket', () => {
    const path = (flavour: string) => `/aws/service/bottlerocket/aws-k8s-1.34${flavour}/image_id`
    expect(pathsOf('Bottlerocket', 'v1.20.3', '1.34')).toEqual([
      `${path('/x86_64/1.20.3')} standard neuron`,
      `${path('/arm64/1.20.3')} standard`,
      `${path('-nvidia/x86_64/1.20.3')} nvidia`,
      `${path('-nvidia/arm64/1.20.3')} nvidia`,
    ])
    expect(parametersOf('Bottlerocket', 'latest', '1.34')[0]?.path).toBe(path('/x86_64/latest'))
  })
  test('A-AMI-23: Windows, whose images always change', () => {
    const of = (family: ImageAlias['family']) => {
      const [only] = parametersOf(family, 'latest', '1.35')
      return [only?.path, only?.isMutable, only?.requirements]
    }
    const requirements = (build: string) => [
      [
        { key: labelKeys.os, operator: 'In', values: ['windows'] },
        { key: labelKeys.windowsBuild, operator: 'In', values: [build] },
      ],
    ]
    const path = (year: string) =>
      `/aws/service/ami-windows-latest/Windows_Server-${year}-English-Core-EKS_Optimized-1.35/image_id`
    expect(of('Windows2019')).toEqual([path('2019'), true, requirements('10.0.17763')])
    expect(of('Windows2022')).toEqual([path('2022'), true, requirements('10.0.20348')])
    expect(of('Windows2025')).toEqual([path('2025'), true, requirements('10.0.26100')])
  })
  test('A-AMI-02: aliases without images for the version of Kubernetes are refused with a way out', () => {
    const refused = (family: ImageAlias['family'], kubernetes: string) =>
      E.isLeft(aliasParameters({ family, version: 'latest' }, kubernetes))
    expect([refused('AL2', '1.32'), refused('AL2', '1.33'), refused('AL2', '1.36')]).toEqual([false, true, true])
    expect([refused('Windows2025', '1.34'), refused('Windows2025', '1.35')]).toEqual([true, false])
    expect(aliasParameters({ family: 'AL2', version: 'latest' }, '1.33')).toMatchObject({
      left: expect.stringContaining('al2023@latest'),
    })
    expect(minorVersionOf('1.34.2-eks-1')).toBe('1.34')
  })
  test('A-AMI-14: variants are for types with GPUs, with accelerators, or with neither', () => {
    const uses = parametersOf('AL2023', 'latest', '1.34').map(({ requirements }) => requirements[0])
    const bootsOn = (index: number, type: string) =>
      Requirements.isCompatible(
        Requirements.of(typeRequirements(typeInfo(type), 'r')),
        Requirements.fromSpecs(uses[index] ?? []),
        new Set(),
      )
    const verdicts = [0, 1, 2].map((index) =>
      ['m5.large', 'g4dn.8xlarge', 'inf2.xlarge'].map((type) => bootsOn(index, type)),
    )
    expect(verdicts).toEqual([
      [true, false, false],
      [false, true, false],
      [false, false, true],
    ])
  })
})

describe('queries', () => {
  test('A-AMI-01, A-AMI-16: one query for an alias, from the parameters that exist; an error where none does', () => {
    const parameters = parametersOf('Bottlerocket', 'latest', '1.34')
    const values = new Map([
      [parameters[0]?.path ?? '', 'ami-2'],
      [parameters[1]?.path ?? '', 'ami-1'],
    ])
    const query = aliasQuery('bottlerocket@latest', parameters, values)
    expect(query).toMatchObject({
      right: { input: { Filters: [{ Name: 'image-id', Values: ['ami-1', 'ami-2'] }, {}] } },
    })
    expect(E.isRight(query) && [...query.right.requirements].map(([id, uses]) => [id, uses.map(variantOf)])).toEqual([
      ['ami-2', ['standard', 'neuron']],
      ['ami-1', ['standard']],
    ])
    expect(aliasQuery('bottlerocket@latest', parameters, new Map())).toEqual({
      _tag: 'Left',
      left: 'Cannot find an image for alias "bottlerocket@latest": none of its SSM parameters exists',
    })
  })
  const inputsOf = (...args: Parameters<typeof termQueries>) => termQueries(...args).map(({ input }) => input)
  test('A-AMI-03, A-AMI-06: ids and parameters share one query; a parameter without an image is passed over', () => {
    const terms = [
      { id: 'ami-2' },
      { name: 'a*' },
      { ssmParameter: '/mine' },
      { ssmParameter: '/gone' },
      { ssmParameter: 'arn:aws:ssm:eu-west-1:1:parameter/odd' },
      { id: 'ami-1' },
      { tags: { team: 'x' } },
    ]
    expect(parametersOfTerms([...terms, { ssmParameter: '/mine' }])).toEqual([
      '/mine',
      '/gone',
      'arn:aws:ssm:eu-west-1:1:parameter/odd',
    ])
    const values = new Map([
      ['/mine', 'ami-3'],
      ['arn:aws:ssm:eu-west-1:1:parameter/odd', 'no image'],
    ])
    expect(inputsOf(terms, values).map(({ Filters }) => Filters?.[0])).toEqual([
      { Name: 'image-id', Values: ['ami-1', 'ami-2', 'ami-3'] },
      { Name: 'name', Values: ['a*'] },
      { Name: 'tag:team', Values: ['x'] },
    ])
    expect(inputsOf([{ ssmParameter: '/gone' }], new Map())).toEqual([])
  })
  test('A-AMI-04: owners', () => {
    const owners = inputsOf(
      [
        { name: 'a' },
        { name: 'a', owner: 'aws-marketplace' },
        { tags: { a: 'b' } },
        { tags: { a: 'b' }, owner: '012345678901' },
      ],
      new Map(),
    ).map(({ Owners }) => Owners)
    expect(owners).toEqual([['self', 'amazon'], ['aws-marketplace'], undefined, ['012345678901']])
    expect(inputsOf([{ id: 'ami-1' }], new Map())[0]?.Owners).toBeUndefined()
  })
  test('A-AMI-05: a tag of any value, and wildcards as they are', () => {
    expect(inputsOf([{ name: 'n', tags: { a: '*', b: 'x-*' } }], new Map())[0]?.Filters).toEqual([
      { Name: 'name', Values: ['n'] },
      { Name: 'tag-key', Values: ['a'] },
      { Name: 'tag:b', Values: ['x-*'] },
      { Name: 'state', Values: ['available'] },
    ])
  })
  test('A-AMI-07: only available images, deprecated ones included, 1000 to a page', () => {
    expect(inputsOf([{ id: 'ami-1' }], new Map())[0]).toEqual({
      Filters: [
        { Name: 'image-id', Values: ['ami-1'] },
        { Name: 'state', Values: ['available'] },
      ],
      IncludeDeprecated: true,
      MaxResults: 1000,
    })
  })
  test('A-AMI-24: a Custom family has no alias, and its terms are plain selectors', () => {
    expect(inputsOf([{ id: 'ami-1' }, { tags: { a: 'b' } }], new Map())).toHaveLength(2)
    expect(familyTraits.Custom.blockDevices).toEqual([])
  })
})

const nowMs = Date.parse('2026-01-01T00:00:00Z')
const image = (ImageId: string, changes: Partial<Image> = {}): Image => ({
  ImageId,
  Name: ImageId,
  Architecture: 'x86_64',
  CreationDate: '2025-01-01T00:00:00.000Z',
  ...changes,
})
const select = (images: ReadonlyArray<Image>, requirements = new Map()) =>
  selectImages([{ query: { input: {}, requirements }, images }], nowMs)

describe('selection', () => {
  test('A-AMI-08, A-AMI-09: an entry per architecture, or per use of an alias’s image', () => {
    expect(
      select([
        image('a'),
        image('b', { Architecture: 'arm64' }),
        image('c', { Architecture: 'i386' }),
        image('d', { Architecture: 'x86_64_mac' }),
      ]),
    ).toEqual([
      { id: 'a', name: 'a', requirements: [{ key: labelKeys.arch, operator: 'In', values: ['amd64'] }] },
      { id: 'b', name: 'b', requirements: [{ key: labelKeys.arch, operator: 'In', values: ['arm64'] }] },
    ])
    const uses = new Map([['a', [[{ key: 'gpu', operator: 'Exists' }], [{ key: 'accelerator', operator: 'Exists' }]]]])
    expect(select([image('a')], uses).map(({ id, requirements }) => [id, requirements.map(({ key }) => key)])).toEqual([
      ['a', ['accelerator', labelKeys.arch]],
      ['a', ['gpu', labelKeys.arch]],
    ])
  })
  test('A-AMI-10: of images for the same types the best: not deprecated, then newer, then the greater name', () => {
    const best = (...images: ReadonlyArray<Image>) => select(images).map(({ id }) => id)
    const deprecated = { DeprecationTime: '2025-12-31T23:59:59Z', CreationDate: '2025-06-01T00:00:00Z' }
    expect(best(image('new', deprecated), image('old'))).toEqual(['old'])
    expect(
      best(image('a'), image('b', { DeprecationTime: '2026-01-01T00:00:01Z', CreationDate: '2025-02-01T00:00:00Z' })),
    ).toEqual(['b'])
    expect(best(image('a', deprecated), image('b', { ...deprecated, CreationDate: '2025-07-01T00:00:00Z' }))).toEqual([
      'b',
    ])
    // Milliseconds do not count, the name does.
    expect(
      best(
        image('b', { CreationDate: '2025-01-01T00:00:00.100Z' }),
        image('a', { CreationDate: '2025-01-01T00:00:00.900Z' }),
      ),
    ).toEqual(['b'])
    expect(select([image('a', deprecated)])).toMatchObject([{ deprecated: true }])
    expect(select([image('a')])[0]).not.toHaveProperty('deprecated')
  })
  test('A-AMI-11, A-STA-03: newest first, then by id; requirements by the length of their keys, then by key', () => {
    const uses = (...keys: ReadonlyArray<string>) => [keys.map((key) => ({ key, operator: 'Exists' }))]
    const requirements = new Map([
      ['a', uses('zz', 'y')],
      ['b', uses('b')],
      ['c', uses('c')],
      ['d', uses('d')],
    ])
    const found = select(
      [
        image('c'),
        image('d', { CreationDate: undefined }),
        image('b', { CreationDate: '2025-03-01T00:00:00Z', DeprecationTime: '2025-03-02T00:00:00Z' }),
        image('a'),
      ],
      requirements,
    )
    expect(found.map(({ id }) => id)).toEqual(['b', 'a', 'c', 'd'])
    expect(found[1]?.requirements.map(({ key }) => key)).toEqual(['y', 'zz', labelKeys.arch])
  })
  test('A-AMI-12: a type boots the first image that is for it', () => {
    const images = select([
      image('a'),
      image('b', { Architecture: 'arm64', CreationDate: '2025-05-01T00:00:00Z' }),
    ]).map((one) => ({
      id: one.id,
      requirements: requirementsOfImage(one),
    }))
    const of = (type: string) =>
      imageOfType(images, { requirements: Requirements.of(typeRequirements(typeInfo(type), 'r')) })
    expect([of('m5.large'), of('m6g.large')]).toEqual(['a', 'b'])
    expect(
      imageOfType(images.slice(0, 1), { requirements: Requirements.of(typeRequirements(typeInfo('m5.large'), 'r')) }),
    ).toBeUndefined()
  })
})

describe('families', () => {
  const summary = (family: keyof typeof familyTraits) => {
    const { blockDevices, ephemeralDevice, reservesByEniPods, hasPodsPerCore, limitsPodsByEni } = familyTraits[family]
    const volumes = blockDevices.map(({ deviceName, ebs }) =>
      [deviceName, ebs?.volumeSize, ebs?.volumeType, ebs?.encrypted].join(' '),
    )
    return [volumes, ephemeralDevice, reservesByEniPods, hasPodsPerCore, limitsPodsByEni]
  }
  test('A-FAM-01, A-FAM-02: AL2 and AL2023', () => {
    const expected = [['/dev/xvda 20Gi gp3 true'], '/dev/xvda', true, true, true]
    expect([summary('AL2'), summary('AL2023')]).toEqual([expected, expected])
  })
  test('A-FAM-03: Bottlerocket', () => {
    expect(summary('Bottlerocket')).toEqual([
      ['/dev/xvda 4Gi gp3 true', '/dev/xvdb 20Gi gp3 true'],
      '/dev/xvdb',
      false,
      false,
      true,
    ])
  })
  test('A-FAM-04: Windows', () => {
    for (const family of ['Windows2019', 'Windows2022', 'Windows2025'] as const)
      expect(summary(family)).toEqual([['/dev/sda1 50Gi gp3 true'], '/dev/sda1', false, true, false])
  })
  test('A-FAM-05: Custom', () => {
    expect(summary('Custom')).toEqual([[], undefined, true, true, true])
  })
})
