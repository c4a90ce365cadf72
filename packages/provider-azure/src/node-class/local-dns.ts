import { s, type Rule } from '@scantling/core'

interface ZoneOverride {
  readonly zone: string
  readonly forwardDestination: string
  readonly serveStale: string
  readonly protocol: string
}

const duration = (description: string) =>
  s.string({ description, pattern: '^([0-9]+(s|m|h))+$', expected: 'a duration such as 1h30m' })

/** How one DNS zone is served on a node (Z-API-14). */
const zoneOverrideSchema = s.object(
  {
    zone: s.string({
      description: 'The zone, such as "." or cluster.local.',
      minLength: 1,
      maxLength: 254,
      pattern:
        '^(\\.|[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?)*\\.?)$',
      expected: 'a DNS zone such as "." or example.com',
    }),
    queryLogging: s.literals(['Error', 'Log'], { description: 'What is logged: failed queries or all.' }),
    protocol: s.literals(['PreferUDP', 'ForceTCP'], { description: 'How the upstream server is asked.' }),
    forwardDestination: s.literals(['ClusterCoreDNS', 'VnetDNS'], { description: 'Which server is asked.' }),
    forwardPolicy: s.literals(['Sequential', 'RoundRobin', 'Random'], {
      description: 'How one of several upstream servers is chosen.',
    }),
    maxConcurrent: s.integer({ description: 'Most queries at once.', format: 'int32', minimum: 0 }),
    cacheDuration: duration('How long an answer is kept.'),
    serveStaleDuration: duration('How long past that it may be served.'),
    serveStale: s.literals(['Verify', 'Immediate', 'Disable'], {
      description: 'Whether and when a stale answer is served.',
    }),
  },
  {
    description: 'How one DNS zone is served.',
    rules: [
      {
        message: "'cluster.local' cannot be forwarded to VnetDNS",
        cel: "!(self.zone.endsWith('cluster.local') && self.forwardDestination == 'VnetDNS')",
        holds: ({ zone, forwardDestination }: ZoneOverride) =>
          !(zone.endsWith('cluster.local') && forwardDestination === 'VnetDNS'),
      },
      {
        message: 'serveStale Verify cannot be used with protocol ForceTCP',
        cel: "!(self.serveStale == 'Verify' && self.protocol == 'ForceTCP')",
        holds: ({ serveStale, protocol }: ZoneOverride) => !(serveStale === 'Verify' && protocol === 'ForceTCP'),
      },
    ],
  },
)

const overridesSchema = (description: string, rules: ReadonlyArray<Rule>) =>
  s.array(zoneOverrideSchema, {
    description,
    maxItems: 100,
    listType: 'map',
    listMapKeys: ['zone'],
    rules: [
      {
        message: "must contain required zones '.' and 'cluster.local'",
        cel: "['.', 'cluster.local'].all(z, self.exists(x, x.zone == z))",
        holds: (overrides: ReadonlyArray<ZoneOverride>) =>
          ['.', 'cluster.local'].every((required) => overrides.some(({ zone }) => zone === required)),
      },
      ...rules,
    ],
  })

/** DNS served on each node (Z-API-13…15). */
export const localDnsSchema = s.object(
  {
    mode: s.literals(['Preferred', 'Required', 'Disabled'], {
      description: 'Preferred turns it on where the cluster allows.',
    }),
    vnetDNSOverrides: overridesSchema('For queries of the kubelet and of pods with dnsPolicy Default.', [
      {
        message: "root zone '.' cannot be forwarded to ClusterCoreDNS from vnetDNSOverrides",
        cel: "!self.exists(x, x.zone == '.' && x.forwardDestination == 'ClusterCoreDNS')",
        holds: (overrides: ReadonlyArray<ZoneOverride>) =>
          !overrides.some(({ zone, forwardDestination }) => zone === '.' && forwardDestination === 'ClusterCoreDNS'),
      },
      {
        message: 'external domains cannot be forwarded to ClusterCoreDNS from vnetDNSOverrides',
        cel: "!self.exists(x, x.zone != '.' && !x.zone.endsWith('cluster.local') && x.forwardDestination == 'ClusterCoreDNS')",
        holds: (overrides: ReadonlyArray<ZoneOverride>) =>
          !overrides.some(
            ({ zone, forwardDestination }) =>
              zone !== '.' && !zone.endsWith('cluster.local') && forwardDestination === 'ClusterCoreDNS',
          ),
      },
    ]),
    kubeDNSOverrides: overridesSchema('For queries of pods with dnsPolicy ClusterFirst.', []),
  },
  { description: 'DNS served on each node. https://aka.ms/aks/localdns' },
)
