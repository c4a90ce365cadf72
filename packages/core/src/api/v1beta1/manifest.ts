/** An object as a manifest states it, before decoding. */
export type Manifest = Readonly<Record<string, unknown>>

export const isManifest = (input: unknown): input is Manifest =>
  typeof input === 'object' && input !== null && !Array.isArray(input)

/** The object under a field; `undefined` where there is none. */
export const objectAt = (manifest: Manifest | undefined, field: string): Manifest | undefined => {
  const value = manifest !== undefined && Object.hasOwn(manifest, field) ? manifest[field] : undefined
  return isManifest(value) ? value : undefined
}

export const textAt = (manifest: Manifest | undefined, field: string): string | undefined => {
  const value = manifest !== undefined && Object.hasOwn(manifest, field) ? manifest[field] : undefined
  return typeof value === 'string' ? value : undefined
}

export const without = (manifest: Manifest, ...fields: ReadonlyArray<string>): Manifest =>
  Object.fromEntries(Object.entries(manifest).filter(([field]) => !fields.includes(field)))

/** The group of an `apiVersion`; the core group is empty. */
export const groupOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
