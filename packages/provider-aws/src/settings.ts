import { Time, type SettingsSpec } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'

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

const text = new t.Type<string, string, unknown>('text', t.string.is, t.string.validate, (value) => value)

const bool = new t.Type<boolean, string, unknown>(
  'true or false',
  t.boolean.is,
  (input, context) =>
    input === 'true' ? t.success(true) : input === 'false' ? t.success(false) : t.failure(input, context),
  String,
)

const numberFrom = (name: string, isMember: (value: number) => boolean) =>
  new t.Type<number, string, unknown>(
    name,
    t.number.is,
    (input, context) => {
      const value = typeof input === 'string' && input.trim() !== '' ? Number(input) : Number.NaN
      return isMember(value) ? t.success(value) : t.failure(input, context)
    },
    String,
  )

const fraction = numberFrom('a number from 0', (value) => Number.isFinite(value) && value >= 0)
const count = numberFrom('an integer from 0', (value) => Number.isInteger(value) && value >= 0)

/** A Go duration of at least a minute. */
const refreshInterval = new t.Type<number, string, unknown>(
  'a duration of at least 1m',
  t.number.is,
  (input, context) => {
    const parsed = typeof input === 'string' ? Time.parseDuration(input) : E.left('')
    return E.isRight(parsed) && parsed.right >= 60_000 ? t.success(parsed.right) : t.failure(input, context)
  },
  Time.renderDuration,
)

const noGates: AwsFeatureGates = { NodeClassCEL: false }

/** `Name=bool` in a list; names nobody knows are passed over, as the reference does. */
const gates = new t.Type<AwsFeatureGates, string, unknown>(
  'a list of Name=true or Name=false',
  (value): value is AwsFeatureGates => typeof value === 'object' && value !== null && 'NodeClassCEL' in value,
  (input, context) => {
    if (typeof input !== 'string') return t.failure(input, context)
    let found = noGates
    for (const entry of input.split(',').map((one) => one.trim())) {
      if (entry === '') continue
      const [, name, value] = /^([^=]+)=(true|false)$/.exec(entry) ?? []
      if (name === undefined) return t.failure(input, context)
      if (name.trim() === 'NodeClassCEL') found = { NodeClassCEL: value === 'true' }
    }
    return t.success(found)
  },
  ({ NodeClassCEL }) => `NodeClassCEL=${NodeClassCEL}`,
)

const rebalance = new t.Type<AwsSettings['rebalanceRecommendations'], string, unknown>(
  'notify or drain',
  (value): value is AwsSettings['rebalanceRecommendations'] => value === 'notify' || value === 'drain',
  (input, context) => (input === 'notify' || input === 'drain' ? t.success(input) : t.failure(input, context)),
  (value) => value,
)

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
      codec: bool,
      default: false,
      help: 'The VPC has no way to services without an endpoint in it: no calls for prices, no clean-up of instance profiles',
    },
    eksControlPlane: {
      env: ['EKS_CONTROL_PLANE'],
      flag: 'eks-control-plane',
      codec: bool,
      default: false,
      help: 'The version of Kubernetes comes from EKS instead of the API server',
    },
    vmMemoryOverheadPercent: {
      env: ['VM_MEMORY_OVERHEAD_PERCENT'],
      flag: 'vm-memory-overhead-percent',
      codec: fraction,
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
      codec: rebalance,
      default: 'notify',
      help: 'What a rebalance recommendation for a spot instance does: notify (an event) or drain (replace it before it is taken)',
    },
    reservedEnis: {
      env: ['RESERVED_ENIS'],
      flag: 'reserved-enis',
      codec: count,
      default: 0,
      help: 'Network interfaces of each node that pods cannot use, as with custom networking',
    },
    disableDryRun: {
      env: ['DISABLE_DRY_RUN'],
      flag: 'disable-dry-run',
      codec: bool,
      default: false,
      help: 'Do not probe by dry runs whether an EC2NodeClass may launch',
    },
    enableZonalShift: {
      env: ['ENABLE_ZONAL_SHIFT'],
      flag: 'enable-zonal-shift',
      codec: bool,
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
      codec: gates,
      default: noGates,
      help: 'Switches of this provider, as in NodeClassCEL=true',
    },
  },
  check: ({ endpoint }) =>
    endpoint === '' || URL.canParse(endpoint)
      ? []
      : [`aws-endpoint: Invalid value: ${JSON.stringify(endpoint)}: expected an address such as http://127.0.0.1:5000`],
}
