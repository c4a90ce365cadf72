import fs from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { resource, type DraftObject, type KubeSim } from '@scantling/kube-sim'
import { parse, parseAllDocuments } from 'yaml'
import { customResources } from './crds.ts'
import { startManifestJudge } from './manifest-judge.ts'
import { root } from './step.ts'

const read = (file: string) => fs.readFileSync(path.join(root, file), 'utf8')
const generated = new Set([
  'docs/compatibility.md',
  'docs/api.md',
  'docs/metrics.md',
  'docs/reference.md',
  'docs/settings.md',
])
const pages = [
  'README.md',
  'AGENTS.md',
  'CONTRIBUTING.md',
  ...fs.readdirSync(path.join(root, 'docs')).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
].filter((page) => !generated.has(page))

/** `page: what` for everything in the pages that matches and is wrong. */
const wrongIn = (pattern: RegExp, isRight: (found: string, page: string) => boolean): ReadonlyArray<string> =>
  pages.flatMap((page) =>
    [...read(page).matchAll(pattern)].flatMap(([, found = '']) => (isRight(found, page) ? [] : [`${page}: ${found}`])),
  )

const blocksOf = (page: string, language: string): ReadonlyArray<string> =>
  [...read(page).matchAll(new RegExp(String.raw`^[ ]*\`\`\`${language}\n([\s\S]*?)^[ ]*\`\`\``, 'gm'))].map(
    ([, block = '']) => block,
  )

describe('What the pages say', () => {
  test('links lead somewhere', () => {
    expect(
      wrongIn(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g, (link, page) =>
        fs.existsSync(path.join(root, path.dirname(page), link)),
      ),
    ).toEqual([])
  })

  test('scripts exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { readonly scripts: Readonly<Record<string, string>> }
    expect(wrongIn(/npm run ([a-z][a-z0-9:-]*)/g, (script) => Object.hasOwn(scripts, script))).toEqual([])
  })

  test('files of the repository exist', () => {
    expect(
      wrongIn(
        /(?<![\w/.-])((?:deploy|examples|packages|tools|bench|vectors)\/[\w./-]*[\w/])/g,
        (file, page) =>
          // That of agents names patterns as well.
          page === 'AGENTS.md' ||
          [root, path.join(root, path.dirname(page))].some((from) => fs.existsSync(path.join(from, file))),
      ),
    ).toEqual([])
  })

  test('commands of scantling exist', () => {
    const commands = fs
      .readdirSync(path.join(root, 'packages/cli/src/commands'))
      .map((file) => path.basename(file, '.ts'))
      .concat(['explain', 'top', 'tour', 'interrupt', 'simulate'])
    expect(
      wrongIn(/(?:npm run scantling --|^scantling|`scantling) ([a-z]+)/gm, (name) => commands.includes(name)),
    ).toEqual([])
  })

  test('values of the chart exist', () => {
    const values: unknown = parse(read('deploy/chart/values.yaml'))
    const has = (name: string): boolean => {
      let at: unknown = values
      for (const step of name.split('.')) {
        // What is open in the values may hold any key.
        if (typeof at === 'object' && at !== null && Object.keys(at).length === 0) return true
        if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return false
        at = (at as Readonly<Record<string, unknown>>)[step]
      }
      return true
    }
    expect(wrongIn(/--set(?:-string)? ([\w.]+)[."=]/g, has)).toEqual([])
    expect(wrongIn(/`((?:settings|controller|networkPolicy|serviceMonitor|serviceAccount)\.[\w.]+)`/g, has)).toEqual([])
  })

  test('who migrates hands over every kind that plans are made from', () => {
    const kinds = [...read('packages/cli/src/live/list-objects.ts').matchAll(/'([a-z]+)', (?:true|false)\]/g)]
    expect(kinds.length).toBeGreaterThan(10)
    const page = read('docs/migrate-from-karpenter.md')
    expect(kinds.map(([, plural = '']) => plural).filter((plural) => !page.includes(plural))).toEqual([])
  })

  test('tools of operators that are not named as needed are not used', () => {
    const known = /^(export|npm|docker|aws|az|eksctl|kubectl|helm|for|done|git|cd|deploy\/|node |NODES=|PRINCIPAL=)/
    const strange = pages
      .filter((page) => /install|migrate|upgrade|troubleshoot/.test(page))
      .flatMap((page) =>
        blocksOf(page, 'sh')
          .flatMap((block) => block.replaceAll(/\\\n/g, ' ').split('\n'))
          .map((line) => line.trim())
          .filter((line) => line !== '' && !known.test(line) && !line.startsWith('arns='))
          .map((line) => `${page}: ${line}`),
      )
    expect(strange).toEqual([])
  })
})

/** The text of all sources below folders; tests and what programs wrote left out. */
const sourcesOf = (...folders: ReadonlyArray<string>): string =>
  folders
    .flatMap((folder) =>
      fs.readdirSync(path.join(root, folder), { withFileTypes: true }).map((entry) => {
        if (/^(node_modules|generated|dist)$|\.test\.ts$/.test(entry.name)) return ''
        const file = path.join(folder, entry.name)
        if (entry.isDirectory()) return sourcesOf(file)
        return /\.(ts|sh)$/.test(entry.name) ? read(file) : ''
      }),
    )
    .join('\n')

const sources = fs
  .readdirSync(path.join(root, 'packages'))
  .map((name) => `packages/${name}/src`)
  .filter((folder) => fs.existsSync(path.join(root, folder)))

/** What stands between backticks on one line, commands of other tools left out. */
const codeIn = (page: string): ReadonlyArray<string> =>
  [...read(page).matchAll(/(?<!`)`([^`\n]+)`(?!`)/g)]
    .map(([, code = '']) => code)
    .filter((code) => !/^(kubectl|helm|aws|az|docker) /.test(code))

