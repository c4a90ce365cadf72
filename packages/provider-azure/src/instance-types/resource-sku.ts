interface Capability {
  readonly name?: string
  readonly value?: string
}

/** A row of the list of SKUs, as ARM sends it; what of it is read. */
export interface ResourceSku {
  readonly resourceType?: string
  readonly name?: string
  readonly size?: string
  readonly family?: string
  readonly capabilities?: ReadonlyArray<Capability>
  readonly locationInfo?: ReadonlyArray<{
    readonly location?: string
    readonly zones?: ReadonlyArray<string>
    readonly zoneDetails?: ReadonlyArray<{
      readonly name?: ReadonlyArray<string>
      readonly capabilities?: ReadonlyArray<Capability>
    }>
  }>
  readonly restrictions?: ReadonlyArray<{
    readonly type?: string
    readonly values?: ReadonlyArray<string>
    readonly restrictionInfo?: { readonly zones?: ReadonlyArray<string> }
  }>
}

/** Capabilities of a SKU by name; names are compared as they stand, values of switches without case. */
export const readCapabilities = (list: ReadonlyArray<Capability> = []) => {
  const byName = new Map(list.flatMap(({ name, value }) => (name === undefined ? [] : [[name, value ?? ''] as const])))
  return {
    /** Undefined where there is no such number. */
    number: (name: string): number | undefined => {
      const value = byName.get(name)
      return value === undefined || value.trim() === '' || !Number.isFinite(Number(value)) ? undefined : Number(value)
    },
    text: (name: string): string | undefined => byName.get(name),
    isOn: (name: string): boolean => byName.get(name)?.toLowerCase() === 'true',
    includes: (name: string, part: string): boolean =>
      byName.get(name)?.toLowerCase().replaceAll(' ', '').includes(part.toLowerCase()) === true,
  }
}

/** Regions are written `West US 2` as well as `westus2`. */
export const isSameLocation = (one: string, other: string): boolean => locationOf(one) === locationOf(other)

export const locationOf = (text: string): string => text.toLowerCase().replaceAll(' ', '')
