/**
 * Which module may import which: one table, read top to bottom. Adding an edge means editing it, and saying why.
 *
 * `npm run deps` also asserts how many modules were visited, because a tool that sees nothing finds nothing.
 */

const values = ['internal', 'quantity', 'time', 'labels', 'schema']
const algebra = [...values, 'requirements', 'taints']
// What planners read. `api` and `ingest` are absent: wire types stop at ingest, so planners know nothing of CRD versions.
const domain = [...algebra, 'instance', 'provider', 'cluster']

/** packages/core/src, low to high: module -> the modules of core that it may import. */
export const coreModules = {
  internal: [],
  quantity: ['internal'],
  time: ['internal'],
  labels: ['internal'],
  schema: ['internal', 'quantity', 'time', 'labels'],
  requirements: values,
  // A pool's taints and a pod's tolerations are matched beside its requirements.
  taints: [...values, 'requirements'],
  api: algebra,
  instance: algebra,
  provider: [...algebra, 'instance'],
  cluster: [...algebra, 'instance', 'provider'],
  // NodeOverlays change instance types before anyone plans with them.
  overlay: domain,
  // What the machines of NodePools cost.
  'cluster-cost': domain,
  // Whether what is launched joins.
  'registration-health': domain,
  // Changes pods before anyone plans with them.
  'default-spread': domain,
  // The only module that knows wire and domain.
  ingest: [...domain, 'api'],
  topology: domain,
  scheduling: [...domain, 'topology'],
  disruption: [...domain, 'topology', 'scheduling'],
  // Scales down by the cost of moving pods, and names claims as scheduling does.
  'static-capacity': [...domain, 'scheduling', 'disruption'],
  // Reads what a pass made of the placeholders.
  buffers: [...domain, 'scheduling'],
  lifecycle: [...domain],
  explain: [...domain, 'topology', 'scheduling', 'disruption', 'lifecycle'],
  // Snapshots as text, so that a bug report can be replayed.
  'saved-snapshot': domain,
  // Reads scenario files: it ingests, plans, and writes the answer in the reference's form.
  scenario: [...domain, 'api', 'ingest', 'topology', 'scheduling', 'disruption', 'explain'],
  testing: [
    ...domain,
    'api',
    'ingest',
    'overlay',
    'registration-health',
    'cluster-cost',
    'default-spread',
    'buffers',
    'static-capacity',
    'topology',
    'scheduling',
    'disruption',
    'lifecycle',
    'explain',
    'scenario',
  ],
}

/** package -> the workspace packages and the npm packages that its sources may import. */
export const packages = {
  core: { workspace: [], npm: ['fp-ts', 'io-ts'] },
  'provider-kit': { workspace: ['core'], npm: ['fp-ts', 'io-ts'] },
  // A provider touches its own cloud and never Kubernetes.
  'provider-kwok': { workspace: ['core', 'provider-kit'], npm: ['fp-ts', 'io-ts'] },
  'provider-aws': {
    workspace: ['core', 'provider-kit'],
    npm: [
      'fp-ts',
      'io-ts',
      'smol-toml',
      // User data of AL2023 is YAML, and kubelet values may be expressions in CEL.
      'yaml',
      '@marcbachmann/cel-js',
      ...['ec2', 'eks', 'iam', 'pricing', 'sqs', 'ssm'].map((service) => `@aws-sdk/client-${service}`),
      // Zonal shifts have a service of one call, which is signed and sent without a client.
      '@smithy/signature-v4',
    ],
  },
  'provider-azure': {
    workspace: ['core', 'provider-kit'],
    npm: [
      'fp-ts',
      'io-ts',
      '@azure/identity',
      '@azure/core-rest-pipeline',
      ...['compute', 'containerservice', 'network', 'resourcegraph'].map((service) => `@azure/arm-${service}`),
    ],
  },
  // Plain checks on the port: any test runner can drive them.
  conformance: { workspace: ['core', 'provider-kit'], npm: ['fp-ts', 'io-ts'] },
  // The whole system in one process, on a virtual clock.
  simulation: {
    workspace: ['core', 'provider-kit', 'provider-kwok', 'kube-sim', 'controller'],
    npm: ['fp-ts', 'io-ts'],
  },
  // The API server knows no cloud: only the controller's simulated kubelet and the cli bring the two together.
  'kube-sim': { workspace: ['core', 'provider-kit'], npm: ['fp-ts', 'io-ts', '@marcbachmann/cel-js', 're2js', 'yaml'] },
  // The controller loads its provider by name and imports none.
  controller: {
    workspace: ['core', 'provider-kit'],
    npm: ['fp-ts', 'io-ts', '@kubernetes/client-node', 'pino', 'prom-client', 'yaml'],
  },
  cli: {
    // Of the providers for clouds the catalogue alone, loaded when it is asked for: it needs no account.
    workspace: [
      'core',
      'provider-kit',
      'provider-kwok',
      'provider-aws',
      'provider-azure',
      'kube-sim',
      'controller',
      'simulation',
    ],
    npm: ['fp-ts', 'io-ts', 'yaml', '@kubernetes/client-node'],
  },
}

