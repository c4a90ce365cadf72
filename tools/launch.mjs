/**
 * The one way in: every root script and the `scantling` bins run through here.
 *
 * A fresh clone on a machine with Node 20 and npm lacks Node 24, pnpm and node_modules. `launch` brings what is missing
 * (from the lockfiles under tools/toolchain, with integrity hashes and without install scripts), then runs the entry
 * under Node 24 with the source condition, in the caller's directory. Once set up, that costs some 50 ms.
 *
 * Only Node's own library is imported here, and only what Node 20 has. docs/decisions/0002 tells why it is built so.
 */
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const wantedNodeMajor = 24
const lockIsStaleAfterMs = 20_000
const stampFile = path.join(root, 'node_modules', '.scantling-installed')
const bins = {
  scantling: 'packages/cli/bin/scantling.mjs',
  'scantling-controller': 'packages/controller/bin/scantling-controller.mjs',
}

/** A failure that the person in front of the terminal can act on: shown as its one sentence, without a stack. */
class SetupError extends Error {}

const say = (sentence) => process.stderr.write(`scantling: ${sentence}\n`)

/**
 * Runs `entry` (a path inside the repository) with `args` under Node 24, and exits as it exits.
 *
 * `entry: 'pnpm'` runs the pinned pnpm instead; `entry: 'setup'` only brings what is missing.
 */
export const launch = async ({ entry, args, cwd = process.cwd() }) => {
  try {
    const node = await nodeBinary()
    const env = {
      ...process.env,
      PATH: `${path.dirname(node)}${path.delimiter}${process.env['PATH'] ?? ''}`,
      // Compiled modules are kept between starts: without them Node strips the types of every source anew.
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? path.join(cacheDirectory(), 'compiled'),
    }
    if (entry === 'pnpm') return await run(await bring('pnpm'), args, { cwd, env })
    await installWorkspace(env)
    if (entry === 'setup') return
    const flags = ['--conditions=@scantling/source', '--disable-warning=ExperimentalWarning']
    await run(node, [...flags, path.resolve(root, entry), ...args], { cwd, env })
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    say(error.message)
    process.exitCode = 1
  }
}

// ---- Node and pnpm ---------------------------------------------------------------------------------------------------

const nodeBinary = async () =>
  Number.parseInt(process.versions.node, 10) >= wantedNodeMajor ? process.execPath : bring('node')

const platform = `${process.platform}-${process.arch}`

const isMusl = () => {
  process.report.excludeNetwork = true
  return process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime
}

const canBring = (tool) => fs.existsSync(path.join(root, 'tools', 'toolchain', platform, tool)) && !isMusl()

const unknownPlatform = (tool) =>
  new SetupError(
    `Cannot bring ${tool} for ${platform}${isMusl() ? ' with musl' : ''}: only Linux with glibc and macOS (x64, arm64) are known; ` +
      `install Node ${wantedNodeMajor} and pnpm 12 yourself, run "pnpm install", and start again`,
  )

/** The path of a tool of the toolchain ('node' or 'pnpm'), installed into the user's cache if it is not there yet. */
const bring = async (tool) => {
  const source = path.join(root, 'tools', 'toolchain', platform, tool)
  if (!fs.existsSync(source)) throw unknownPlatform(tool)
  const manifestText = fs.readFileSync(path.join(source, 'package.json'), 'utf8')
  const lockText = fs.readFileSync(path.join(source, 'package-lock.json'), 'utf8')
  const manifest = JSON.parse(manifestText)
  const [[name, version]] = Object.entries(manifest.dependencies)
  const home = path.join(cacheDirectory(), `${tool}-${version}-${digest([manifestText, lockText])}`)
  const binary = path.join(home, manifest.binary)
  if (isWhole(home, binary)) return binary
  // Asked only now: the answer takes longer than everything above.
  if (!canBring(tool)) throw unknownPlatform(tool)

  await withLock(`${home}.lock`, `another launcher is bringing ${tool} ${version}; waiting for it`, async () => {
    if (isWhole(home, binary)) return
    removeLeftovers(home)
    const staging = `${home}.${process.pid}.${randomBytes(4).toString('hex')}`
    fs.mkdirSync(staging, { recursive: true })
    try {
      fs.writeFileSync(path.join(staging, 'package.json'), manifestText)
      fs.writeFileSync(path.join(staging, 'package-lock.json'), lockText)
      await withProgress(`bringing ${tool} ${version} for ${platform} (once)`, () =>
        npmCi(staging, `${name}@${version}`),
      )
      const size = fs.statSync(path.join(staging, manifest.binary)).size
      fs.writeFileSync(path.join(staging, 'complete'), String(size))
      putInPlace(staging, home)
    } finally {
      fs.rmSync(staging, { recursive: true, force: true })
    }
  })
  if (!isWhole(home, binary))
    throw new SetupError(`Cannot use ${binary}: it is not complete; remove ${home} and start again`)
  return binary
}

