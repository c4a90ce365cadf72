import { mkdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'

/*
 * `npm run bundle [-- aws kwok]`: one self-contained file for each provider, `dist/scantling-controller-<provider>.mjs`,
 * which needs Node 24 and nothing else.
 */
const root = resolve(import.meta.dirname, '..')
const all = ['aws', 'kwok']

/** Node's major version that the bundles are made for, and that the image must have. */
const target = 'node24'

const unknown = process.argv.slice(2).filter((name) => !all.includes(name))
if (unknown.length > 0) {
  process.stderr.write(`Cannot bundle ${unknown.join(', ')}: there are aws and kwok\n`)
  process.exit(2)
}
mkdirSync(join(root, 'dist'), { recursive: true })
const named = process.argv.slice(2)
for (const name of named.length === 0 ? all : named) {
  const outfile = join(root, 'dist', `scantling-controller-${name}.mjs`)
  await build({
    entryPoints: [join(import.meta.dirname, 'entries', `${name}.ts`)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target,
    conditions: ['@scantling/source'],
    // Names stay, so that a stack trace can be read; what they would save is little beside the SDKs.
    minifyWhitespace: true,
    minifySyntax: true,
    keepNames: false,
    legalComments: 'none',
    // Packages written for CommonJS ask for Node's modules by `require`.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  })
  process.stdout.write(`${outfile.slice(root.length + 1)} ${Math.round(statSync(outfile).size / 1024)} KB\n`)
}
