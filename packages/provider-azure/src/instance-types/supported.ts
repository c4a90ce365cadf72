import { hasLocalDns, hasTrustedLaunch, installsGpuDriver, type AksNodeClass } from '../node-class/index.ts'
import { isGpuSupportedOn } from './gpu.ts'
import type { Sku } from './sku.ts'

// 256 MB; the reference rounds down.
const localDnsMemoryMib = 244
const localDnsVCpus = 4

/** Why nodes of a class cannot be of a SKU; `undefined` when they can (Z-IT-06). */
export const problemWithSku = (sku: Sku, nodeClass: AksNodeClass): string | undefined => {
  const { spec } = nodeClass
  if (!isGpuSupportedOn(sku.name, spec.imageFamily)) return `its GPU is not supported on ${spec.imageFamily}`
  if (spec.security?.encryptionAtHost === true && !sku.hasEncryptionAtHost) return 'no encryption at host'
  if (hasLocalDns(nodeClass) && (sku.vCpus < localDnsVCpus || Math.floor(sku.memoryGib * 1024) < localDnsMemoryMib))
    return `local DNS needs ${localDnsVCpus} vCPUs`
  if (installsGpuDriver(nodeClass) && sku.gpuManufacturer === 'amd') return 'there is no driver of its GPU to install'
  if (spec.artifactStreaming?.enabled === true && sku.arch === 'arm64') return 'no artifact streaming on arm64'
  if (hasTrustedLaunch(nodeClass) && !sku.hasTrustedLaunch) return 'no trusted launch'
  return undefined
}
