import fs from 'node:fs'
import path from 'node:path'
import { idsOf } from './row-ids.ts'
import { root } from './step.ts'
import { testTitles } from './test-titles.ts'

/** One behaviour of the reference, and where we stand. */
export interface Row {
  readonly id: string
  readonly behaviour: string
  readonly state: 'proven' | 'declined' | 'open'
  /** The tests whose names carry the id; empty unless proven. */
  readonly tests: ReadonlyArray<ProvingTest>
  /** Why it is declined; absent otherwise. */
  readonly reason?: string
  /** How today's reference differs from the text, which was written of an earlier one; the test proves this instead. */
  readonly correction?: string
}

export interface ProvingTest {
  readonly file: string
  readonly titles: ReadonlyArray<string>
}

export interface Section {
  readonly area: string
  readonly title: string
  readonly rows: ReadonlyArray<Row>
}

export interface CompatibilityTable {
  readonly sections: ReadonlyArray<Section>
  /** Ids in test names that no row has: a slip of the pen that would prove nothing. */
  readonly unknown: ReadonlyArray<{ readonly id: string; readonly file: string }>
}

const areas = [
  { file: 'core-provisioning', area: 'Provisioning and scheduling' },
  { file: 'core-disruption-lifecycle', area: 'Disruption and lifecycle' },
  { file: 'aws', area: 'AWS' },
  { file: 'azure', area: 'Azure' },
]

/** Reads the rows, the declined ones and the names of all tests; runs nothing, so equal sources give an equal table. */
export const readCompatibility = (): CompatibilityTable => {
  const rowsByFile = areas.map(({ file, area }) => ({ area, sections: readSections(file) }))
  const known = new Set(rowsByFile.flatMap(({ sections }) => sections.flatMap(({ rows }) => Object.keys(rows))))
  const { tests, unknown } = findProofs(known)
  const declined = readJson<Readonly<Record<string, string>>>('docs/parity/declined.json')
  const corrected = readJson<Readonly<Record<string, string>>>('docs/parity/corrected.json')
  const sections = rowsByFile.flatMap(({ area, sections: read }) =>
    read.map(({ title, rows }) => ({
      area,
      title,
      rows: Object.entries(rows).map(([id, behaviour]) => ({
        ...toRow(id, behaviour, tests.get(id) ?? [], declined),
        ...(corrected[id] === undefined ? {} : { correction: corrected[id] }),
      })),
    })),
  )
  return { sections, unknown }
}

export const countStates = (rows: ReadonlyArray<Row>): Readonly<Record<Row['state'], number>> => {
  const count = (state: Row['state']) => rows.filter((row) => row.state === state).length
  return { proven: count('proven'), declined: count('declined'), open: count('open') }
}

/** docs/compatibility.md as it should stand. */
export const renderCompatibility = ({ sections }: CompatibilityTable): string => {
  const lines = [
    '# Compatibility with Karpenter',
    '',
    'Written by `npm run generate`; not edited by hand. Each row is one behaviour of the reference (the texts stand in',
    '`docs/parity/`). A row is **proven** when a test carries its id in its name, **declined** when',
    '`docs/parity/declined.json` says why, and **open** otherwise. `npm run compatibility` checks that those tests passed.',
    'Where the reference of today differs from the text, `docs/parity/corrected.json` says how, and the test proves that.',
    '',
    '| area | proven | declined | open |',
    '|---|---:|---:|---:|',
    ...areas.map(({ area }) => summaryLine(area, rowsOf(sections.filter((section) => section.area === area)))),
    summaryLine('**all**', rowsOf(sections)),
  ]
  for (const section of sections) {
    const isFirst = sections.find(({ area }) => area === section.area) === section
    if (isFirst) lines.push('', `## ${section.area}`)
    lines.push(
      '',
      `### ${section.title}`,
      '',
      '| id | behaviour | state |',
      '|---|---|---|',
      ...section.rows.map(rowLine),
    )
  }
  return `${lines.join('\n')}\n`
}

export const rowsOf = (sections: ReadonlyArray<Section>): ReadonlyArray<Row> => sections.flatMap(({ rows }) => rows)

const toRow = (
  id: string,
  behaviour: string,
  tests: ReadonlyArray<ProvingTest>,
  declined: Readonly<Record<string, string>>,
): Row => {
  if (tests.length > 0) return { id, behaviour, state: 'proven', tests }
  const reason = declined[id] ?? declined[id.replace(/-\d+$/, '')]
  return reason === undefined
    ? { id, behaviour, state: 'open', tests }
    : { id, behaviour, state: 'declined', tests, reason }
}

const findProofs = (known: ReadonlySet<string>) => {
  const tests = new Map<string, Array<ProvingTest>>()
  const unknown: Array<{ readonly id: string; readonly file: string }> = []
  for (const file of testFiles()) {
    for (const { titles } of testTitles(fs.readFileSync(path.join(root, file), 'utf8'))) {
      // Only the innermost title: what a group's title proves, the group proves once.
      for (const id of idsOf(titles.at(-1) ?? '')) {
        if (known.has(id)) tests.set(id, [...(tests.get(id) ?? []), { file, titles }])
        else unknown.push({ id, file })
      }
    }
  }
  return { tests, unknown }
}

const testFiles = (): ReadonlyArray<string> =>
  fs
    .globSync('{examples,packages,tools}/**/*.test.ts', { cwd: root, exclude: (name) => isForeign.test(name) })
    .map((file) => file.replaceAll(path.sep, '/'))
    .sort((left, right) => (left < right ? -1 : 1))

// Installed packages and built ones are not looked into: links among them lead everywhere.
const isForeign = /(^|\/)(node_modules|dist)$/

const readSections = (file: string) =>
  readJson<{
    readonly sections: ReadonlyArray<{ readonly title: string; readonly rows: Readonly<Record<string, string>> }>
  }>(`docs/parity/${file}.json`).sections

const readJson = <A>(file: string): A => JSON.parse(fs.readFileSync(path.join(root, file), 'utf8')) as A

const summaryLine = (name: string, rows: ReadonlyArray<Row>): string => {
  const { proven, declined, open } = countStates(rows)
  return `| ${name} | ${proven} | ${declined} | ${open} |`
}

const rowLine = ({ id, behaviour, state, tests, reason, correction }: Row): string => {
  const proof = tests.map(({ file, titles }) => `\`${file}\`: ${cell(titles.join(' › '))}`)
  return `| ${id} | ${cell(firstSentence(behaviour))} | ${[state, ...proof, ...[reason, correction].flatMap((text) => (text === undefined ? [] : [cell(text)]))].join('<br>')} |`
}

const firstSentence = (text: string): string => {
  const end = /[.;:] /.exec(text)?.index ?? text.length
  return end < 20 || end > 160 ? `${text.slice(0, 160).trimEnd()}${text.length > 160 ? ' …' : ''}` : text.slice(0, end)
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('\n', ' ')
