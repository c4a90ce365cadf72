import { Time, type JsonObject } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import type { Kubelet, LinuxOsConfig, LocalDns } from '../node-class/index.ts'
import { mebibytesOf } from './os-config.ts'

/**
 * Settings of a class in the form that AKS takes, from the bootstrapping service and on machines alike.
 */

const mostPids = 2 ** 31 - 1

/** The kubelet’s settings; nothing where the class has none (Z-MACH-12, Z-NPS-03). */
export const aksKubeletConfig = (kubelet: Kubelet | undefined): JsonObject | undefined => {
  if (kubelet === undefined) return undefined
  const { imageGCHighThresholdPercent: high, imageGCLowThresholdPercent: low, podPidsLimit, failSwapOn } = kubelet
  const sysctls = kubelet.allowedUnsafeSysctls ?? []
  const periodMs = Time.parseDuration(kubelet.cpuCFSQuotaPeriod)
  return {
    cpuManagerPolicy: kubelet.cpuManagerPolicy,
    cpuCfsQuota: kubelet.cpuCFSQuota,
    ...(E.isRight(periodMs) && periodMs.right !== 0 && { cpuCfsQuotaPeriod: kubelet.cpuCFSQuotaPeriod }),
    topologyManagerPolicy: kubelet.topologyManagerPolicy,
    ...(high !== undefined && { imageGcHighThreshold: high }),
    ...(low !== undefined && { imageGcLowThreshold: low }),
    ...(sysctls.length > 0 && { allowedUnsafeSysctls: sysctls }),
    containerLogMaxSizeMB: mebibytesOf(kubelet.containerLogMaxSize),
    containerLogMaxFiles: kubelet.containerLogMaxFiles,
    ...(podPidsLimit !== undefined && { podMaxPids: Math.max(-1, Math.min(podPidsLimit, mostPids)) }),
    ...(failSwapOn !== undefined && { failSwapOn }),
  }
}

/** Swap, huge pages and kernel settings; nothing where the class has none (Z-MACH-13, Z-NPS-03). */
export const aksLinuxOsConfig = (config: LinuxOsConfig | undefined): JsonObject | undefined => {
  if (config === undefined) return undefined
  const { swapFileSize, transparentHugePageEnabled, transparentHugePageDefrag, sysctls } = config
  return {
    ...(swapFileSize !== undefined && { swapFileSizeMB: mebibytesOf(swapFileSize) }),
    ...(transparentHugePageEnabled !== undefined && { transparentHugePageEnabled }),
    ...(transparentHugePageDefrag !== undefined && { transparentHugePageDefrag }),
    ...(sysctls !== undefined && {
      sysctls: Object.fromEntries(Object.entries(sysctls).map(([name, value]) => [aksSysctlName(name), value])),
    }),
  }
}

// AKS writes abbreviations as words, and one of them half as one.
const aksSysctlName = (name: string): string =>
  name
    .replace('IPv4', 'Ipv4')
    .replace('IPLocal', 'IpLocal')
    .replace('TCPKeepaliveIntvl', 'TcpkeepaliveIntvl')
    .replace('TCP', 'Tcp')

/** Local DNS, with durations in seconds and zones by name. */
export const aksLocalDnsProfile = (localDns: LocalDns | undefined): JsonObject | undefined =>
  localDns && {
    mode: localDns.mode,
    vnetDNSOverrides: zonesOf(localDns.vnetDNSOverrides),
    kubeDNSOverrides: zonesOf(localDns.kubeDNSOverrides),
  }

const zonesOf = (overrides: LocalDns['kubeDNSOverrides']): JsonObject =>
  Object.fromEntries(
    overrides.map(({ zone, cacheDuration, serveStaleDuration, ...rest }) => [
      zone,
      {
        ...rest,
        cacheDurationInSeconds: secondsOf(cacheDuration),
        serveStaleDurationInSeconds: secondsOf(serveStaleDuration),
      },
    ]),
  )

const secondsOf = (duration: string): number => {
  const parsed = Time.parseDuration(duration)
  return E.isRight(parsed) ? Math.trunc(parsed.right / 1000) : 0
}
