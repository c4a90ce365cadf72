import { describe, expect, test } from '@jest/globals'
import { Requirement, Requirements } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { nodeClass } from '../../test/builders.ts'
import type { NodeImage } from '../node-class/index.ts'
import {
  baseOf,
  communityImageId,
  distroOf,
  familyOf,
  imageCatalog,
  imageDefinitionsOf,
  imageFamilies,
  isMaintenanceWindowOpen,
  isNewerVersion,
  latestCommunityVersion,
  machineOsSkuOf,
  newestNodeImageVersions,
  nodeImageVersionOf,
  resolveImages,
  resolveKubernetesVersion,
  selectImage,
  sharedImageId,
} from './index.ts'

const trusted = { security: { trustedLaunch: { vtpm: true } } }
const signal = new AbortController().signal

describe('families', () => {
  test.each([
    [{ imageFamily: 'Ubuntu2204' }, '1.34.0', 'Ubuntu2204'],
    [{ imageFamily: 'Ubuntu2404' }, '1.30.0', 'Ubuntu2404'],
    [{ imageFamily: 'AzureLinux' }, '1.31.9', 'AzureLinux2'],
    [{ imageFamily: 'AzureLinux' }, '1.32.0', 'AzureLinux3'],
    [{}, '1.33.9', 'Ubuntu2204'],
    [{}, '1.34.0', 'Ubuntu2404'],
    [{}, 'v1.35.1', 'Ubuntu2404'],
    [{}, 'next', 'Ubuntu2204'],
    [{ imageFamily: 'AzureLinux' }, 'next', 'AzureLinux2'],
    [{ fipsMode: 'FIPS' }, '1.34.0', 'Ubuntu'],
    [{ fipsMode: 'FIPS', ...trusted }, '1.34.0', 'Ubuntu2204'],
    [trusted, '1.34.0', 'Ubuntu2204'],
    [{ fipsMode: 'Disabled' }, '1.34.0', 'Ubuntu2404'],
  ])('Z-IMG-01: %j at %s is %s', (spec, version, name) => {
    expect(familyOf(nodeClass(spec), version).name).toBe(name)
  })

  const definitions = (spec: Readonly<Record<string, unknown>>, version = '1.33.0', useSig = false) =>
    imageDefinitionsOf(nodeClass(spec), version, useSig).map(
      ({ name, arch, hyperVGeneration }) => `${name} ${arch} ${hyperVGeneration}`,
    )

  test.each([
    [
      'Ubuntu2204',
      '1.33.0',
      ['2204gen2containerd amd64 2', '2204containerd amd64 1', '2204gen2arm64containerd arm64 2'],
    ],
    [
      'Ubuntu2404',
      '1.33.0',
      ['2404gen2containerd amd64 2', '2404containerd amd64 1', '2404gen2arm64containerd arm64 2'],
    ],
    ['AzureLinux', '1.31.0', ['V2gen2 amd64 2', 'V2 amd64 1', 'V2gen2arm64 arm64 2']],
    ['AzureLinux', '1.32.0', ['V3gen2 amd64 2', 'V3 amd64 1', 'V3gen2arm64 arm64 2']],
  ])('Z-IMG-02: %s at %s has gen2, gen1 and arm64 images, in this order', (imageFamily, version, expected) => {
    expect(definitions({ imageFamily }, version)).toEqual(expected)
  })

  test('Z-IMG-03: with trusted launch there is one image, for gen2 amd64', () => {
    expect(
      ['Ubuntu2204', 'Ubuntu2404', 'AzureLinux'].flatMap((imageFamily) => definitions({ imageFamily, ...trusted })),
    ).toEqual(['2204gen2TLcontainerd amd64 2', '2404gen2TLcontainerd amd64 2', 'V3gen2TL amd64 2'])
    expect(definitions({ imageFamily: 'AzureLinux', ...trusted }, '1.31.0')).toEqual(['V2gen2TL amd64 2'])
  })

  test('Z-IMG-04: FIPS images are in the shared gallery alone', () => {
    const fips = { fipsMode: 'FIPS' }
    expect(definitions(fips, '1.33.0', true)).toEqual(['2004gen2fipscontainerd amd64 2', '2004fipscontainerd amd64 1'])
    expect(definitions({ ...fips, ...trusted }, '1.33.0', true)).toEqual(['2204gen2fipsTLcontainerd amd64 2'])
    expect(definitions({ ...fips, imageFamily: 'AzureLinux' }, '1.31.0', true)).toEqual([
      'V2gen2fips amd64 2',
      'V2fips amd64 1',
    ])
    expect(definitions({ ...fips, imageFamily: 'AzureLinux' }, '1.33.0', true)).toEqual([
      'V3gen2fips amd64 2',
      'V3fips amd64 1',
      'V3gen2arm64fips arm64 2',
    ])
    expect(definitions(fips)).toEqual([])
    expect([imageFamilies.Ubuntu2404.fips, imageFamilies.Ubuntu2204.fips, imageFamilies.Ubuntu.plain]).toEqual([
      [],
      [],
      [],
    ])
  })

  test('Z-IMG-05: names for the bootstrapping service, by the definition in the image’s ID', () => {
    const names = Object.values(imageFamilies).flatMap(({ plain, trustedLaunch, fips, fipsTrustedLaunch }) =>
      [...plain, ...trustedLaunch, ...fips, ...fipsTrustedLaunch].map(({ distro }) => distro),
    )
    expect(names.sort()).toEqual([
      'aks-azurelinux-v2',
      'aks-azurelinux-v2-arm64-gen2',
      'aks-azurelinux-v2-fips',
      'aks-azurelinux-v2-gen2',
      'aks-azurelinux-v2-gen2-fips',
      'aks-azurelinux-v2-gen2-tl',
      'aks-azurelinux-v3',
      'aks-azurelinux-v3-arm64-gen2',
      'aks-azurelinux-v3-arm64-gen2-fips',
      'aks-azurelinux-v3-fips',
      'aks-azurelinux-v3-gen2',
      'aks-azurelinux-v3-gen2-fips',
      'aks-azurelinux-v3-gen2-tl',
      'aks-ubuntu-arm64-containerd-22.04-gen2',
      'aks-ubuntu-arm64-containerd-24.04-gen2',
      'aks-ubuntu-containerd-22.04',
      'aks-ubuntu-containerd-22.04-gen2',
      'aks-ubuntu-containerd-22.04-tl-gen2',
      'aks-ubuntu-containerd-24.04',
      'aks-ubuntu-containerd-24.04-gen2',
      'aks-ubuntu-containerd-24.04-tl-gen2',
      'aks-ubuntu-fips-containerd-20.04',
      'aks-ubuntu-fips-containerd-20.04-gen2',
      'aks-ubuntu-fips-containerd-22.04-tl-gen2',
    ])
    const id = communityImageId(imageFamilies.Ubuntu2204.gallery, '2204containerd', '1')
    expect(distroOf(id, nodeClass(), '1.33.0', false)).toBe('aks-ubuntu-containerd-22.04')
    expect(distroOf(id, nodeClass({ imageFamily: 'AzureLinux' }), '1.33.0', false)).toBeUndefined()
  })

  test.each([
    [{ imageFamily: 'Ubuntu2204' }, '1.34.0', 'Ubuntu2204'],
    [{ imageFamily: 'Ubuntu2404' }, '1.30.0', 'Ubuntu2404'],
    [{ imageFamily: 'AzureLinux' }, '1.30.0', 'AzureLinux'],
    [{ fipsMode: 'FIPS' }, '1.34.0', 'Ubuntu'],
    [{}, '1.34.0', 'Ubuntu2404'],
    [{}, '1.33.0', 'Ubuntu2204'],
    [trusted, '1.34.0', 'Ubuntu2404'],
  ])('Z-MACH-08: the osSKU of a machine with %j at %s is %s', (spec, version, osSku) => {
    expect(machineOsSkuOf(nodeClass(spec), version)).toBe(osSku)
  })
})