const namedIn = (page: string, pattern: RegExp): ReadonlyArray<string> =>
  codeIn(page).flatMap((code) => [...code.matchAll(pattern)].map(([, found = '']) => found))

describe('What the pages name', () => {
  const settings = read('docs/settings.md')

  test('flags are those of the controller, the command line or a tool of the repository', () => {
    const ofTools = sourcesOf('packages/cli/src', 'packages/simulation/src', 'tools', 'bench')
    // Of others: kubectl, Cluster Autoscaler, Node and the reference's own, which are accepted without an effect.
    const ofOthers = new Set([
      'server',
      'scale-down-unneeded-time',
      'scale-down-utilization-threshold',
      'max-semi-space-size',
      'reset-then-reuse-values',
      'reuse-values',
      'karpenter-service',
      'disable-controller-warmup',
      'log-error-output-paths',
    ])
    const strange = pages.flatMap((page) =>
      namedIn(page, /(?<![\w-])--([a-z][a-z-]+)/g)
        .filter((flag) => !settings.includes(`\`--${flag}\``) && !ofOthers.has(flag))
        .filter((flag) => !new RegExp(`--${flag}(?![a-z-])|['"]${flag}['"]|\\b${flag}:`).test(ofTools))
        .map((flag) => `${page}: --${flag}`),
    )
    expect(strange).toEqual([])
  })

  test('variables are read by the code, or by the programs that the page is about', () => {
    const ofCode = sourcesOf(...sources, 'tools')
    // Values of AWS that look like variables.
    const ofOthers = new Set(['EC2_LINUX', 'EC2_WINDOWS', 'CONFIG_MAP'])
    const strange = pages.flatMap((page) =>
      namedIn(page, /(?<![\w$<])([A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9])(?!\w)/g)
        .filter((name) => !settings.includes(`\`${name}\``) && !ofCode.includes(name) && !ofOthers.has(name))
        .map((name) => `${page}: ${name}`),
    )
    expect(strange).toEqual([])
  })

  test('metrics are exported', () => {
    const metrics = read('docs/metrics.md')
    const suffix = /(_bucket|_sum|_count)$/
    const strange = pages.flatMap((page) =>
      namedIn(page, /(?<![\w.])((?:karpenter|scantling|operator|controller_runtime|workqueue|process)_[a-z_]+[a-z])/g)
        .map((name) => name.replace(/^operator_(nodeclaim|nodepool|node|capacitybuffer)_/, 'operator_KIND_'))
        .filter((name) => ![name, name.replace(suffix, '')].some((one) => metrics.includes(`\`${one}\``)))
        .map((name) => `${page}: ${name}`),
    )
    expect(strange).toEqual([])
  })

  test('conditions, reasons and events are those of the code', () => {
    const code = sourcesOf(...sources)
    const strange = [
      'aws',
      'azure',
      'disruption',
      'migrate-from-cluster-autoscaler',
      'migrate-from-karpenter',
      'operations',
      'troubleshoot',
    ]
      .map((page) => `docs/${page}.md`)
      .flatMap((page) =>
        codeIn(page)
          .filter((word) => /^[A-Z][a-z]+(?:[A-Z]+[a-z]*)+$/.test(word))
          .filter((word) => !new RegExp(`\\b${word}\\b`).test(code))
          .map((word) => `${page}: ${word}`),
      )
    expect(strange).toEqual([])
  })
})

describe('Manifests in the pages', () => {
  let sim: KubeSim
  beforeAll(async () => {
    sim = await startManifestJudge()
  })
  afterAll(() => sim.stop())

  test('are accepted by the API server', async () => {
    const documents = pages.flatMap((page) =>
      blocksOf(page, 'yaml').flatMap((block) =>
        parseAllDocuments(block)
          .map((document) => document.toJS() as { readonly apiVersion?: string; readonly kind?: string } | null)
          .flatMap((object) => (object?.apiVersion === undefined ? [] : [{ page, object }])),
      ),
    )
    expect(documents.length).toBeGreaterThan(3)
    for (const [index, { page, object }] of documents.entries()) {
      const kind = customResources.find(
        ({ group, versions, kind: name }) =>
          name === object.kind && versions.some(({ name }) => `${group}/${name}` === object.apiVersion),
      )
      expect({ page, kind: object.kind, known: kind !== undefined }).toEqual({ page, kind: object.kind, known: true })
      const target = resource(object.apiVersion ?? '', kind?.names.plural ?? '')
      await sim.server.face('docs').create(target, { ...object, metadata: { name: `page-${index}` } } as DraftObject)
    }
  })
})
