import { s, type Rule, type TypeOf } from '@scantling/core'

const ebsSchema = s.object(
  {
    deleteOnTermination: s.optional(s.boolean({ description: 'Whether the volume goes with its instance.' })),
    encrypted: s.optional(s.boolean({ description: 'Whether the volume is encrypted.' })),
    iops: s.optional(s.integer({ description: 'Operations per second, for gp3, io1 and io2.', format: 'int64' })),
    kmsKeyID: s.optional(s.string({ description: 'Key, alias or ARN of the KMS key that encrypts the volume.' })),
    snapshotID: s.optional(s.string({ description: 'Snapshot that the volume is made from.' })),
    throughput: s.optional(s.integer({ description: 'MiB per second, for gp3: 125 to 1000.', format: 'int64' })),
    volumeInitializationRate: s.optional(
      s.integer({
        description: 'MiB per second at which the snapshot is loaded. Needs snapshotID.',
        format: 'int32',
        minimum: 100,
        maximum: 300,
      }),
    ),
    volumeSize: s.optional(
      s.string({
        description: 'Size in Gi, G, Ti or T.',
        // The reference's ranges with their holes: the empty branch admits a bare "Ti", and 18Ti or 29Ti are refused.
        pattern:
          '^((?:[1-9][0-9]{0,3}|[1-4][0-9]{4}|[5][0-8][0-9]{3}|59000)Gi|(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|[6][0-3][0-9]{3}|64000)G|([1-9]||[1-5][0-7]|58)Ti|([1-9]||[1-5][0-9]|6[0-3]|64)T)$',
        expected: 'a size such as 20Gi or 1T',
      }),
    ),
    volumeType: s.optional(
      s.literals(['standard', 'io1', 'io2', 'gp2', 'sc1', 'st1', 'gp3'], { description: 'Kind of volume.' }),
    ),
  },
  {
    description: 'The EBS volume.',
    rules: [
      {
        message: 'snapshotID or volumeSize must be defined',
        cel: 'has(self.snapshotID) || has(self.volumeSize)',
        holds: (ebs: { readonly snapshotID?: string; readonly volumeSize?: string }) =>
          ebs.snapshotID !== undefined || ebs.volumeSize !== undefined,
      },
      {
        message: 'snapshotID must be set when volumeInitializationRate is set',
        cel: "!has(self.volumeInitializationRate) || (has(self.snapshotID) && self.snapshotID != '')",
        holds: (ebs: { readonly snapshotID?: string; readonly volumeInitializationRate?: number }) =>
          ebs.volumeInitializationRate === undefined || (ebs.snapshotID ?? '') !== '',
      },
    ],
  },
)

const blockDeviceMappingSchema = s.object({
  deviceName: s.optional(s.string({ description: 'Name of the device, such as /dev/xvda.' })),
  ebs: s.optional(ebsSchema),
  rootVolume: s.optional(
    s.boolean({ description: 'Whether the kubelet keeps its files here; one volume at most may say so.' }),
  ),
})
/** A volume of the nodes. */
export interface BlockDeviceMapping extends TypeOf<typeof blockDeviceMappingSchema> {}

export const blockDeviceMappings = s.array(blockDeviceMappingSchema, {
  description: 'The volumes of the nodes. Absent: those of the image family.',
  maxItems: 50,
  rules: [
    {
      message: 'must have only one blockDeviceMappings with rootVolume',
      cel: 'self.filter(x, has(x.rootVolume) && x.rootVolume).size() <= 1',
      holds: (mappings: ReadonlyArray<{ readonly rootVolume?: boolean }>) =>
        mappings.filter(({ rootVolume }) => rootVolume === true).length <= 1,
    },
  ],
})

const networkInterfaceSchema = s.object({
  networkCardIndex: s.integer({ description: 'The network card.', format: 'int32', minimum: 0 }),
  deviceIndex: s.integer({ description: 'The device on the instance.', format: 'int32', minimum: 0 }),
  interfaceType: s.literals(['interface', 'efa-only'], { description: 'What the interface carries.' }),
})
/** A network interface of the nodes. */
export interface NetworkInterface extends TypeOf<typeof networkInterfaceSchema> {}

