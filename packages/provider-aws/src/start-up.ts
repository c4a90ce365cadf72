import type { Call, CancelSignal, ClusterFacts, ProviderError } from '@scantling/core'
import { memoize } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { isDryRunSuccess, isTransient, providerErrorOf } from './error-codes.ts'
import type { AwsError, AwsPorts } from './sdk/index.ts'
import type { AwsSettings } from './settings.ts'

const unreachableRetryMs = 5_000
/** A version of the control plane may change; the rest of what EKS tells does not. */
const describedForMs = 300_000
const lastGoodForMs = 86_400_000

/** What EKS knows of the cluster. */
export interface EksCluster {
  readonly arn?: string
  readonly endpoint?: string
  readonly version?: string
  readonly serviceCidr?: string
  readonly caBundle?: string
}

/** The cluster, with what its settings leave open asked of EKS. */
export interface ClusterDiscovery {
  readonly describe: (name: string, signal: CancelSignal) => TE.TaskEither<AwsError, EksCluster>
  /** Range of the services' addresses (A-LT-19). */
  readonly serviceCidrOf: (call: Call) => TE.TaskEither<AwsError, string>
  /** The facts with endpoint, certificate and, where asked for, version filled in. */
  readonly complete: (call: Call) => TE.TaskEither<ProviderError, Call>
}

export const clusterDiscovery = (options: {
  readonly eks: AwsPorts['eks']
  readonly settings: Pick<AwsSettings, 'eksControlPlane'>
  readonly nowMs: () => number
}): ClusterDiscovery => {
  const { eks, settings, nowMs } = options
  const cache = memoize<{ readonly name: string; readonly signal: CancelSignal }, AwsError, EksCluster>({
    idOf: ({ name }) => name,
    ttlMs: describedForMs,
    staleMs: lastGoodForMs,
    nowMs,
    load: ({ name, signal }) =>
      pipe(
        eks.describeCluster({ name }, signal),
        TE.map(({ cluster }) => {
          const { arn, endpoint, version, kubernetesNetworkConfig, certificateAuthority } = cluster ?? {}
          const serviceCidr = kubernetesNetworkConfig?.serviceIpv4Cidr ?? kubernetesNetworkConfig?.serviceIpv6Cidr
          return {
            ...(arn !== undefined && { arn }),
            ...(endpoint !== undefined && { endpoint }),
            ...(version !== undefined && { version }),
            ...(serviceCidr !== undefined && { serviceCidr }),
            ...(certificateAuthority?.data !== undefined && { caBundle: certificateAuthority.data }),
          }
        }),
      ),
  })
  const describe = (name: string, signal: CancelSignal) => cache.get({ name, signal })
  /** Addresses of services do not change in the life of a cluster: known once, they need no more calls. */
  const cidrs = new Map<string, string>()
  return {
    describe,
    serviceCidrOf: ({ cluster: { name }, signal }) => {
      const known = cidrs.get(name)
      if (known !== undefined) return TE.right(known)
      return pipe(
        describe(name, signal),
        TE.chain(({ serviceCidr }) => {
          if (serviceCidr === undefined)
            return TE.left<AwsError, string>({
              action: 'eks:DescribeCluster',
              code: 'ServiceCidrMissing',
              message: `EKS tells no range of service addresses for cluster ${name}`,
            })
          cidrs.set(name, serviceCidr)
          return TE.right(serviceCidr)
        }),
      )
    },
    complete: (call) => async () => {
      const { cluster, signal } = call
      const isKnown = cluster.endpoint !== undefined && cluster.endpoint !== '' && cluster.caBundle !== undefined
      if (isKnown && !settings.eksControlPlane) return E.right(call)
      const described = await describe(cluster.name, signal)()
      if (E.isLeft(described))
        return E.left({
          ...providerErrorOf(described.left),
          message: `Cannot find the endpoint of cluster ${cluster.name}: ${described.left.message}; set cluster-endpoint, or let the controller call eks:DescribeCluster`,
        })
      return E.right({ signal, cluster: completed(cluster, described.right, settings.eksControlPlane) })
    },
  }
}

const completed = (cluster: ClusterFacts, found: EksCluster, hasEksVersion: boolean): ClusterFacts => ({
  ...cluster,
  ...((cluster.endpoint ?? '') === '' && found.endpoint !== undefined && { endpoint: found.endpoint }),
  ...(cluster.caBundle === undefined && found.caBundle !== undefined && { caBundle: found.caBundle }),
  ...(hasEksVersion && found.version !== undefined && { kubernetesVersion: found.version }),
})

/**
 * Whether EC2 answers, with credentials that it takes (A-OPR-03).
 *
 * Errors: with `retryAfterMs` where another try may help, without where someone has to change something.
 */
export const checkConnectivity = (
  ports: Pick<AwsPorts, 'ec2' | 'region'>,
  signal: CancelSignal,
): TE.TaskEither<ProviderError, void> =>
  pipe(
    ports.ec2.describeInstanceTypes({ DryRun: true }, signal),
    TE.map(() => undefined),
    // An emulator that knows no dry runs answers as well.
    TE.orElse((error) => (isDryRunSuccess(error) ? TE.right(undefined) : TE.left(error))),
    TE.mapLeft((error) => ({
      ...providerErrorOf(error),
      message: `EC2 of region ${ports.region} does not answer the controller: ${providerErrorOf(error).message}`,
      ...(isTransient(error) && { retryAfterMs: error.retryAfterMs ?? unreachableRetryMs }),
    })),
  )

/** The cluster's ARN, once it is sure that the cluster takes part in zonal shifts (A-OPR-07). */
export const zonalShiftResource = (
  ports: Pick<AwsPorts, 'zonalShift'>,
  discovery: ClusterDiscovery,
  { cluster, signal }: Call,
): TE.TaskEither<ProviderError, string> =>
  pipe(
    discovery.describe(cluster.name, signal),
    TE.chain(({ arn }) =>
      arn === undefined
        ? TE.left<AwsError, string>({
            action: 'eks:DescribeCluster',
            code: 'ArnMissing',
            message: `EKS tells no ARN for cluster ${cluster.name}`,
          })
        : pipe(
            ports.zonalShift.getManagedResource({ resourceIdentifier: arn }, signal),
            TE.map(() => arn),
          ),
    ),
    TE.mapLeft((error) => ({
      ...providerErrorOf(error),
      message: `Cannot follow zonal shifts: ${providerErrorOf(error).message}; register the cluster with Application Recovery Controller, or unset enable-zonal-shift`,
      ...(isTransient(error) && { retryAfterMs: error.retryAfterMs ?? unreachableRetryMs }),
    })),
  )
