import { actionsAt, type Place } from './calls.ts'

/** Where the places of one cluster are; values may be placeholders of whoever fills them in. */
export interface AccessScope {
  readonly subscription: string
  readonly nodeResourceGroup: string
  readonly clusterResourceGroup: string
  readonly cluster: string
}

/** A role of the controller. */
export interface Role {
  readonly place: Place
  readonly name: string
  readonly description: string
  readonly actions: ReadonlyArray<string>
  /** The narrowest scope that such a role can be assigned at; for things that the operator picks, the subscription. */
  readonly assignableScope: string
  /** Whether a cluster can do without it. */
  readonly isOptional: boolean
}

/**
 * The roles of the controller: what the calls that we make need, where they need it (Z-CHART-04).
 *
 * One for each place, so that each can be assigned as narrowly as ARM allows: machines and their network interfaces in
 * the node resource group alone, AKS machines in the one cluster, the subnet where nodes are. The reference takes three
 * built-in roles, which may do some two hundred things more.
 */
export const controllerRoles = ({
  subscription,
  nodeResourceGroup,
  clusterResourceGroup,
}: AccessScope): ReadonlyArray<Role> => {
  const inSubscription = `/subscriptions/${subscription}`
  const role = (
    place: Place,
    name: string,
    description: string,
    assignableScope: string,
    isOptional = false,
  ): Role => ({ place, name, description, actions: actionsAt(place), assignableScope, isOptional })
  return [
    role(
      'subscription',
      'Catalogue',
      'Find out what is sold, what of it is left, and which images there are.',
      inSubscription,
    ),
    role(
      'node resource group',
      'Nodes',
      'Make, change and end virtual machines and their network interfaces.',
      `${inSubscription}/resourceGroups/${nodeResourceGroup}`,
    ),
    role(
      'subnet',
      'Subnet',
      'Put nodes into a subnet; for each network of your own, and the cluster’s.',
      inSubscription,
    ),
    role(
      'agent pool',
      'Machines',
      'Make, change and end machines of AKS; for the provision modes that do.',
      `${inSubscription}/resourceGroups/${clusterResourceGroup}`,
      true,
    ),
    role('disk encryption set', 'DiskEncryption', 'See that disks can be encrypted as asked.', inSubscription, true),
  ]
}

/** A role as `az role definition create` takes it. */
export const documentOf = ({ name, description, actions, assignableScope }: Role, cluster: string) => ({
  Name: `Scantling ${name} (${cluster})`,
  IsCustom: true,
  Description: description,
  Actions: actions,
  NotActions: [],
  DataActions: [],
  NotDataActions: [],
  AssignableScopes: [assignableScope],
})
