import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { root } from '../step.ts'

/** What a Dockerfile says of the image, as far as ours goes. */
export interface Image {
  readonly base: string
  /** Source, from the root of the repository, and target in the image. */
  readonly copies: ReadonlyArray<readonly [source: string, target: string]>
  readonly entrypoint: ReadonlyArray<string>
  readonly user: string
  readonly env: Readonly<Record<string, string>>
}

/** Reads our Dockerfile for one provider. */
export const readImage = (provider: string): Image => {
  const lines = readFileSync(path.join(root, 'deploy/Dockerfile'), 'utf8')
    .replaceAll('${PROVIDER}', provider)
    .split('\n')
  const said = (instruction: string): ReadonlyArray<string> =>
    lines.filter((line) => line.startsWith(`${instruction} `)).map((line) => line.slice(instruction.length + 1))
  const copies = said('COPY').flatMap((line) => {
    const names = line.split(' ').filter((word) => !word.startsWith('--'))
    const target = names.at(-1) ?? ''
    return names
      .slice(0, -1)
      .map((source) => [source, target.endsWith('/') ? `${target}${path.basename(source)}` : target] as const)
  })
  return {
    base: said('FROM')[0] ?? '',
    copies,
    entrypoint: JSON.parse(said('ENTRYPOINT')[0] ?? '[]') as ReadonlyArray<string>,
    user: said('USER')[0] ?? '',
    env: Object.fromEntries(said('ENV').map((line) => line.split('=') as [string, string])),
  }
}

/** Why a process cannot have a root and a user of its own here, or `undefined`. */
export const imageObstacle = (): string | undefined => {
  const tried = spawnSync(
    'unshare',
    ['-rm', 'sh', '-c', 'mount -t tmpfs none /mnt && unshare --user --map-user=65532 true'],
    {
      encoding: 'utf8',
    },
  )
  if (tried.status === 0) return undefined
  return tried.error === undefined ? tried.stderr.trim() : 'there is no unshare on this machine'
}

const libraries = (): string => {
  const { stdout } = spawnSync('ldd', [process.execPath], { encoding: 'utf8' })
  return (stdout.match(/\/\S+/g) ?? []).filter((file) => existsSync(file)).join(' ')
}

/** Runs what the image would run, with the files that it would have and no others. Call `end` when it has ended. */
export const runImage = (
  { copies, entrypoint, env }: Image,
  options: {
    readonly args?: ReadonlyArray<string>
    readonly env?: Readonly<Record<string, string>>
    /** As volumes bring them: from anywhere on this machine. */
    readonly mounted?: ReadonlyArray<readonly [source: string, target: string]>
  },
): { readonly child: ChildProcess; readonly said: () => string; readonly end: () => Promise<number | null> } => {
  const directory = mkdtempSync(path.join(tmpdir(), 'scantling-image-'))
  const files = [
    ...copies.map(([source, target]) => [path.join(root, source), target] as const),
    ...(options.mounted ?? []),
  ].map((pair) => pair.join(':'))
  const child = spawn(
    'unshare',
    [
      '-rm',
      path.join(import.meta.dirname, 'image-root'),
      ...[directory, process.execPath, libraries(), files.join('\n'), '--'],
      ...entrypoint,
      ...(options.args ?? []),
    ],
    {
      env: { PATH: process.env['PATH'], HOME: '/home/nonroot', ...env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve))
  return {
    child,
    said: () => text,
    end: async () => {
      child.kill('SIGTERM')
      const code = await closed
      rmSync(directory, { recursive: true, force: true })
      return code
    },
  }
}
