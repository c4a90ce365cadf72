const encoded = new WeakMap<object, Buffer>()

/**
 * The JSON of a stored object as bytes, made once and shared by every list and watcher for as long as the object lives.
 *
 * Safe because stored objects never change.
 */
export const jsonBytes = (object: object): Buffer => {
  let bytes = encoded.get(object)
  if (bytes === undefined) {
    bytes = Buffer.from(JSON.stringify(object))
    encoded.set(object, bytes)
  }
  return bytes
}

const comma = Buffer.from(',')

/** A list document around items that are already encoded. Cost: one copy of the bytes. */
export const listBytes = (head: object, items: ReadonlyArray<object>): Buffer => {
  const opening = Buffer.from(`${JSON.stringify(head).slice(0, -1)},"items":[`)
  const parts: Buffer[] = [opening]
  items.forEach((item, index) => {
    if (index > 0) parts.push(comma)
    parts.push(jsonBytes(item))
  })
  parts.push(Buffer.from(']}\n'))
  return Buffer.concat(parts)
}