/** Whether a tool arrived completely: the size noted at the end of its installation is the size of its file. */
const isWhole = (home, binary) => {
  try {
    return fs.readFileSync(path.join(home, 'complete'), 'utf8') === String(fs.statSync(binary).size)
  } catch {
    return false
  }
}

/** Removes what launchers that were killed left behind; an hour is longer than any installation takes. */
const removeLeftovers = (home) => {
  const directory = path.dirname(home)
  for (const name of fs.readdirSync(directory)) {
    const leftover = path.join(directory, name)
    if (!name.startsWith(`${path.basename(home)}.`) || name.endsWith('.lock')) continue
    if (Date.now() - fs.statSync(leftover).mtimeMs > 3_600_000) fs.rmSync(leftover, { recursive: true, force: true })
  }
}

/** Renames, so that nobody ever sees half a directory; what a broken installation left there is moved aside first. */
const putInPlace = (staging, home) => {
  const broken = `${staging}.old`
  try {
    fs.renameSync(home, broken)
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
  fs.renameSync(staging, home)
  fs.rmSync(broken, { recursive: true, force: true })
}

const npmCi = async (directory, what) => {
  // npm tells its scripts where it is; a pnpm or yarn in its place is of no use here.
  const told = process.env['npm_execpath'] ?? ''
  const [command, ...first] = path.basename(told) === 'npm-cli.js' ? [process.execPath, told] : ['npm']
  const flags = [
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
    '--loglevel=error',
    ...retriesFor('--'),
  ]
  // The person's own settings may say otherwise, and an outer "npm start" hands its own down.
  const place = [
    `--prefix=${directory}`,
    '--package-lock=true',
    '--global=false',
    '--workspaces=false',
    '--dry-run=false',
  ]
  const result = await collect(command, [...first, 'ci', ...flags, ...place], { cwd: directory })
  if (result.code !== 0) throw fetchError(what, 'npm', result)
}

const cacheDirectory = () => {
  const base = process.env['XDG_CACHE_HOME'] || path.join(os.homedir(), '.cache')
  for (const directory of [path.join(base, 'scantling'), path.join(root, '.cache')]) {
    try {
      fs.mkdirSync(directory, { recursive: true })
      fs.accessSync(directory, fs.constants.W_OK)
      return directory
    } catch {
      // A read-only home is no reason to stop while the clone itself can hold the tools.
    }
  }
  throw new SetupError(`Cannot write to ${base} or to ${root}: set XDG_CACHE_HOME to a directory that can be written`)
}

// ---- node_modules ----------------------------------------------------------------------------------------------------

/** Runs `pnpm install` where node_modules is missing or was made from another lockfile or other manifests. */
const installWorkspace = async (env) => {
  const wanted = workspaceDigest()
  const isInstalled = () => fs.existsSync(stampFile) && fs.readFileSync(stampFile, 'utf8') === wanted && binsAreLinked()
  if (isInstalled()) return
  // Where we cannot bring pnpm, an installation made by hand counts.
  if (!canBring('pnpm') && fs.existsSync(path.join(root, 'node_modules', '.modules.yaml'))) return

  const pnpm = await bring('pnpm')
  const lock = path.join(cacheDirectory(), `workspace-${digest([root])}.lock`)
  await withLock(lock, 'another launcher is installing the packages; waiting for it', async () => {
    if (isInstalled()) return
    // --config.confirmModulesPurge: what "npm install" may have left is replaced without a question nobody can answer.
    const flags = [
      '--frozen-lockfile',
      '--ignore-scripts',
      '--prefer-offline',
      '--config.confirmModulesPurge=false',
      ...retriesFor('--config.'),
    ]
    await withProgress('installing the packages of pnpm-lock.yaml', async () => {
      const result = await collect(pnpm, ['install', ...flags, '--reporter=append-only'], { cwd: root, env })
      if (result.output.includes('ERR_PNPM_OUTDATED_LOCKFILE')) {
        throw new SetupError(
          'Cannot install: pnpm-lock.yaml does not match a package.json; run "npm run pnpm -- install"',
        )
      }
      if (result.code !== 0) throw fetchError('the packages of pnpm-lock.yaml', 'pnpm', result)
    })
    linkBins()
    fs.writeFileSync(stampFile, wanted)
    say('everything is in place')
  })
}

const workspaceDigest = () => {
  const manifests = ['packages', 'examples']
    .filter((folder) => fs.existsSync(path.join(root, folder)))
    .flatMap((folder) => fs.readdirSync(path.join(root, folder)).map((name) => path.join(folder, name, 'package.json')))
    .sort((left, right) => (left < right ? -1 : 1))
  const files = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json', 'tools/package.json', ...manifests]
  return digest(files.flatMap((file) => [file, readIfThere(path.join(root, file))]))
}

// The root manifest names no workspace package, so that a newcomer's "npm install" works; hence pnpm links no bin here.
const binsAreLinked = () =>
  Object.keys(bins).every((name) => fs.existsSync(path.join(root, 'node_modules', '.bin', name)))

const linkBins = () => {
  for (const [name, target] of Object.entries(bins)) {
    const link = path.join(root, 'node_modules', '.bin', name)
    fs.mkdirSync(path.dirname(link), { recursive: true })
    fs.rmSync(link, { force: true })
    fs.symlinkSync(path.relative(path.dirname(link), path.join(root, target)), link)
  }
}

// ---- Locks, child processes, words -----------------------------------------------------------------------------------

/**
 * Runs `work` while holding the lock file `file`.
 *
 * The holder touches it every two seconds; one that died is recognised by its process id or by its silence. Should two
 * hold it after all (process ids differ between containers), nothing breaks: installations are renamed into place.
 */
const withLock = async (file, waitingSentence, work) => {
  let told = false
  while (!tryLock(file)) {
    if (!told) say(waitingSentence)
    told = true
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  const beat = setInterval(() => {
    try {
      fs.utimesSync(file, new Date(), new Date())
    } catch {
      // Taken away as stale: see above.
    }
  }, 2_000)
  try {
    await work()
  } finally {
    clearInterval(beat)
    fs.rmSync(file, { force: true })
  }
}

const tryLock = (file) => {
  try {
    fs.writeFileSync(file, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  }
  try {
    const isSilent = Date.now() - fs.statSync(file).mtimeMs > lockIsStaleAfterMs
    if (isSilent || !isAlive(Number(fs.readFileSync(file, 'utf8')))) fs.rmSync(file, { force: true })
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
  return false
}

const isAlive = (pid) => {
  // A lock whose number is not written yet was made a moment ago.
  if (!(pid > 0)) return true
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

const withProgress = async (what, work) => {
  const startedMs = Date.now()
  const seconds = () => Math.round((Date.now() - startedMs) / 1000)
  say(`${what} …`)
  const ticker = setInterval(() => say(`still ${what} after ${seconds()} s …`), 10_000)
  try {
    await work()
  } finally {
    clearInterval(ticker)
  }
  say(`… done in ${seconds()} s`)
}

// A registry that cannot be reached is reported within seconds, not after npm's usual minute.
const retriesFor = (prefix) =>
  ['fetch-retries=2', 'fetch-retry-mintimeout=1000', 'fetch-retry-maxtimeout=4000'].map(
    (setting) => `${prefix}${setting}`,
  )

const collect = (command, args, options) =>
  new Promise((resolve) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const keep = (chunk) => {
      output += chunk
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.on('error', (error) => resolve({ code: 1, output: `${output}\n${error.message}` }))
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })

const fetchError = (what, client, { output }) => {
  const lines = output.split('\n').map((line) => line.trim())
  const said = lines.find((line) =>
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ERR_SOCKET|_FETCH|error sending request/.test(line),
  )
  if (said !== undefined) {
    return new SetupError(
      `Cannot fetch ${what} from the npm registry: connect to the network, or tell ${client} your proxy or registry, ` +
        `and start again (${client} said: ${said})`,
    )
  }
  return new SetupError(`Cannot install ${what}: ${client} failed and said\n${output.trim()}`)
}

/** Runs the real thing in our place: same terminal, same signals, same exit. */
const run = (command, args, options) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: 'inherit' })
    const hasTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY
    // The terminal sends Ctrl-C to the whole group: passing it on would make it two.
    const passOn = (signal) => () => {
      if (signal !== 'SIGINT' || !hasTerminal) child.kill(signal)
    }
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => [signal, passOn(signal)])
    for (const [signal, handler] of signals) process.on(signal, handler)
    child.on('error', (error) =>
      reject(new SetupError(`Cannot start ${command}: ${error.message}; remove it and start again`)),
    )
    child.on('close', (code, signal) => {
      for (const [name, handler] of signals) process.off(name, handler)
      if (signal === null) process.exitCode = code
      else process.kill(process.pid, signal)
      resolve()
    })
  })

const digest = (texts) =>
  texts
    .reduce((hash, text) => hash.update(text).update('\0'), createHash('sha256'))
    .digest('hex')
    .slice(0, 16)

const readIfThere = (file) => {
  try {
    return fs.readFileSync(file)
  } catch {
    return ''
  }
}

// "node tools/launch.mjs [--from-caller] ENTRY ARGUMENTS": --from-caller runs where "npm start" was typed, not at the root.
if (process.argv[1] !== undefined && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [first, ...others] = process.argv.slice(2)
  const fromCaller = first === '--from-caller'
  const [entry, ...args] = fromCaller ? others : [first, ...others]
  await launch({ entry, args, cwd: (fromCaller ? process.env['INIT_CWD'] : undefined) ?? process.cwd() })
}
