/*
 * The form of a saved snapshot: JSON, with what JSON lacks under keys that no label, annotation or resource can have.
 *
 * | value | form |
 * |---|---|
 * | Map, Set | `{ "$map": [[key, value], …] }`, `{ "$set": [value, …] }` |
 * | NaN and the infinities | `{ "$number": "Infinity" }` |
 * | an object met more than once | `{ "$is": n, "$as": … }` where it comes first, then `{ "$ref": n }` |
 *
 * The last keeps thousands of pods of one shape small, and equal for planners, which compile by identity.
 */
export const savedApiVersion = 'scantling.sh/v1'
export const savedKind = 'Snapshot'
/** How every saved snapshot begins, so that it is known before it is parsed. */
export const savedOpening = `{"apiVersion":"${savedApiVersion}","kind":"${savedKind}","snapshot":{`
