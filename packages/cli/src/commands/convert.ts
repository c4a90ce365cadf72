import { parseArgs } from 'node:util'

import { convertManifests } from '@scantling/core'
import { stringify } from 'yaml'

import { UsageError, type Command, type Terminal } from '../command.ts'
import { placeOf, readManifests } from '../manifests/read-manifests.ts'

const help = `Usage: scantling convert -f FILE|DIR|- [-f …]

Prints manifests in today's form: karpenter.sh/v1beta1 NodePools, NodeClaims and
EC2NodeClasses become v1, everything else stays as it is. What was changed, and what is
left for you to settle, is said on standard error.

  -f, --filename PATH    manifests: a file, a directory, or - for standard input; repeatable
  -h, --help

Exit code: 0; 1 when something was refused or left to settle; 2 for a wrong command line.`

const run = async (args: ReadonlyArray<string>, terminal: Terminal): Promise<number> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      filename: { type: 'string', short: 'f', multiple: true },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    terminal.out(help)
    return 0
  }
  if (values.filename === undefined) throw new UsageError('Name manifests with -f')
  const { manifests, problems } = readManifests(values.filename)
  const converted = convertManifests(manifests.map(({ object }) => object))
  const place = (index: number) => {
    const manifest = manifests[index]
    return manifest === undefined ? '' : placeOf(manifest)
  }
  for (const { index, text } of converted.changes) terminal.err(`Changed: ${place(index)}: ${text}`)
  for (const { index, text } of converted.unsettled) terminal.err(`To settle: ${place(index)}: ${text}`)
  for (const problem of problems) terminal.err(`Refused: ${problem}`)
  if (converted.manifests.length > 0) {
    terminal.out(
      converted.manifests
        .map((manifest) => stringify(manifest, { lineWidth: 0 }))
        .join('---\n')
        .trimEnd(),
    )
  }
  return converted.unsettled.length + problems.length > 0 ? 1 : 0
}

export const convertCommand: Command = {
  name: 'convert',
  summary: "print old manifests (v1beta1) in today's form",
  help,
  run,
}
