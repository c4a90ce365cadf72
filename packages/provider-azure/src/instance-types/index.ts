/** What Azure sells: SKUs, what of them nodes can be of, and what such nodes have. */
export {
  diffDiskSettingsFor,
  ephemeralPlacementFor,
  machineOsDiskTypeFor,
  type EphemeralOsDisk,
} from './ephemeral-os-disk.ts'
export * from './gpu.ts'
export { capacityOf, memoryBytesOf, overheadOf, type ReservationOptions } from './capacity.ts'
export { instanceTypeOf, type TypeSettings } from './instance-type.ts'
export { locationOf, type ResourceSku } from './resource-sku.ts'
export { discoverSkus, readSku, type Sku, type SkuDiscovery } from './sku.ts'
export { problemWithSku } from './supported.ts'
export { parseVmSize, type VmSize } from './vm-size.ts'
