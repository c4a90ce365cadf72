import fs from 'node:fs'

import { compare } from './compare.ts'

const [file] = process.argv.slice(2)
const listed = file === undefined ? undefined : (JSON.parse(fs.readFileSync(file, 'utf8')) as { items: Array<object> })

const { today, tomorrow } = compare(listed?.items)
const line = (name: string, { nodes, unplaced, pricePerHour }: typeof today) => {
  const homeless = unplaced === 0 ? '' : `, and ${unplaced} pod(s) without a place`
  return `${name.padEnd(14)} ${nodes} node(s)  ${pricePerHour.toFixed(4)} an hour${homeless}`
}
console.log(line('x86 on-demand', today))
console.log(line('ARM64 on spot', tomorrow))
console.log(`Saved: ${Math.round(100 * (1 - tomorrow.pricePerHour / today.pricePerHour))} %`)
