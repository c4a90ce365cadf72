import { describe, expect, test } from '@jest/globals'

import { portsClash } from './host-ports.ts'

const port = (ip: string, number = 80, protocol = 'TCP') => ({ ip, port: number, protocol })

describe('portsClash', () => {
  test('P-HPT-02: equal port and protocol clash on one address, or where either address is unspecified', () => {
    expect(portsClash(port('10.0.0.1'), port('10.0.0.1'))).toBe(true)
    expect(portsClash(port('10.0.0.1'), port('10.0.0.2'))).toBe(false)
    expect(portsClash(port('0.0.0.0'), port('10.0.0.2'))).toBe(true)
    expect(portsClash(port('10.0.0.1'), port('::'))).toBe(true)
    expect(portsClash(port('0.0.0.0'), port('0.0.0.0', 81))).toBe(false)
    expect(portsClash(port('0.0.0.0'), port('0.0.0.0', 80, 'UDP'))).toBe(false)
  })
})