describe('IDs and versions', () => {
  const ubuntu = imageFamilies.Ubuntu2204.gallery
  const azureLinux = imageFamilies.AzureLinux3.gallery
  const shared =
    '/subscriptions/s/resourceGroups/AKS-Ubuntu/providers/Microsoft.Compute/galleries/AKSUbuntu/images/2204gen2containerd/versions/202510.19.1'

  test('Z-IMG-06: of a community gallery the version published last', () => {
    expect(communityImageId(ubuntu, '2204containerd', '2022.10.03')).toBe(
      '/CommunityGalleries/AKSUbuntu-38d80f77-467a-481f-a8d4-09b6d4220bd2/images/2204containerd/versions/2022.10.03',
    )
    expect(communityImageId(azureLinux, 'V3', '1')).toBe(
      '/CommunityGalleries/AKSAzureLinux-f7c7cda5-1c9a-4bdc-a222-9614c968580b/images/V3/versions/1',
    )
    const at = (day: number) => new Date(Date.UTC(2025, 9, day))
    expect(
      latestCommunityVersion([
        { name: '3', publishedDate: at(3) },
        { name: '9', publishedDate: at(9) },
        { name: '10', publishedDate: at(5) },
      ]),
    ).toBe('9')
    expect([latestCommunityVersion([]), latestCommunityVersion([{ name: '' }])]).toEqual([undefined, undefined])
  })

  test('Z-IMG-07: of the shared gallery the highest version of each definition', () => {
    expect(sharedImageId('s', ubuntu, '2204gen2containerd', '202510.19.1')).toBe(shared)
    const row = (os: string, sku: string, version: string) => ({ os, sku, version })
    const rows = [
      row('AKSUbuntu', '2204containerd', '202509.1.0'),
      row('AKSUbuntu', '2204containerd', '202510.2.0'),
      row('AKSUbuntu', '2204containerd', '202510.10.0'),
      row('AKSWindows', '2022', '999999.0.0'),
      row('AKSAzureLinux', 'V3', '202501.1.0'),
    ]
    expect([...newestNodeImageVersions(rows, 'AKSUbuntu')]).toEqual([['2204containerd', '202510.10.0']])
    expect([...newestNodeImageVersions(rows, 'AKSAzureLinux')]).toEqual([['V3', '202501.1.0']])
    for (const [version, other, isNewer] of [
      ['2022.10.04', '2022.10.03', true],
      ['202510.1.0', '2022.10.03', true],
      ['2022.10.03', '2022.10.03', false],
      ['2022.10.03.1', '2022.10.03', true],
      ['2022.10', '2022.10.03', false],
      ['2022.x.1', '2022.10.03', false],
      ['2022.9.1', '2022.10.03', false],
    ] as const) {
      expect(isNewerVersion(version, other)).toBe(isNewer)
    }
  })

  test('an image without its version, and as AKS names it to its machines', () => {
    expect(baseOf(shared)).toBe(shared.replace('/versions/202510.19.1', ''))
    expect(nodeImageVersionOf(shared)).toBe('AKSUbuntu-2204gen2containerd-202510.19.1')
    expect(nodeImageVersionOf(communityImageId(ubuntu, 'a', '1'))).toBeUndefined()
  })
})

