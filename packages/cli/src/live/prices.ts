import { readFileSync } from 'node:fs'
import { labelKeys, Offerings, type InstanceType, type Labels } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'

/** What a machine with these labels costs per hour; `undefined` where nobody says. */
export type PriceOf = (labels: Labels) => number | undefined

/** Where the simulated provider states the price, as eks-node-viewer reads it. */
const priceLabel = 'eks-node-viewer/instance-price'

/** Prices by the offerings of a catalogue. */
export const pricesOfTypes = (types: ReadonlyArray<InstanceType>): PriceOf => {
  const byName = new Map(types.map((type) => [type.name, type]))
  return (labels) => {
    const type = byName.get(labels[labelKeys.instanceType] ?? '')
    const zone = labels[labelKeys.zone]
    const capacityType = labels[labelKeys.capacityType]
    if (type === undefined || zone === undefined || capacityType === undefined) return undefined
    return Offerings.offeringIn(type, { zone, capacityType })?.pricePerHour
  }
}

/** The price that a Node states itself. */
export const statedPrice: PriceOf = (labels) => {
  const price = Number(labels[priceLabel])
  return Object.hasOwn(labels, priceLabel) && price >= 0 ? price : undefined
}

/** The first of several that knows. */
export const firstKnown =
  (...sources: ReadonlyArray<PriceOf>): PriceOf =>
  (labels) => {
    for (const source of sources) {
      const price = source(labels)
      if (price !== undefined) return price
    }
    return undefined
  }

/**
 * Prices of a file of lines: instance type, price per hour, and where it matters capacity type and zone.
 *
 * Errors: a sentence for each line that cannot be read.
 *
 * @example
 * parsePrices('prices.txt', 'm7i.large 0.1008 on-demand\nm7i.large 0.0391 spot us-east-1a')
 */
export const parsePrices = (name: string, text: string): E.Either<ReadonlyArray<string>, PriceOf> => {
  const prices = new Map<string, number>()
  const problems: Array<string> = []
  for (const [index, line] of text.split('\n').entries()) {
    const [type, price, capacityType = '', zone = '', ...more] = line
      .replace(/#.*/, '')
      .trim()
      .split(/[\s,]+/)
    if (type === undefined || type === '') continue
    const amount = Number(price)
    if (price === undefined || !(amount >= 0) || more.length > 0)
      problems.push(
        `${name}, line ${index + 1}: Cannot read ${JSON.stringify(line.trim())}: expected TYPE PRICE [CAPACITY-TYPE [ZONE]], such as "m7i.large 0.1008 on-demand"`,
      )
    else prices.set(`${type} ${capacityType} ${zone}`, amount)
  }
  if (problems.length > 0) return E.left(problems)
  return E.right((labels) => {
    const type = labels[labelKeys.instanceType] ?? ''
    const capacityType = labels[labelKeys.capacityType] ?? ''
    const zone = labels[labelKeys.zone] ?? ''
    return (
      prices.get(`${type} ${capacityType} ${zone}`) ?? prices.get(`${type} ${capacityType} `) ?? prices.get(`${type}  `)
    )
  })
}

/** The prices of `--prices FILE`. */
export const pricesInFile = (path: string): E.Either<ReadonlyArray<string>, PriceOf> => {
  try {
    return parsePrices(path, readFileSync(path, 'utf8'))
  } catch {
    return E.left([`Cannot read prices ${path}: there is no such file`])
  }
}
