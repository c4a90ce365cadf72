/**
 * `npm run azure-catalog -- AUTOSCALER KARPENTER`: writes packages/provider-azure/data/catalog.json.gz.
 *
 * Both are checkouts: of kubernetes/autoscaler, whose authors ask Azure for the sizes that there are, and of
 * Azure/karpenter-provider-azure, who ask for their list prices. Both are under Apache-2.0, and what is taken is facts.
 * Azure tells nobody without an account which zones sell a size, so that all zones of a region are taken to.
 */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import type { CatalogFile } from '@scantling/provider-azure'
import { root } from './step.ts'

const [autoscaler, karpenter] = process.argv.slice(2)
if (autoscaler === undefined || karpenter === undefined) {
  console.error('Name two checkouts: npm run azure-catalog -- AUTOSCALER KARPENTER')
  process.exit(2)
}

const typesFile = 'cluster-autoscaler/cloudprovider/azure/azure_instance_types.go'
const pricesFile = 'pkg/providers/pricing/zz_generated.pricing.go'
const readGo = (checkout: string, file: string) => fs.readFileSync(path.join(checkout, file), 'utf8')
const lastChangeOf = (checkout: string, file: string): string =>
  execFileSync('git', ['-C', checkout, 'log', '-1', '--format=%cs', '--', file], { encoding: 'utf8' }).trim()

/** Regions with availability zones. Source: https://learn.microsoft.com/azure/reliability/regions-list */
const zonal = new Set(
  `australiaeast austriaeast brazilsouth canadacentral centralindia centralus chilecentral eastasia eastus eastus2
   francecentral germanywestcentral indonesiacentral israelcentral italynorth japaneast japanwest koreacentral
   malaysiawest mexicocentral newzealandnorth northeurope norwayeast polandcentral qatarcentral southafricanorth
   southcentralus southeastasia spaincentral swedencentral switzerlandnorth uaenorth uksouth westeurope westus2
   westus3`.split(/\s+/),
)

const row =
  /InstanceType:\s+"(?<name>[^"]+)",\s+SkuFamily:\s+"(?<family>[^"]*)",\s+VCPU:\s+(?<vCpus>\d+),\s+MemoryMb:\s+(?<memory>\d+),\s+GPU:\s+(?<gpus>\d+),\s+Architecture:\s+"(?<arch>[^"]*)"/g
const types = [...readGo(autoscaler, typesFile).matchAll(row)]
  .map(({ groups = {} }): CatalogFile['types'][number] => ({
    name: groups['name'] ?? '',
    family: groups['family'] ?? '',
    vCpus: Number(groups['vCpus']),
    memoryMib: Number(groups['memory']),
    gpus: Number(groups['gpus']),
    arch: groups['arch'] === 'arm64' ? 'arm64' : 'amd64',
  }))
  .sort((a, b) => (a.name < b.name ? -1 : 1))
const known = new Set(types.map(({ name }) => name))

const prices = readGo(karpenter, pricesFile)
const generatedAt = /generated at (\d{4}-\d{2}-\d{2})/.exec(prices)?.[1] ?? lastChangeOf(karpenter, pricesFile)
const regions = Object.fromEntries(
  prices
    .split(/initialOnDemandPrices\["(?=[a-z0-9]+"\] = map)/)
    .slice(1)
    .map((block) => {
      const region = block.slice(0, block.indexOf('"'))
      const sold = [...block.matchAll(/"(Standard_[^"]+)":\s+([\d.]+)/g)].flatMap(([, name = '', price]) =>
        known.has(name) && Number(price) > 0 ? [[name, Number(price)] as const] : [],
      )
      return [region, { zones: zonal.has(region) ? ['1', '2', '3'] : [], prices: Object.fromEntries(sold) }] as const
    })
    .filter(([, { prices: sold }]) => Object.keys(sold).length > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1)),
)

const catalog: CatalogFile = {
  version: 1,
  sources: {
    types: {
      from: 'kubernetes/autoscaler, as Azure told its authors',
      license: 'Apache-2.0',
      date: lastChangeOf(autoscaler, typesFile),
    },
    zones: {
      from: 'Azure’s list of regions with availability zones; their sizes are taken to be sold in all three',
      license: 'facts',
      date: '2026-11-21',
    },
    prices: {
      from: 'Azure’s list prices, as Azure/karpenter-provider-azure publishes them',
      license: 'Apache-2.0',
      date: generatedAt,
    },
    capabilities: {
      from: 'names of sizes, by Azure’s naming conventions',
      license: 'facts',
      date: lastChangeOf(autoscaler, typesFile),
    },
  },
  types,
  regions,
}
const target = path.join(root, 'packages/provider-azure/data/catalog.json.gz')
fs.mkdirSync(path.dirname(target), { recursive: true })
fs.writeFileSync(target, gzipSync(JSON.stringify(catalog), { level: 9 }))
console.log(`${types.length} types, ${Object.keys(regions).length} regions, ${fs.statSync(target).size} bytes`)
