/**
 * `npm run aws-catalog -- MOTO`: writes packages/provider-aws/data/catalog.json.gz from an installed moto.
 *
 * MOTO is the folder of the Python package, such as ~/.cache/scantling/moto-…/lib/python3.11/site-packages/moto, where
 * `npm run e2e:aws` puts it. Shapes and zones are what EC2 told moto's authors (Apache-2.0). AWS' price list has no
 * licence to pass it on, so prices are made up from processors, memory and accelerators, and say so.
 */
import fs from 'node:fs'
import path from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { CatalogFile } from '@scantling/provider-aws'
import { root } from './step.ts'

const [moto] = process.argv.slice(2)
if (moto === undefined) {
  console.error('Name the folder of moto: npm run aws-catalog -- FOLDER')
  process.exit(2)
}
const resources = path.join(moto, 'ec2/resources')
const readJson = (file: string): unknown =>
  JSON.parse(gunzipSync(fs.readFileSync(path.join(resources, file))).toString())

// What the provider reads of a type; the rest is two thirds of the file.
const fields = [
  'InstanceType',
  'SupportedUsageClasses',
  'SupportedVirtualizationTypes',
  'BareMetal',
  'Hypervisor',
  'ProcessorInfo',
  'VCpuInfo',
  'MemoryInfo',
  'InstanceStorageSupported',
  'InstanceStorageInfo',
  'EbsInfo',
  'NetworkInfo',
  'GpuInfo',
  'FpgaInfo',
  'PlacementGroupInfo',
  'InferenceAcceleratorInfo',
  'MediaAcceleratorInfo',
  'NeuronInfo',
  'NitroEnclavesSupport',
]
type Row = Readonly<Record<string, unknown>> & {
  readonly InstanceType: string
  readonly VCpuInfo?: { readonly DefaultVCpus?: number }
  readonly MemoryInfo?: { readonly SizeInMiB?: number }
  readonly GpuInfo?: { readonly Gpus?: ReadonlyArray<{ readonly Count?: number }> }
  readonly NeuronInfo?: { readonly NeuronDevices?: ReadonlyArray<{ readonly Count?: number }> }
  readonly ProcessorInfo?: { readonly SupportedArchitectures?: ReadonlyArray<string> }
  readonly SupportedVirtualizationTypes?: ReadonlyArray<string>
}
const rows = Object.values(readJson('instance_types.json.gz') as Readonly<Record<string, Row>>)
  // The same types that the provider asks EC2 for.
  .filter(
    ({ ProcessorInfo, SupportedVirtualizationTypes }) =>
      (SupportedVirtualizationTypes ?? ['hvm']).includes('hvm') &&
      ProcessorInfo?.SupportedArchitectures?.some(
        (architecture) => architecture === 'x86_64' || architecture === 'arm64',
      ),
  )
  .sort((a, b) => (a.InstanceType < b.InstanceType ? -1 : 1))
const known = new Set(rows.map(({ InstanceType }) => InstanceType))

const countOf = (devices: ReadonlyArray<{ readonly Count?: number }> = []): number =>
  devices.reduce((sum, { Count = 0 }) => sum + Count, 0)

/** Per hour, and no price of anybody's: types come in the order in which real prices have them, roughly. */
const priceOf = ({ VCpuInfo, MemoryInfo, GpuInfo, NeuronInfo, ProcessorInfo }: Row): number => {
  const perCpu = ProcessorInfo?.SupportedArchitectures?.includes('arm64') ? 0.02 : 0.024
  const cpus = (VCpuInfo?.DefaultVCpus ?? 1) * perCpu
  const memory = ((MemoryInfo?.SizeInMiB ?? 512) / 1024) * 0.0032
  return (
    Math.round((cpus + memory + (countOf(GpuInfo?.Gpus) + countOf(NeuronInfo?.NeuronDevices)) * 0.9) * 10_000) / 10_000
  )
}

const places = path.join(resources, 'instance_type_offerings/availability-zone')
const regions = Object.fromEntries(
  fs
    .readdirSync(places)
    .sort()
    .flatMap((file) => {
      const offered = readJson(path.join('instance_type_offerings/availability-zone', file)) as ReadonlyArray<{
        readonly InstanceType: string
        readonly Location: string
      }>
      const own = offered.filter(({ InstanceType }) => known.has(InstanceType))
      if (own.length === 0) return []
      const zones = [...new Set(own.map(({ Location }) => Location))].sort()
      const sold: Record<string, number> = {}
      for (const { InstanceType, Location } of own.toSorted((a, b) => (a.InstanceType < b.InstanceType ? -1 : 1)))
        sold[InstanceType] = (sold[InstanceType] ?? 0) | (1 << zones.indexOf(Location))
      return [[file.replace('.json.gz', ''), { zones, sold }] as const]
    }),
)
// Of what day the figures of a release are: that of the commit that last brought them, as moto's history tells.
const recordedOn = new Map([['5.2.1', '2026-05-01']])
const version = /moto-(\d[\d.]*)\.dist-info/.exec(fs.readdirSync(path.dirname(moto)).join(' '))?.[1] ?? ''
const date = recordedOn.get(version)
if (date === undefined) {
  console.error(
    `Cannot date the figures of moto ${version}: add the day of their last commit to recordedOn in this tool`,
  )
  process.exit(1)
}
const recorded = { from: `moto ${version}, as EC2 told its authors`, license: 'Apache-2.0', date }
const catalog: CatalogFile = {
  version: 1,
  sources: {
    types: recorded,
    offerings: recorded,
    prices: {
      from: 'made up from processors, memory and accelerators by tools/aws-catalog.ts, and no price of AWS',
      license: 'Apache-2.0',
      date,
    },
  },
  types: rows.map((row) => Object.fromEntries(fields.flatMap((field) => (field in row ? [[field, row[field]]] : [])))),
  regions,
  prices: { onDemand: Object.fromEntries(rows.map((row) => [row.InstanceType, priceOf(row)])), spotShare: 0.35 },
}
const target = path.join(root, 'packages/provider-aws/data/catalog.json.gz')
fs.mkdirSync(path.dirname(target), { recursive: true })
fs.writeFileSync(target, gzipSync(JSON.stringify(catalog), { level: 9 }))
console.log(`${rows.length} types, ${Object.keys(regions).length} regions, ${fs.statSync(target).size} bytes`)