describe('the catalogue of images', () => {
  const start = () => {
    let nowMs = 0
    const asked: Array<string> = []
    let versions: ReadonlyArray<{ readonly name: string; readonly publishedDate: Date }> = [
      { name: 'v1', publishedDate: new Date(1) },
    ]
    const calls = {
      communityImageVersions: (gallery: string, definition: string) => {
        asked.push(`${gallery.slice(0, 9)} ${definition}`)
        return TE.right<string, typeof versions>(definition === '2204containerd' ? [] : versions)
      },
      nodeImageVersions: () => {
        asked.push('list')
        return TE.right<string, ReadonlyArray<{ os: string; sku: string; version: string }>>(
          versions.map(({ name }) => ({ os: 'AKSUbuntu', sku: '2204gen2containerd', version: name })),
        )
      },
    }
    return {
      asked,
      community: imageCatalog({ calls, nowMs: () => nowMs }),
      shared: imageCatalog({ calls, sigSubscription: 's', nowMs: () => nowMs }),
      pass: (ms: number) => (nowMs += ms),
      publish: (...names: ReadonlyArray<string>) =>
        (versions = names.map((name, index) => ({ name, publishedDate: new Date(index) }))),
    }
  }
  const idsOf = async (found: TE.TaskEither<string, ReadonlyArray<NodeImage>>) => {
    const images = await found()
    return E.isRight(images) ? images.right.map(({ id }) => id.replace(/.*images\//, '')) : images.left
  }

  test('Z-IMG-08: what was found is kept for three days, per set of images and version of Kubernetes', async () => {
    const { asked, community, pass, publish } = start()
    const latest = (version = '1.33.0') => idsOf(community.latest(nodeClass(), version, signal))
    expect(await latest()).toEqual(['2204gen2containerd/versions/v1', '2204gen2arm64containerd/versions/v1'])
    expect(asked).toHaveLength(3)
    publish('v2')
    pass(3 * 24 * 3_600_000 - 1)
    expect(await latest()).toContain('2204gen2containerd/versions/v1')
    expect(asked).toHaveLength(3)
    expect(await latest('1.33.1')).toContain('2204gen2containerd/versions/v2')
    pass(1)
    expect(await latest()).toContain('2204gen2containerd/versions/v2')
  })

  test('Z-ST-04: requirements stand shorter key first', async () => {
    const { community } = start()
    const images = await community.latest(nodeClass(), '1.33.0', signal)()
    expect(images).toMatchObject({
      right: [
        {
          requirements: [
            { key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] },
            { key: 'karpenter.azure.com/sku-hyperv-generation', operator: 'In', values: ['2'] },
          ],
        },
        { requirements: [{ values: ['arm64'] }, { values: ['2'] }] },
      ],
    })
  })

  test('an answer without versions is asked for again after a minute, not after three days', async () => {
    const { shared, pass, publish } = start()
    const latest = () => idsOf(shared.latest(nodeClass(), '1.33.0', signal))
    publish()
    expect(await latest()).toEqual([])
    publish('202510.1.0')
    pass(59_999)
    expect(await latest()).toEqual([])
    pass(1)
    expect(await latest()).toEqual(['2204gen2containerd/versions/202510.1.0'])
  })
})

describe('status', () => {
  const image = (id: string): NodeImage => ({ id, requirements: [] })
  const [old1, old2, new1, new3] = [
    '/images/a/versions/1',
    '/images/b/versions/1',
    '/images/a/versions/2',
    '/images/c/versions/2',
  ].map(image) as [NodeImage, NodeImage, NodeImage, NodeImage]
  const resolve = (changes: Partial<Parameters<typeof resolveImages>[0]> = {}) =>
    resolveImages({
      nodeClass: nodeClass({}, { images: [old1, old2] }),
      latest: [new3, new1],
      useSig: false,
      isUpgrade: false,
      window: E.right(false),
      ...changes,
    })

  test('Z-IMG-09: FIPS without the shared gallery is not ready', () => {
    expect(resolve({ nodeClass: nodeClass({ fipsMode: 'FIPS' }) })).toMatchObject({
      _tag: 'NotReady',
      reason: 'SIGRequiredForFIPS',
    })
    expect(resolve({ nodeClass: nodeClass({ fipsMode: 'FIPS' }), useSig: true })._tag).toBe('Resolved')
  })

  test('Z-IMG-10: the latest at first, at an upgrade and within the window; otherwise versions stay', () => {
    const latest = { _tag: 'Resolved', images: [new3, new1] }
    expect(resolve({ window: E.right(true) })).toEqual(latest)
    expect(resolve({ isUpgrade: true })).toEqual(latest)
    expect(resolve({ nodeClass: nodeClass({}, { images: [old1], conditions: [] }) })).toEqual(latest)
    // A stays as it is, C is new, B is no longer wanted.
    expect(resolve()).toEqual({ _tag: 'Resolved', images: [new3, old1] })
    expect(resolve({ latest: [] })).toMatchObject({ _tag: 'NotReady', reason: 'ImagesNotFound' })
  })

  test('a window that cannot be read keeps versions and says why, instead of failing the class (W-30)', () => {
    const window = E.left('no')
    expect(resolve({ window })).toEqual({ _tag: 'Resolved', images: [new3, old1], problem: 'no' })
    expect(resolve({ window, isUpgrade: true })).toEqual({ _tag: 'Resolved', images: [new3, new1] })
  })

  const start = '2026-01-01T10:00:00Z'
  const end = '2026-01-01T12:00:00Z'
  const at = (time: string) => Date.parse(`2026-01-01T${time}Z`)
  const windowOf = (start: string, end: string) => ({
    'aksManagedNodeOSUpgradeSchedule-start': start,
    'aksManagedNodeOSUpgradeSchedule-end': end,
  })
  test.each([
    [undefined, '11:00:00', true],
    [{}, '11:00:00', true],
    [windowOf('', ''), '11:00:00', true],
    [windowOf(start, end), '11:00:00', true],
    [windowOf(start, end), '09:59:59', false],
    [windowOf(start, end), '10:00:00', false],
    [windowOf(start, end), '12:00:00', false],
    [windowOf(start, ''), '11:00:00', undefined],
    [windowOf('', end), '11:00:00', undefined],
    [windowOf('soon', end), '11:00:00', undefined],
    [windowOf(start, 'later'), '11:00:00', undefined],
  ])('Z-IMG-11: window %j at %s is open: %s', (data, time, isOpen) => {
    const objects = { maintenanceWindow: E.right(data === undefined ? [] : [{ data }]) }
    const found = isMaintenanceWindowOpen(objects, at(time))
    expect(E.isRight(found) ? found.right : undefined).toBe(isOpen)
  })

  test('Z-IMG-11: without a namespace there is no window, and a read that failed is an error', () => {
    expect(isMaintenanceWindowOpen({}, 0)).toEqual(E.right(true))
    expect(E.isLeft(isMaintenanceWindowOpen({ maintenanceWindow: E.left('denied') }, 0))).toBe(true)
  })

  test('Z-IMG-12: the first image that the type can boot', () => {
    const bootable = (arch: string, generation: string): NodeImage => ({
      id: `${arch}${generation}`,
      requirements: [
        { key: 'kubernetes.io/arch', operator: 'In', values: [arch] },
        { key: 'karpenter.azure.com/sku-hyperv-generation', operator: 'In', values: [generation] },
      ],
    })
    const images = [bootable('amd64', '2'), bootable('amd64', '1'), bootable('arm64', '2')]
    const type = (arch: string, ...generations: ReadonlyArray<string>) => ({
      requirements: Requirements.of([
        Requirement.isIn('kubernetes.io/arch', [arch]),
        Requirement.isIn('karpenter.azure.com/sku-hyperv-generation', generations),
      ]),
    })
    expect(selectImage(images, type('amd64', '1', '2'))?.id).toBe('amd642')
    expect(selectImage(images, type('amd64', '1'))?.id).toBe('amd641')
    expect(selectImage(images, type('arm64', '2'))?.id).toBe('arm642')
    expect(selectImage(images, type('arm64', '1'))).toBeUndefined()
  })

  test('Z-IMG-13: a class cannot name an image or a version', () => {
    expect(Object.keys(nodeClass({ imageID: '/images/mine', imageVersion: '1' }).spec).sort()).toEqual([
      'imageFamily',
      'osDiskSizeGB',
    ])
  })
})

describe('the version of Kubernetes', () => {
  test.each([
    [undefined, 'v1.33.5', '1.33.5', false],
    ['', '1.33.5', '1.33.5', false],
    ['1.33.5', '1.33.5', '1.33.5', false],
    ['1.33.5', '1.33.6', '1.33.6', true],
    ['1.33.5', '1.34.0', '1.34.0', true],
    ['1.33.5', '1.33.4', '1.33.5', false],
    ['1.9.0', '1.10.0', '1.10.0', true],
  ])('Z-K8S-01, Z-K8S-02: status %s and server %s give %s, an upgrade: %s', (current, server, version, isUpgrade) => {
    expect(resolveKubernetesVersion(current, server)).toEqual({ version, isUpgrade })
  })

  test('Z-K8S-03: an upgrade moves a class to the next release of its system, and to its images', () => {
    const [before, after] = ['1.33.9', '1.34.0'].map((version) => familyOf(nodeClass(), version).name)
    expect([before, after]).toEqual(['Ubuntu2204', 'Ubuntu2404'])
    const stored = {
      id: communityImageId(imageFamilies.Ubuntu2204.gallery, '2204gen2containerd', '1'),
      requirements: [],
    }
    const latest = {
      id: communityImageId(imageFamilies.Ubuntu2404.gallery, '2404gen2containerd', '2'),
      requirements: [],
    }
    const { isUpgrade } = resolveKubernetesVersion('1.33.9', '1.34.0')
    expect(
      resolveImages({
        nodeClass: nodeClass({}, { images: [stored] }),
        latest: [latest],
        useSig: false,
        isUpgrade,
        window: E.right(false),
      }),
    ).toEqual({ _tag: 'Resolved', images: [latest] })
  })
})
