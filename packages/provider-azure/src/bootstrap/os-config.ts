import { Quantity } from '@scantling/core'
import { sysctlRanges, type LinuxOsConfig } from '../node-class/index.ts'

/** Settings of the kernel that every node has (Z-BOOT-11); a class may set others beside and over them. */
const baseSysctls: Readonly<Record<string, string>> = {
  // Connections to a peer that is gone end within minutes: https://github.com/kubernetes/kubernetes/issues/41916
  'net.ipv4.tcp_retries2': '8',
  'net.core.message_burst': '80',
  'net.core.message_cost': '40',
  'net.core.somaxconn': '16384',
  'net.ipv4.tcp_max_syn_backlog': '16384',
  'net.ipv4.neigh.default.gc_thresh1': '4096',
  'net.ipv4.neigh.default.gc_thresh2': '8192',
  'net.ipv4.neigh.default.gc_thresh3': '16384',
}

/** The settings of a node’s kernel, one a line. */
export const sysctlsOf = (config: LinuxOsConfig | undefined): string => {
  const settings = new Map(Object.entries(baseSysctls))
  const { netIPv4IPLocalPortRange: ports, netIPv4TCPTwReuse: reuse, ...ranged } = config?.sysctls ?? {}
  for (const [name, value] of Object.entries(ranged))
    settings.set(sysctlRanges[name as keyof typeof sysctlRanges][0], String(value))
  if (ports !== undefined) settings.set('net.ipv4.ip_local_port_range', ports)
  if (reuse !== undefined) settings.set('net.ipv4.tcp_tw_reuse', reuse ? '1' : '0')
  return [...settings].map(([name, value]) => `${name}=${value}\n`).join('')
}

/** A size in whole MiB, rounded, as AKS takes it. */
export const mebibytesOf = (size: string): number => Math.round(Quantity.toNumber(Quantity.of(size)) / 2 ** 20)

/** What is set up of swap and huge pages before the kubelet starts. */
export const swapAndHugePagesOf = (config: LinuxOsConfig | undefined) => {
  const { swapFileSize, transparentHugePageEnabled = '', transparentHugePageDefrag = '' } = config ?? {}
  return {
    swapFileMib: swapFileSize === undefined ? 0 : mebibytesOf(swapFileSize),
    hugePagesEnabled: transparentHugePageEnabled,
    hugePagesDefrag: transparentHugePageDefrag,
  }
}
