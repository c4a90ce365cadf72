import type { BlockDeviceMapping, ImageFamily } from '../node-class/index.ts'

/** In what the image families differ (A-FAM). */
export interface FamilyTraits {
  /** The volumes of nodes where the NodeClass names none. */
  readonly blockDevices: ReadonlyArray<BlockDeviceMapping>
  /** The device that holds what pods write; unknown for images of users. */
  readonly ephemeralDevice?: string
  /** Whether the memory kept for the kubelet goes by the pods that interfaces allow, or by those of the node. */
  readonly reservesByEniPods: boolean
  readonly hasPodsPerCore: boolean
  /** Whether interfaces limit the pods; otherwise a node has 110. */
  readonly limitsPodsByEni: boolean
  readonly os: 'linux' | 'windows'
  readonly windowsBuild?: string
}

const volume = (deviceName: string, volumeSize: string): BlockDeviceMapping => ({
  deviceName,
  ebs: { encrypted: true, volumeType: 'gp3', volumeSize },
})

const amazonLinux: FamilyTraits = {
  blockDevices: [volume('/dev/xvda', '20Gi')],
  ephemeralDevice: '/dev/xvda',
  reservesByEniPods: true,
  hasPodsPerCore: true,
  limitsPodsByEni: true,
  os: 'linux',
}

const windows = (windowsBuild: string): FamilyTraits => ({
  blockDevices: [volume('/dev/sda1', '50Gi')],
  ephemeralDevice: '/dev/sda1',
  reservesByEniPods: false,
  hasPodsPerCore: true,
  limitsPodsByEni: false,
  os: 'windows',
  windowsBuild,
})

/** The traits of each family. */
export const familyTraits: Readonly<Record<ImageFamily, FamilyTraits>> = {
  AL2: amazonLinux,
  AL2023: amazonLinux,
  Bottlerocket: {
    blockDevices: [volume('/dev/xvda', '4Gi'), volume('/dev/xvdb', '20Gi')],
    ephemeralDevice: '/dev/xvdb',
    reservesByEniPods: false,
    hasPodsPerCore: false,
    limitsPodsByEni: true,
    os: 'linux',
  },
  Windows2019: windows('10.0.17763'),
  Windows2022: windows('10.0.20348'),
  Windows2025: windows('10.0.26100'),
  Custom: {
    blockDevices: [],
    reservesByEniPods: true,
    hasPodsPerCore: true,
    limitsPodsByEni: true,
    os: 'linux',
  },
}

/** The size of the volume that pods write to where nothing says so. */
export const defaultVolumeSize = '20Gi'