export const networkInterfaces = s.array(networkInterfaceSchema, {
  description: 'The network interfaces of the nodes. Absent or empty: one, or all EFA devices where pods ask for EFA.',
  maxItems: 150,
  rules: [
    {
      message: "networkInterfaces must include a primary interface with interfaceType='interface'",
      cel: "self.size() == 0 || self.exists(x, x.deviceIndex == 0 && x.networkCardIndex == 0 && x.interfaceType == 'interface')",
      holds: (list: ReadonlyArray<NetworkInterface>) =>
        list.length === 0 ||
        list.some(
          ({ deviceIndex, networkCardIndex, interfaceType }) =>
            deviceIndex === 0 && networkCardIndex === 0 && interfaceType === 'interface',
        ),
    },
    {
      message:
        'networkInterfaces must not have duplicate networkCardIndex and deviceIndex pairs, and can have at most one efa device per network card',
      cel: "self.all(x, self.filter(y, x.networkCardIndex == y.networkCardIndex && x.deviceIndex == y.deviceIndex).size() == 1 && (x.interfaceType != 'efa-only' || self.filter(y, x.networkCardIndex == y.networkCardIndex && y.interfaceType == 'efa-only').size() == 1))",
      holds: (list: ReadonlyArray<NetworkInterface>) => {
        const places = list.map(({ networkCardIndex, deviceIndex }) => `${networkCardIndex}/${deviceIndex}`)
        const efaCards = list
          .filter(({ interfaceType }) => interfaceType === 'efa-only')
          .map(({ networkCardIndex }) => networkCardIndex)
        return new Set(places).size === places.length && new Set(efaCards).size === efaCards.length
      },
    },
  ],
})

/** Options of the metadata service; the hop limit's default differs between versions of the API. */
export const metadataOptionsField = (httpPutResponseHopLimit: number) =>
  s.defaulted(
    s.object(
      {
        httpEndpoint: s.defaulted(
          s.literals(['enabled', 'disabled'], { description: 'Whether the service answers at all.' }),
          'enabled',
        ),
        httpProtocolIPv6: s.defaulted(
          s.literals(['enabled', 'disabled'], { description: 'Whether it answers over IPv6.' }),
          'disabled',
        ),
        httpPutResponseHopLimit: s.defaulted(
          s.integer({
            description: 'How many network hops an answer may take; containers need 2.',
            format: 'int64',
            minimum: 1,
            maximum: 64,
          }),
          httpPutResponseHopLimit,
        ),
        httpTokens: s.defaulted(
          s.literals(['required', 'optional'], { description: 'Whether requests must carry a session token.' }),
          'required',
        ),
      },
      { description: 'How nodes reach the instance metadata service.' },
    ),
    { httpEndpoint: 'enabled', httpProtocolIPv6: 'disabled', httpPutResponseHopLimit, httpTokens: 'required' },
  )

const seconds = (description: string, minimum: number, maximum: number) =>
  s.optional(s.integer({ description, format: 'int32', minimum, maximum }))

export const connectionTracking = s.object(
  {
    tcpEstablishedTimeout: seconds('Seconds until an idle established TCP connection is forgotten.', 60, 432000),
    udpStreamTimeout: seconds('Seconds until an idle UDP stream is forgotten.', 60, 180),
    udpTimeout: seconds('Seconds until a UDP flow of one request or direction is forgotten.', 30, 60),
  },
  {
    description: 'Idle timeouts of the connections that network interfaces track; types on Nitro alone have them.',
    rules: [
      {
        message: 'at least one of tcpEstablishedTimeout, udpStreamTimeout, or udpTimeout must be set',
        cel: 'has(self.tcpEstablishedTimeout) || has(self.udpStreamTimeout) || has(self.udpTimeout)',
        holds: (timeouts: Readonly<Record<string, unknown>>) => Object.keys(timeouts).length > 0,
      },
    ],
  },
)

export const placementGroupSelector = s.object(
  {
    name: s.optional(s.string({ description: 'Name of the placement group.', minLength: 1 })),
    id: s.optional(
      s.string({
        description: 'Identifier of the placement group.',
        pattern: '^pg-[0-9a-z]+$',
        expected: 'an identifier such as pg-0a1b2c3d',
      }),
    ),
  },
  {
    description: 'The placement group of the nodes.',
    rules: [
      {
        message: "expected at least one, got none, ['name', 'id']",
        cel: 'has(self.name) || has(self.id)',
        holds: (group: GroupNaming) => group.name !== undefined || group.id !== undefined,
      },
      {
        message: "'name' and 'id' are mutually exclusive",
        cel: '!(has(self.name) && has(self.id))',
        holds: (group: GroupNaming) => group.name === undefined || group.id === undefined,
      },
    ],
  },
)

interface GroupNaming {
  readonly name?: string
  readonly id?: string
}

const isRefused = (key: string): Rule => ({
  message: `tag contains a restricted tag matching ${key}`,
  cel: `self.all(k, k != '${key}')`,
  each: (tag: string) => tag !== key,
})

/** Tags that users add, without those that mark what is ours. */
export const ownTags = (restricted: ReadonlyArray<string>) =>
  s.record(s.string(), {
    description: 'Tags of instances, volumes, launch templates and the like.',
    rules: [
      { message: "empty tag keys aren't supported", cel: "self.all(k, k != '')", each: (tag: string) => tag !== '' },
      {
        message: 'tag contains a restricted tag matching kubernetes.io/cluster/',
        cel: "self.all(k, !k.startsWith('kubernetes.io/cluster'))",
        each: (tag: string) => !tag.startsWith('kubernetes.io/cluster'),
      },
      ...restricted.map(isRefused),
    ],
  })
