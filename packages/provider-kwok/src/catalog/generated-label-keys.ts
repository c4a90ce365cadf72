import { kwokLabelKeys } from './kwok-labels.ts'

/** Labels of the EC2-like catalogue, under `karpenter.k8s.aws/`. */
const ec2Names = [
  'instance-category',
  'instance-generation',
  'instance-family',
  'instance-size',
  'instance-capability-flex',
  'instance-cpu',
  'instance-cpu-manufacturer',
  'instance-cpu-sustained-clock-speed-mhz',
  'instance-memory',
  'instance-hypervisor',
  'instance-encryption-in-transit-supported',
  'instance-ebs-bandwidth',
  'instance-network-bandwidth',
  'instance-local-nvme',
  'instance-gpu-name',
  'instance-gpu-manufacturer',
  'instance-gpu-count',
  'instance-gpu-memory',
  'instance-accelerator-name',
  'instance-accelerator-manufacturer',
  'instance-accelerator-count',
]

/** Labels of the Azure-like catalogue, under `karpenter.azure.com/`. */
const azureNames = [
  'sku-name',
  'sku-family',
  'sku-series',
  'sku-version',
  'sku-cpu',
  'sku-memory',
  'sku-networking-accelerated',
  'sku-storage-premium-capable',
  'sku-storage-ephemeralos-maxsize',
  'sku-gpu-name',
  'sku-gpu-manufacturer',
  'sku-gpu-count',
]

/** Keys that some generated catalogue defines: known without generating it. */
export const generatedLabelKeys: ReadonlyArray<string> = [
  ...Object.values(kwokLabelKeys),
  ...ec2Names.map((name) => `karpenter.k8s.aws/${name}`),
  ...azureNames.map((name) => `karpenter.azure.com/${name}`),
  'kubernetes.azure.com/sku-cpu',
  'kubernetes.azure.com/sku-memory',
]
