import { compare } from './compare.ts'

const { today, tomorrow } = compare()
const line = (name: string, { nodes, pricePerHour }: typeof today) =>
  `${name.padEnd(14)} ${nodes} node(s)  ${pricePerHour.toFixed(4)} an hour`
console.log(line('x86 on-demand', today))
console.log(line('ARM64 on spot', tomorrow))
console.log(`Saved: ${Math.round(100 * (1 - tomorrow.pricePerHour / today.pricePerHour))} %`)
