import type { AwsPorts } from '../sdk/index.ts'

/** For what a call is made; each purpose has conditions of its own. */
export type Purpose =
  | 'discover'
  | 'describe cluster'
  | 'follow zonal shifts'
  | 'read parameters'
  | 'read prices'
  | 'read the queue'
  | 'launch'
  | 'make templates'
  | 'tag machines'
  | 'end'
  | 'list profiles'
  | 'look at profiles'
  | 'make profiles'
  | 'change profiles'

type Calls = { readonly [Port in Exclude<keyof AwsPorts, 'region'>]: Readonly<Record<keyof AwsPorts[Port], Purpose>> }

/** Every call that the ports have. One that joins them without a purpose here does not compile. */
const calls: Calls = {
  ec2: {
    createFleet: 'launch',
    createLaunchTemplate: 'make templates',
    createTags: 'tag machines',
    deleteLaunchTemplate: 'end',
    describeCapacityReservations: 'discover',
    describeImages: 'discover',
    describeInstanceStatus: 'discover',
    describeInstanceTypeOfferings: 'discover',
    describeInstanceTypes: 'discover',
    describeInstances: 'discover',
    describeLaunchTemplates: 'discover',
    describePlacementGroups: 'discover',
    describeSecurityGroups: 'discover',
    describeSpotPriceHistory: 'discover',
    describeSubnets: 'discover',
    runInstances: 'launch',
    terminateInstances: 'end',
  },
  iam: {
    addRoleToInstanceProfile: 'change profiles',
    createInstanceProfile: 'make profiles',
    deleteInstanceProfile: 'change profiles',
    getInstanceProfile: 'look at profiles',
    listInstanceProfiles: 'list profiles',
    removeRoleFromInstanceProfile: 'change profiles',
  },
  ssm: { getParameter: 'read parameters' },
  eks: { describeCluster: 'describe cluster' },
  sqs: { deleteMessageBatch: 'read the queue', getQueueUrl: 'read the queue', receiveMessage: 'read the queue' },
  pricing: { getProducts: 'read prices' },
  zonalShift: { getManagedResource: 'follow zonal shifts' },
}

const prefixes: Readonly<Record<keyof Calls, string>> = {
  ec2: 'ec2',
  iam: 'iam',
  ssm: 'ssm',
  eks: 'eks',
  sqs: 'sqs',
  pricing: 'pricing',
  zonalShift: 'arc-zonal-shift',
}

// The right to delete messages is one, however many of them go at once.
const actionName = (call: string): string =>
  call === 'deleteMessageBatch' ? 'DeleteMessage' : call[0]?.toUpperCase() + call.slice(1)

/** The actions of IAM that the calls of a purpose need, in code-unit order. */
export const actionsFor = (purpose: Purpose): ReadonlyArray<string> =>
  allCalls
    .filter((call) => call.purpose === purpose)
    .map(({ action }) => action)
    .sort()

/** Each call with the action that bears its name. */
export const allCalls: ReadonlyArray<{ readonly action: string; readonly purpose: Purpose }> = Object.entries(
  calls,
).flatMap(([port, purposes]) =>
  Object.entries(purposes as Readonly<Record<string, Purpose>>).map(([call, purpose]) => ({
    action: `${prefixes[port as keyof Calls]}:${actionName(call)}`,
    purpose,
  })),
)
