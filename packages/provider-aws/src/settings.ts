import type { SettingsSpec } from '@scantling/core'
import { SettingCodecs } from '@scantling/provider-kit'

export interface AwsSettings {
  /** Region of the machines; empty: as the SDK finds it. */
  readonly region: string
  /** Where all services answer instead of AWS, for emulators; empty: AWS. */
  readonly endpoint: string
  readonly isolatedVpc: boolean
  readonly eksControlPlane: boolean
  readonly vmMemoryOverheadPercent: number
  /** Name of the SQS queue; empty: none is read. */
  readonly interruptionQueue: string
  readonly rebalanceRecommendations: 'notify' | 'drain'
  readonly reservedEnis: number
  readonly disableDryRun: boolean
  readonly enableZonalShift: boolean
  readonly amiRefreshIntervalMs: number
  readonly subnetRefreshIntervalMs: number
  readonly spotPriceRefreshIntervalMs: number
  /** Switches of the provider's own. */
  readonly awsFeatureGates: AwsFeatureGates
}

export interface AwsFeatureGates {
  /** Kubelet settings may be expressions over the instance type. */
  readonly NodeClassCEL: boolean
}

const { duration, numberFrom, oneOf, text, trueOrFalse, wholeNumber } = SettingCodecs

const refreshInterval = duration(60_000)

const noGates: AwsFeatureGates = { NodeClassCEL: false }

/**
 * Settings under the reference's flags and variables; those that it lacks are named as AWS names them.
 *
 * Name, endpoint and certificate of the cluster are the shell's.
 */
export const awsSettings: SettingsSpec<AwsSettings> = {
  fields: {
    region: {
      env: ['AWS_REGION', 'AWS_DEFAULT_REGION'],
      flag: 'aws-region',
      codec: text,
      default: '',
      help: 'Region of the machines; empty: from the shared configuration, else from the metadata service',
    },
    endpoint: {
      env: ['AWS_ENDPOINT_URL'],
      flag: 'aws-endpoint',
      codec: text,
      default: '',
      help: 'Address of an emulator that answers for all services of AWS; empty: AWS itself',
    },
    isolatedVpc: {
      env: ['ISOLATED_VPC'],
      flag: 'isolated-vpc',
      codec: trueOrFalse,
      default: false,
      help: 'The VPC has no way to services without an endpoint in it: no calls for prices, no clean-up of instance profiles',
    },
    eksControlPlane: {
      env: ['EKS_CONTROL_PLANE'],
      flag: 'eks-control-plane',
      codec: trueOrFalse,
      default: false,
      help: 'The version of Kubernetes comes from EKS instead of the API server',
    },
    vmMemoryOverheadPercent: {
      env: ['VM_MEMORY_OVERHEAD_PERCENT'],
      flag: 'vm-memory-overhead-percent',
      codec: numberFrom(0),
      default: 0.075,
      help: 'Share of memory that the hypervisor keeps, until a node of the type has shown what it has',
    },
    interruptionQueue: {
      env: ['INTERRUPTION_QUEUE'],
      flag: 'interruption-queue',
      codec: text,
      default: '',
      help: 'Name of the SQS queue with events about instances; empty: none is read',
    },
    rebalanceRecommendations: {
      env: ['REBALANCE_RECOMMENDATIONS'],
      flag: 'rebalance-recommendations',
      codec: oneOf('notify', 'drain'),
      default: 'notify',
      help: 'What a rebalance recommendation for a spot instance does: notify (an event) or drain (replace it before it is taken)',
    },
    reservedEnis: {
      env: ['RESERVED_ENIS'],
      flag: 'reserved-enis',
      codec: wholeNumber(0),
      default: 0,
      help: 'Network interfaces of each node that pods cannot use, as with custom networking',
    },
    disableDryRun: {
      env: ['DISABLE_DRY_RUN'],
      flag: 'disable-dry-run',
      codec: trueOrFalse,
      default: false,
      help: 'Do not probe by dry runs whether an EC2NodeClass may launch',
    },
    enableZonalShift: {
      env: ['ENABLE_ZONAL_SHIFT'],
      flag: 'enable-zonal-shift',
      codec: trueOrFalse,
      default: false,
      help: 'Keep away from zones that Application Recovery Controller shifts traffic away from',
    },
    amiRefreshIntervalMs: {
      env: ['AMI_REFRESH_INTERVAL'],
      flag: 'ami-refresh-interval',
      codec: refreshInterval,
      default: 60_000,
      help: 'How long found AMIs are believed; at least 1m',
    },
    subnetRefreshIntervalMs: {
      env: ['SUBNET_REFRESH_INTERVAL'],
      flag: 'subnet-refresh-interval',
      codec: refreshInterval,
      default: 60_000,
      help: 'How long found subnets are believed; at least 1m',
    },
    spotPriceRefreshIntervalMs: {
      env: ['SPOT_PRICE_REFRESH_INTERVAL'],
      flag: 'spot-price-refresh-interval',
      codec: refreshInterval,
      default: 600_000,
      help: 'How often spot prices are read; at least 1m',
    },
    awsFeatureGates: {
      env: ['AWS_FEATURE_GATES'],
      flag: 'aws-feature-gates',
      codec: SettingCodecs.switches([['NodeClassCEL', 'NodeClassCEL']], noGates),
      default: noGates,
      help: 'Switches of this provider, as in NodeClassCEL=true',
    },
  },
  check: ({ endpoint }) =>
    endpoint === '' || URL.canParse(endpoint)
      ? []
      : [`aws-endpoint: Invalid value: ${JSON.stringify(endpoint)}: expected an address such as http://127.0.0.1:5000`],
}
