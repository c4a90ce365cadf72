import { decoderOf, Labels, labelKeys, openApiOf, type JsonObject } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { check } from '../check.ts'
import { expectEqual, expectSentence, expectTrue, fail, notJsonAt, show } from '../expectation.ts'

const domain = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/
const version = /^v[1-9][0-9]*((alpha|beta)[1-9][0-9]*)?$/
const metricName = /^[a-z_:][a-z0-9_:]*$/
const columnTypes = ['string', 'integer', 'number', 'boolean', 'date']

const expectUnique = (values: ReadonlyArray<string>, what: string): void => {
  const twice = values.find((value, index) => values.indexOf(value) !== index)
  expectTrue(twice === undefined, `${what}: ${JSON.stringify(twice)} is there twice`)
}

/** What a module says of itself, without credentials. */
export const moduleChecks = [
  check('module/name', 'has a name that metrics and settings can carry', [], async ({ subject: { module } }) =>
    expectTrue(/^[a-z][a-z0-9-]*$/.test(module.name), `The name is ${JSON.stringify(module.name)}`),
  ),
  check(
    'module/node-classes',
    'names its NodeClasses as Kubernetes takes them',
    [],
    async ({ subject: { module } }) => {
      for (const { group, kind, names, columns = [] } of module.nodeClasses) {
        expectTrue(domain.test(group), `The group ${JSON.stringify(group)} is no domain`)
        expectTrue(/^[A-Z][A-Za-z0-9]*$/.test(kind), `The kind ${JSON.stringify(kind)} is no kind`)
        expectTrue(
          /^[a-z][a-z0-9]*$/.test(names.plural),
          `The plural ${JSON.stringify(names.plural)} is not lower case`,
        )
        for (const { jsonPath, type } of columns) {
          expectTrue(jsonPath.startsWith('.'), `The column path ${jsonPath} does not begin with a dot`)
          expectTrue(columnTypes.includes(type), `There is no column type ${type}`)
        }
      }
      expectUnique(
        module.nodeClasses.map(({ kind }) => kind),
        'Kinds',
      )
    },
  ),
  check('module/versions', 'serves its first version, and names each once', [], async ({ subject: { module } }) => {
    for (const { kind, versions } of module.nodeClasses) {
      expectTrue(versions[0].served !== false, `The stored version of ${kind} is not served`)
      for (const { name } of versions) expectTrue(version.test(name), `${JSON.stringify(name)} is no version`)
      expectUnique(
        versions.map(({ name }) => name),
        `Versions of ${kind}`,
      )
    }
  }),
  check('module/schema', 'has a schema from which a CRD can be made', [], async ({ subject: { module } }) => {
    for (const { kind, versions } of module.nodeClasses)
      for (const { schema } of versions) {
        const node = openApiOf(schema)
        const properties = node['properties'] as Readonly<Record<string, unknown>> | undefined
        expectTrue(node['type'] === 'object' && properties?.['spec'] !== undefined, `${kind} has no spec in its schema`)
        const odd = notJsonAt(node, kind)
        expectTrue(odd === undefined, `The schema is not JSON: ${odd}`)
      }
  }),
  check('module/decodes', 'reads the NodeClass of a user, name and kind included', [], async (session) => {
    const { manifest } = session.subject
    const decoded = session.decode(manifest)
    expectEqual(decoded.kind, manifest['kind'], 'kind')
    expectEqual(decoded.metadata.name, (manifest['metadata'] as JsonObject)['name'], 'metadata.name')
  }),
  check('module/refuses', 'refuses a NodeClass that is none, with the path of the mistake', [], async (session) => {
    const { manifest, module } = session.subject
    for (const { kind, versions } of module.nodeClasses) {
      if (kind !== manifest['kind']) continue
      const decoded = decoderOf(versions[0].schema)({ ...manifest, spec: 7 })
      if (E.isRight(decoded)) fail('A spec of 7 is taken')
      else expectTrue(decoded.left[0].path.startsWith('spec'), `The mistake is said to be at ${decoded.left[0].path}`)
    }
  }),
  check(
    'module/settings',
    'has settings that name themselves and read back their defaults',
    ['settings'],
    async ({ subject: { module } }) => {
      const fields = Object.values(module.settings?.fields ?? {}) as ReadonlyArray<
        NonNullable<typeof module.settings>['fields'][never]
      >
      for (const field of fields as ReadonlyArray<{
        readonly env: ReadonlyArray<string>
        readonly flag?: string
        readonly help: string
        readonly secret?: true
        readonly default?: unknown
        readonly codec: {
          readonly encode: (value: unknown) => string
          readonly decode: (text: unknown) => E.Either<unknown, unknown>
        }
      }>) {
        const name = field.env[0] ?? ''
        for (const variable of field.env)
          expectTrue(/^[A-Z][A-Z0-9_]*$/.test(variable), `${JSON.stringify(variable)} is no name of a variable`)
        expectTrue(field.flag === undefined || /^[a-z][a-z0-9-]*$/.test(field.flag), `--${field.flag} is no flag`)
        expectTrue(field.help !== '', `${name} has no help`)
        if (!('default' in field)) continue
        const read = field.codec.decode(field.codec.encode(field.default))
        if (E.isLeft(read)) fail(`The default of ${name} is refused by its own codec`)
        else expectEqual(read.right, field.default, `The default of ${name}, written and read`)
      }
      expectUnique(
        (fields as ReadonlyArray<{ readonly env: ReadonlyArray<string> }>).flatMap(({ env }) => env),
        'Variables',
      )
    },
  ),
  check(
    'module/labels',
    'has label keys that are keys, and one place for each',
    [],
    async ({ subject: { module }, live }) => {
      for (const policy of [module.labels, live.labels]) {
        if (policy === undefined) continue
        const keys = policy.wellKnown.map(({ key }) => key)
        for (const key of [...keys, ...(policy.internal ?? [])])
          expectTrue(Labels.problemWithKey(key) === undefined, `${JSON.stringify(key)}: ${Labels.problemWithKey(key)}`)
        expectUnique(keys, 'Well-known keys')
        const both = (policy.internal ?? []).find((key) => keys.includes(key))
        expectTrue(both === undefined, `${both} is internal and well known at once`)
        const { reservation } = policy
        expectTrue(
          reservation === undefined || reservation.all.includes(reservation.id),
          `The keys of reservations leave out ${reservation?.id}`,
        )
      }
    },
  ),
  check('module/traits', 'has traits within reason', [], async ({ subject: { module } }) => {
    const { repair = [], terminationGracePeriodMs, orphanAfterMs, listLagMs, supportedKubernetes } = module.traits ?? {}
    for (const [name, ms] of Object.entries({ terminationGracePeriodMs, orphanAfterMs, listLagMs }))
      expectTrue(ms === undefined || (Number.isFinite(ms) && ms >= 0), `${name} is ${ms}`)
    for (const { conditionType, tolerationMs } of repair)
      expectTrue(
        conditionType !== '' && tolerationMs >= 0,
        `A repair policy tolerates ${conditionType} for ${tolerationMs} ms`,
      )
    if (supportedKubernetes === undefined) return
    const minor = (text: string) => Number(text.split('.')[1])
    const { min, max } = supportedKubernetes
    expectTrue(minor(min) <= minor(max), `Kubernetes ${min} to ${max} is no range`)
  }),
  check(
    'module/metrics',
    'declares metrics as Prometheus takes them, and each once',
    [],
    async ({ subject: { module } }) => {
      const metrics = module.metrics ?? []
      for (const { name, type, help, labels } of metrics) {
        expectTrue(metricName.test(name), `${JSON.stringify(name)} is no name of a metric`)
        expectTrue(type !== 'counter' || name.endsWith('_total'), `The counter ${name} does not end in _total`)
        expectTrue(help !== '', `${name} has no help`)
        for (const label of labels)
          expectTrue(/^[a-z_][a-z0-9_]*$/.test(label) && label !== 'le', `${name} cannot have the label ${label}`)
      }
      expectUnique(
        metrics.map(({ name }) => name),
        'Metrics',
      )
    },
  ),
  check(
    'module/reads',
    'asks to see cluster objects by name, and never Secrets',
    [],
    async ({ subject: { module } }) => {
      const reads = module.reads ?? []
      for (const { as, apiVersion, plural } of reads) {
        expectTrue(
          as !== '' && apiVersion !== '' && plural !== '',
          `A read lacks a name: ${show({ as, apiVersion, plural })}`,
        )
        expectTrue(plural.toLowerCase() !== 'secrets', 'It asks for Secrets')
      }
      expectUnique(
        reads.map(({ as }) => as),
        'Reads',
      )
    },
  ),
  check(
    'hash/stable',
    'hashes what the user wrote, not status, annotations or the order of fields',
    ['hash'],
    async (session) => {
      const { module, manifest } = session.subject
      const hash = module.nodeClasses.find(({ kind }) => kind === manifest['kind'])?.hash
      if (hash === undefined) return
      expectTrue(hash.version !== '', 'The hash has no version')
      const { cluster } = session.call()
      const plain = hash.of(session.decode(manifest), cluster)
      expectTrue(typeof plain === 'string' && plain !== '' && plain.length <= 63, `The hash is ${show(plain)}`)
      expectEqual(hash.of(session.nodeClass, cluster), plain, 'The hash once the class is resolved')
      const annotated = {
        ...manifest,
        metadata: { ...(manifest['metadata'] as JsonObject), generation: 7, annotations: { a: 'b' } },
      }
      expectEqual(hash.of(session.decode(annotated), cluster), plain, 'The hash of the class with an annotation')
      expectEqual(
        hash.of(session.decode(reversed(manifest)), cluster),
        plain,
        'The hash with the fields in another order',
      )
    },
  ),
  check(
    'hash/sensitive',
    'gives another hash when the spec calls for other machines',
    ['hash', 'changedManifest'],
    async (session) => {
      const { module, manifest } = session.subject
      const hash = module.nodeClasses.find(({ kind }) => kind === manifest['kind'])?.hash
      const { cluster } = session.call()
      const changed = session.decode(session.lever('changedManifest'))
      expectTrue(
        hash?.of(session.decode(manifest), cluster) !== hash?.of(changed, cluster),
        'The hash of the changed class is the same',
      )
    },
  ),
  check('module/label-keys-of-types', 'tells by its label policy which keys its types define', [], async (session) => {
    const { module } = session.subject
    const policy = session.live.labels ?? module.labels
    const known = new Set<string>([
      ...Object.values(labelKeys),
      ...(policy?.wellKnown ?? []).map(({ key }) => key),
      ...(policy?.internal ?? []),
    ])
    for (const { name, requirements, offerings } of await session.types())
      for (const key of [requirements, ...offerings.map((offering) => offering.requirements)].flatMap(({ byKey }) => [
        ...byKey.keys(),
      ]))
        expectTrue(known.has(key), `Type ${name} defines ${key}, which is neither well known nor internal`)
  }),
  check('module/help', 'explains its settings in sentences', ['settings'], async ({ subject: { module } }) => {
    for (const { help } of Object.values(module.settings?.fields ?? {}) as ReadonlyArray<{ readonly help: string }>)
      expectSentence(help, 'Help')
  }),
]

const reversed = (value: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [
        key,
        typeof member === 'object' && member !== null && !Array.isArray(member)
          ? reversed(member as JsonObject)
          : member,
      ]),
  )
