import { describe, expect, test } from '@jest/globals'
import type { MachineRow, Picture } from './picture.ts'
import { renderCounts, renderMachines, renderScene } from './render.ts'

const machine = (index: number): MachineRow => ({
  name: `ip-10-0-0-${index}.us-west-2.compute.internal`,
  nodePool: 'default',
  instanceType: 'c6a.4xlarge',
  capacityType: 'spot',
  zone: 'us-west-2b',
  pricePerHour: 0.1781,
  stage: 'ready',
  cpu: 0.756,
  memory: 0.11,
  pods: 12,
})
const picture = (count: number): Picture => ({
  machines: Array.from({ length: count }, (_, index) => machine(index)),
  pods: { pending: 1, starting: 2, running: 3, leaving: 0 },
  pricePerHour: count * 0.1781,
})
const frame = { columns: 140, rows: 30, colour: false }

describe('the tour on a screen', () => {
  test('counts pods and nodes and says the price', () => {
    expect(renderCounts(picture(2))).toBe('pods: 1 pending, 2 starting, 3 running · nodes: 2 · $0.3562/h')
  })

  test('shows a machine with its price and how full it is', () => {
    const [, row] = renderMachines([machine(7)], frame)
    expect(row).toContain('ip-10-0-0-7 ')
    expect(row).toContain('c6a.4xlarge     spot       us-west-2b   0.1781   ready')
    expect(row).toContain('████████░░  76%')
  })

  test('never outgrows the terminal, and says how much it hides', () => {
    for (const rows of [12, 24, 50]) {
      const scene = {
        title: 'A step',
        text: ['One line'],
        picture: picture(200),
        log: Array.from({ length: 300 }, () => 'x'.repeat(500)),
        footer: 'kubectl',
      }
      const lines = renderScene(scene, { ...frame, rows })
      expect(lines.length).toBeLessThanOrEqual(Math.max(rows, 20))
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(frame.columns)
      expect(lines.join('\n')).toMatch(/and \d+ more/)
    }
  })

  test('colours only where colours are known', () => {
    expect(renderMachines([machine(1)], frame).join('')).not.toContain('\u001B')
    expect(renderMachines([machine(1)], { ...frame, colour: true }).join('')).toContain('\u001B[32m')
  })
})
