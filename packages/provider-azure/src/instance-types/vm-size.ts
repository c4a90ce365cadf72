/**
 * A VM size, taken apart by Azure's naming conventions (Z-IT-04).
 *
 * Source: https://learn.microsoft.com/azure/virtual-machines/vm-naming-conventions
 */
export interface VmSize {
  /** One letter, such as `D`. */
  readonly family: string
  readonly subfamily: string
  readonly cpus: number
  /** Less than `cpus` are switched on: the `-8` of `M16-8ms`. */
  readonly constrainedCpus?: number
  readonly features: string
  /** Such as `A100`. */
  readonly accelerator?: string
  /** `2` of `_v2`; `1` where the name has none. */
  readonly version: string
  /** Family, subfamily, features and version: `NCads_v4`. */
  readonly series: string
}

// Infixes that are none of the above: what belongs to a child of a confidential VM, and variants of single vendors.
const infix = String.raw`(?:_(?:cc|\d+|NDR|noib|flex|xl|MI300X|H100|H200|GB200|GB300|RTXPRO6000BSE))*`

const grammar = new RegExp(
  String.raw`^(?<family>[A-Z])(?<subfamily>[A-Z]{0,2}?)(?<cpus>\d+)(?:-(?<constrained>\d+))?(?<features>[a-zC]*|NP)` +
    String.raw`(?:_(?<accelerator>[A-Z]\d+))?${infix}(?:_?(?<version>[vV][1-9]))?(?<promo>_Promo)?$`,
)

/**
 * Reads a size, without the `Standard_`; `undefined` for one that follows no convention.
 *
 * @example
 * parseVmSize('NC24ads_A100_v4')?.series // => 'NCads_v4'
 */
export const parseVmSize = (size: string): VmSize | undefined => {
  const groups = grammar.exec(size)?.groups
  if (groups === undefined) return undefined
  const { family = '', subfamily = '', cpus = '', constrained, features = '', accelerator, version } = groups
  return {
    family,
    subfamily,
    cpus: Number(cpus),
    ...(constrained !== undefined && { constrainedCpus: Number(constrained) }),
    features,
    ...(accelerator !== undefined && { accelerator }),
    version: version?.slice(1) ?? '1',
    series: `${family}${subfamily}${features}${version === undefined ? '' : `_${version}`}`,
  }
}
