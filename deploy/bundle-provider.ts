import { spawnSync } from 'node:child_process'
import { dirname, join, resolve } from 'node:path'
import { build, type Metafile, type Plugin } from 'esbuild'

/** Providers that have a bundle of their own. */
export const bundledProviders = ['aws', 'azure', 'kwok'] as const
export type BundledName = (typeof bundledProviders)[number]

export const isBundledProvider = (name: string): name is BundledName =>
  bundledProviders.some((provider) => provider === name)

/** Node's major version that the bundles are made for, and that the image must have. */
export const targetMajor = 24

const root = resolve(import.meta.dirname, '..')
export const outputs = join(root, 'dist')

/** Puts a package's data into the bundle, where the package itself reads a file beside its sources. */
const dataInside: Plugin = {
  name: 'data inside',
  setup: (bundle) => {
    bundle.onLoad({ filter: /[\\/]offline[\\/]catalog-bytes\.ts$/ }, () => ({
      contents: "import bytes from '../../data/catalog.json.gz'; export const catalogBytes = () => bytes",
      loader: 'ts',
    }))
  },
}

/**
 * Takes of the Kubernetes client library what reads kubeconfigs and service accounts, which is all that we call: its
 * models and APIs, and the HTTP client that only they use, are 6 MB of code and 30 MB of memory.
 */
const credentialsOnly: Plugin = {
  name: 'credentials only',
  setup: (bundle) => {
    bundle.onResolve({ filter: /^@kubernetes\/client-node$/ }, async ({ path, kind, resolveDir, pluginData }) => {
      if (pluginData === isResolving) return undefined
      const found = await bundle.resolve(path, { kind, resolveDir, pluginData: isResolving })
      return { ...found, path: join(dirname(found.path), 'config.js') }
    })
    bundle.onResolve({ filter: /^(\.\/gen\/index\.js|undici)$/ }, ({ importer }) =>
      /[\\/]client-node[\\/]dist[\\/]config\.js$/.test(importer) ? { path: leftOut } : undefined,
    )
  },
}
const isResolving = Symbol('resolving')
const leftOut = join(import.meta.dirname, 'left-out.ts')

/** The commit of this checkout, short as the reference writes it; empty outside of one. */
const commit = (): string => {
  const { status, stdout } = spawnSync('git', ['rev-parse', '--short=7', 'HEAD'], { cwd: root, encoding: 'utf8' })
  return status === 0 ? stdout.trim() : ''
}

/** Makes the controller and one provider into one file. The metafile names what is inside, from the root. */
export const bundleProvider = async (
  name: BundledName,
): Promise<{ readonly file: string; readonly metafile: Metafile }> => {
  const file = join(outputs, `scantling-controller-${name}.mjs`)
  const { metafile } = await build({
    entryPoints: [join(import.meta.dirname, 'entries', `${name}.ts`)],
    outfile: file,
    absWorkingDir: root,
    bundle: true,
    metafile: true,
    platform: 'node',
    format: 'esm',
    target: `node${targetMajor}`,
    conditions: ['@scantling/source'],
    // Names stay, so that a stack trace can be read; what they would save is little beside the SDKs.
    minifyWhitespace: true,
    minifySyntax: true,
    keepNames: false,
    // The licences of everything inside stand in a file beside the bundle.
    legalComments: 'none',
    loader: { '.gz': 'binary' },
    plugins: [dataInside, credentialsOnly],
    define: { 'process.env.SCANTLING_COMMIT': JSON.stringify(commit()) },
    // Packages written for CommonJS ask for Node's modules by `require`.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  })
  return { file, metafile }
}
