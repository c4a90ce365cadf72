const domain = 'karpenter.k8s.aws'

/** Labels of EC2 machines, as the reference has them. */
export const awsLabelKeys = {
  zoneId: 'topology.k8s.aws/zone-id',
  nodeClass: `${domain}/ec2nodeclass`,
  reservationId: `${domain}/capacity-reservation-id`,
  reservationType: `${domain}/capacity-reservation-type`,
  reservationInterruptible: `${domain}/capacity-reservation-interruptible`,
  category: `${domain}/instance-category`,
  generation: `${domain}/instance-generation`,
  family: `${domain}/instance-family`,
  size: `${domain}/instance-size`,
  flex: `${domain}/instance-capability-flex`,
  cpu: `${domain}/instance-cpu`,
  cpuManufacturer: `${domain}/instance-cpu-manufacturer`,
  cpuClockSpeed: `${domain}/instance-cpu-sustained-clock-speed-mhz`,
  memory: `${domain}/instance-memory`,
  hypervisor: `${domain}/instance-hypervisor`,
  encryptionInTransit: `${domain}/instance-encryption-in-transit-supported`,
  nitroSandbox: `${domain}/nitro-sandbox`,
  localNvme: `${domain}/instance-local-nvme`,
  ebsBandwidth: `${domain}/instance-ebs-bandwidth`,
  networkBandwidth: `${domain}/instance-network-bandwidth`,
  gpuName: `${domain}/instance-gpu-name`,
  gpuManufacturer: `${domain}/instance-gpu-manufacturer`,
  gpuCount: `${domain}/instance-gpu-count`,
  gpuMemory: `${domain}/instance-gpu-memory`,
  acceleratorName: `${domain}/instance-accelerator-name`,
  acceleratorManufacturer: `${domain}/instance-accelerator-manufacturer`,
  acceleratorCount: `${domain}/instance-accelerator-count`,
  tenancy: `${domain}/instance-tenancy`,
  placementGroupId: `${domain}/placement-group-id`,
  placementGroupPartition: `${domain}/placement-group-partition`,
} as const

/** Keys that types carry for matching and marks alone; no Node has them. */
export const internalKeys = {
  /** The group of types that draw on one vCPU quota of the account: `standard`, `g`, `p` and the like. */
  quota: 'scantling.sh/ec2-vcpu-quota',
} as const

/** Resources of EC2 machines beside the core's. */
export const awsResources = {
  podEni: 'vpc.amazonaws.com/pod-eni',
  privateIpv4Address: 'vpc.amazonaws.com/PrivateIPv4Address',
  efa: 'vpc.amazonaws.com/efa',
  nvidiaGpu: 'nvidia.com/gpu',
  amdGpu: 'amd.com/gpu',
  gaudi: 'habana.ai/gaudi',
  neuron: 'aws.amazon.com/neuron',
  neuronCore: 'aws.amazon.com/neuroncore',
  /** Asked for by pods that need an enclave; no type has it by itself. */
  nitroSandbox: 'eks.amazonaws.com/nitro-sandbox',
} as const

/** Resources that make a type special: launches avoid such types where others do. */
export const exoticResources: ReadonlyArray<string> = [
  awsResources.nvidiaGpu,
  awsResources.amdGpu,
  awsResources.gaudi,
  awsResources.neuron,
  awsResources.neuronCore,
]

/** Marks of ours on claims and NodeClasses. */
export const awsAnnotationKeys = {
  nodeClassHash: `${domain}/ec2nodeclass-hash`,
  nodeClassHashVersion: `${domain}/ec2nodeclass-hash-version`,
  tagged: `${domain}/tagged`,
  instanceProfileName: `${domain}/instance-profile-name`,
  clusterNameTagged: 'compatibility.karpenter.k8s.aws/cluster-name-tagged',
} as const