const tests = '\\.test\\.ts$|^packages/[^/]+/(test|src/testing)/'
const anyOf = (names) => `(${names.map((name) => name.replaceAll('/', '\\/')).join('|')})`
const orNothing = (names) => (names.length === 0 ? '(?!)' : anyOf(names))

const coreRules = Object.entries(coreModules).map(([module, allowed]) => ({
  name: `core/${module}`,
  comment: `packages/core/src/${module} may import of core: ${allowed.join(', ') || 'nothing'}. The table in .dependency-cruiser.mjs says so.`,
  severity: 'error',
  from: { path: `^packages/core/src/${module}/`, pathNot: tests },
  to: { path: '^packages/core/src/', pathNot: `^packages/core/src/${anyOf([module, ...allowed])}/` },
}))

const packageRules = Object.entries(packages).flatMap(([name, { workspace, npm }]) => [
  {
    name: `${name}/workspace`,
    comment: `packages/${name} may import of the workspace: ${workspace.join(', ') || 'nothing'}.`,
    severity: 'error',
    from: { path: `^packages/${name}/src/`, pathNot: tests },
    to: { path: '^(packages|tools|examples)/', pathNot: `^packages/${anyOf([name, ...workspace])}/` },
  },
  {
    name: `${name}/npm`,
    comment: `packages/${name} may import from npm: ${npm.join(', ')}.`,
    severity: 'error',
    from: { path: `^packages/${name}/src/`, pathNot: tests },
    to: { dependencyTypes: ['npm', 'npm-dev', 'npm-peer', 'npm-optional'], pathNot: `node_modules/${orNothing(npm)}/` },
  },
])

export default {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Two modules that need each other are one module, or hide a third. Type-only cycles count.',
      severity: 'error',
      from: { path: '^packages/' },
      to: { circular: true },
    },
    {
      name: 'nothing-unresolved',
      comment: 'An import that cannot be followed is an import that no rule can judge.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'through-the-front-door',
      comment: 'Other modules are imported through their index.ts, so that a folder can change behind it.',
      severity: 'error',
      // The folders of kube-sim and cli are parts of one program, not modules with a front door each.
      from: { path: '^packages/([^/]+)/src/([^/]+)/', pathNot: `${tests}|^packages/(kube-sim|cli)/` },
      to: { path: '^packages/$1/src/[^/]+/', pathNot: '^packages/$1/src/($2/|[^/]+/index\\.ts$)' },
    },
    {
      name: 'across-packages-by-name',
      comment: 'A package is imported by its name: a relative path would bypass its exports.',
      severity: 'error',
      from: { path: '^packages/([^/]+)/' },
      to: { path: '^packages/', pathNot: '^packages/$1/', dependencyTypes: ['local'] },
    },
    {
      name: 'core-is-pure',
      comment: 'Core has no I/O: no Node module, of whatever kind.',
      severity: 'error',
      from: { path: '^packages/core/src/', pathNot: tests },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'core-module-in-table',
      comment: 'A new folder in core needs a row in the table of .dependency-cruiser.mjs.',
      severity: 'error',
      from: { path: '^packages/core/src/[^/]+/', pathNot: `^packages/core/src/${anyOf(Object.keys(coreModules))}/` },
      to: {},
    },
    {
      name: 'package-in-table',
      comment: 'A new package needs a row in the table of .dependency-cruiser.mjs.',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/', pathNot: `^packages/${anyOf(Object.keys(packages))}/` },
      to: {},
    },
    {
      name: 'tests-stay-outside',
      comment: 'Sources import neither tests nor what exists for tests.',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/', pathNot: tests },
      to: { path: tests },
    },
    ...coreRules,
    ...packageRules,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(packages|examples)/[^/]+/(dist|bin)/' },
    parser: 'swc',
    tsPreCompilationDeps: true,
    detectJSDocImports: false,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@scantling/source', 'import', 'node', 'types', 'default'],
      extensions: ['.ts', '.mjs', '.js', '.json'],
    },
  },
}
