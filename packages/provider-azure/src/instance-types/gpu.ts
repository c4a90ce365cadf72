/** Operating systems as the list of supported sizes names them. */
type GpuOs = 'ubuntu' | 'azurelinux' | 'azurelinux3'

interface GpuSizes {
  readonly manufacturer: 'nvidia' | 'amd'
  readonly os: ReadonlyArray<GpuOs>
  readonly sizes: string
}

/**
 * Sizes with GPUs that AKS supports, in lower case and without `standard_` (Z-GPU-01).
 *
 * Source: https://learn.microsoft.com/azure/aks/use-nvidia-gpu and use-amd-gpus, as the reference lists them in 2026-06.
 */
const supported: ReadonlyArray<GpuSizes> = [
  {
    manufacturer: 'nvidia',
    os: ['ubuntu', 'azurelinux3'],
    sizes: `nc8ads_a10_v4 nc16ads_a10_v4 nc32ads_a10_v4 nc24ads_a100_v4 nc48ads_a100_v4 nc96ads_a100_v4
      nc40ads_h100_v5 nc80adis_h100_v5 nd96asr_v4 nd96ams_v4 nd112asr_a100_v4 nd120asr_a100_v4 nd112amsr_a100_v4
      nd120amsr_a100_v4 nd96ams_a100_v4 nd96amsr_a100_v4 nd96amsf_a100_v4 nd96amsrf_a100_v4 nd96ams_a100_flex_v4
      nd96is_h100_v5 nd96isr_h100_v5 nd96isf_h100_v5 nd96isrf_h100_v5 nd96is_flex_h100_v5 nd96is_noib_h100_v5
      nd96is_h200_v5 nd96isr_h200_v5 nd96isf_h200_v5 nd96isrf_h200_v5
      nv6ads_a10_v5 nv12ads_a10_v5 nv18ads_a10_v5 nv36ads_a10_v5 nv36adms_a10_v5 nv72ads_a10_v5`,
  },
  {
    manufacturer: 'nvidia',
    os: ['ubuntu', 'azurelinux', 'azurelinux3'],
    sizes: `nc4as_t4_v3 nc8as_t4_v3 nc16as_t4_v3 nc64as_t4_v3 nc6s_v3 nc12s_v3 nc24s_v3 nc24rs_v3 nd40s_v3 nd40rs_v2`,
  },
  {
    manufacturer: 'nvidia',
    os: ['ubuntu'],
    sizes: `nc6 nc12 nc24 nc24r nc6_promo nc12_promo nc24_promo nc24r_promo nc6s_v2 nc12s_v2 nc24s_v2 nc24rs_v2
      nd6s nd12s nd24s nd24rs nv6 nv12 nv24 nv24r nv6_promo nv12_promo nv24_promo nv12s_v3 nv24s_v3 nv48s_v3
      nc24lds_xl_rtxpro6000bse_v6 nc36ds_xl_rtxpro6000bse_v6 nc36lds_xl_rtxpro6000bse_v6 nc72ds_xl_rtxpro6000bse_v6
      nc72lds_xl_rtxpro6000bse_v6 nc144ds_xl_rtxpro6000bse_v6 nc144lds_xl_rtxpro6000bse_v6
      nc288ds_xl_rtxpro6000bse_v6 nc288lds_xl_rtxpro6000bse_v6 nd128isr_ndr_gb200_v6 nd128isr_gb300_v6`,
  },
  {
    manufacturer: 'amd',
    os: ['ubuntu'],
    sizes: `nd96is_mi300x_v5 nd96isr_mi300x_v5 nv4ads_v710_v5 nv8ads_v710_v5 nv12ads_v710_v5 nv24ads_v710_v5
      nv28adms_v710_v5`,
  },
]

const bySize: ReadonlyMap<string, GpuSizes> = new Map(
  supported.flatMap((group) => group.sizes.split(/\s+/).map((size) => [size, group] as const)),
)

const normalized = (name: string): string => name.toLowerCase().replace(/^standard_/, '')

const find = (name: string): GpuSizes | undefined => bySize.get(normalized(name).replace(/_promo$/, ''))

/** How many sizes are listed. */
export const gpuSizeCount = bySize.size

/** Who made the GPUs of a size; `undefined` for a size without, or with ones that AKS does not support. */
export const gpuManufacturerOf = (name: string): 'nvidia' | 'amd' | undefined => find(name)?.manufacturer

/** Whether nodes of the family can use the GPUs of the size; of a size without GPUs, always (Z-IT-06). */
export const isGpuSupportedOn = (name: string, imageFamily: string): boolean => {
  const found = find(name)
  if (found === undefined) return true
  if (imageFamily.startsWith('Ubuntu')) return found.os.includes('ubuntu')
  return imageFamily === 'AzureLinux' && found.os.some((os) => os !== 'ubuntu')
}

export type GpuDriverType = 'grid-v20' | 'grid' | 'cuda' | 'cuda-lts'

/** The driver that nodes of a size install (Z-GPU-02). */
export const gpuDriverTypeOf = (name: string): GpuDriverType => {
  const size = normalized(name)
  if (size.includes('_rtxpro6000bse_')) return 'grid-v20'
  // Sizes for graphics and computing at once.
  if (/^n[vc].*_a10_v[45]$/.test(size)) return 'grid'
  return /^nc(?!.*_v)/.test(size) ? 'cuda' : 'cuda-lts'
}

/** Version of each driver and suffix of the image that installs it; those of AKS' node images of 2026-06 (Z-GPU-03). */
export const gpuDrivers: Readonly<Record<GpuDriverType, { readonly version: string; readonly imageSuffix: string }>> = {
  'grid-v20': { version: '595.58.03', imageSuffix: '20260609172331' },
  grid: { version: '570.211.01', imageSuffix: '20260522192315' },
  cuda: { version: '470.82.01', imageSuffix: '20260629214430' },
  'cuda-lts': { version: '580.159.04', imageSuffix: '20260629214430' },
}
