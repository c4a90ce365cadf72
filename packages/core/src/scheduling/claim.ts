import type { HostPort } from '../cluster/index.ts'
import type { Bitset } from '../internal/index.ts'
import type { RequirementSet } from '../topology/index.ts'
import type { Template } from './template.ts'

/**
 * A node to be launched, as far as it is decided: every type in `variants` is still possible (P-INF-01).
 *
 * Requirements only narrow, types only fall away and requests only grow.
 */
export class Claim {
  readonly index: number
  readonly template: Template
  /** Its placeholder, and the placeholder's index among hostnames. */
  readonly hostname: string
  readonly host: number
  set: RequirementSet
  variants: Bitset
  /** Requests of the pods, without daemons (P-DMN-06). */
  readonly requests: Float64Array
  /** By resource, the most that any remaining type has left: a pod that asks for more cannot fit. */
  readonly headroom: Float64Array
  readonly pods: Array<number> = []
  readonly hostPorts: Array<HostPort> = []
  /** CSI driver → claims that its pods attach. */
  readonly attached = new Map<string, Set<string>>()
  reserved: ReadonlySet<string> = new Set()
  hasRelaxedMinValues = false
  /** Grows with every pod added. */
  version = 0

  constructor(
    template: Template,
    identity: { readonly index: number; readonly hostname: string; readonly host: number },
    start: { readonly variants: Bitset; readonly headroom?: Float64Array },
  ) {
    this.index = identity.index
    this.hostname = identity.hostname
    this.host = identity.host
    this.template = template
    this.set = template.set
    this.variants = start.variants
    this.requests = new Float64Array(template.usable.length)
    this.headroom = start.headroom?.slice() ?? new Float64Array(template.usable.length)
    if (start.headroom === undefined) this.#measure()
  }

  /** Takes a pod's requests and leaves the types that still fit. */
  shrink(set: RequirementSet, variants: Bitset, requests: Float64Array): void {
    this.set = set
    this.version += 1
    let isSame = true
    for (let word = 0; word < variants.length; word += 1) {
      if (variants[word] !== this.variants[word]) isSame = false
    }
    for (let resource = 0; resource < requests.length; resource += 1) {
      this.requests[resource]! += requests[resource]!
      this.headroom[resource]! -= requests[resource]!
    }
    if (isSame) return
    this.variants = variants.slice()
    this.#measure()
  }

  #measure(): void {
    const { usable } = this.template
    for (let resource = 0; resource < usable.length; resource += 1) {
      const amounts = usable[resource]!
      let most = Number.NEGATIVE_INFINITY
      for (let word = 0; word < this.variants.length; word += 1) {
        for (let bits = this.variants[word]!; bits !== 0; bits = (bits & (bits - 1)) >>> 0) {
          const amount = amounts[(word << 5) + (31 - Math.clz32(bits & -bits))]!
          if (amount > most) most = amount
        }
      }
      this.headroom[resource] = most - this.requests[resource]!
    }
  }
}
