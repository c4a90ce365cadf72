import type { JsonObject } from '@scantling/core'
import { controllerRoles, documentOf, type AccessScope, type Role } from './role-definitions.ts'

/** Placeholders of the files that people fill in by hand. */
const byHand: AccessScope = {
  subscription: 'SUBSCRIPTION_ID',
  nodeResourceGroup: 'NODE_RESOURCE_GROUP',
  clusterResourceGroup: 'CLUSTER_RESOURCE_GROUP',
  cluster: 'CLUSTER_NAME',
}

/** Each role as a file for `az role definition create`, by its name. */
export const roleDocuments = (): Readonly<Record<string, unknown>> =>
  Object.fromEntries(controllerRoles(byHand).map((role) => [role.name, documentOf(role, byHand.cluster)]))

const definitionVersion = '2022-04-01'
const deploymentVersion = '2022-09-01'
const definitions = 'Microsoft.Authorization/roleDefinitions'
const assignments = 'Microsoft.Authorization/roleAssignments'

// ARM wants the same GUID for the same role at each deployment.
const definitionName = ({ name }: Role): string =>
  `guid(subscription().id, parameters('clusterName'), 'scantling-${name}')`
const definitionId = (role: Role): string => `subscriptionResourceId('${definitions}', ${definitionName(role)})`

/**
 * A template for `az deployment sub create` with the roles, and the assignments that need no names of the operator's:
 * catalogue, nodes and, where there is an agent pool for them, machines.
 *
 * Roles for subnets and disk encryption sets are made; whoever owns these assigns them there.
 */
export const armTemplate = (): JsonObject => {
  const roles = controllerRoles({
    subscription: '',
    nodeResourceGroup: "parameters('nodeResourceGroup')",
    clusterResourceGroup: "parameters('clusterResourceGroup')",
    cluster: "parameters('clusterName')",
  })
  return {
    $schema: 'https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#',
    contentVersion: '1.0.0.0',
    parameters: {
      clusterName: { type: 'string', metadata: { description: 'Name of the AKS cluster.' } },
      clusterResourceGroup: { type: 'string', metadata: { description: 'Resource group of the cluster.' } },
      nodeResourceGroup: {
        type: 'string',
        metadata: { description: 'Resource group in which AKS keeps the nodes, MC_….' },
      },
      principalId: { type: 'string', metadata: { description: 'Object ID of the controller’s identity.' } },
      usesMachines: {
        type: 'bool',
        defaultValue: false,
        metadata: { description: 'Whether the provision mode makes machines of AKS.' },
      },
    },
    resources: [...roles.map(definitionOf), ...roles.flatMap(assignmentOf)],
  }
}

const definitionOf = (role: Role): JsonObject => ({
  type: definitions,
  apiVersion: definitionVersion,
  name: `[${definitionName(role)}]`,
  properties: {
    roleName: `[concat('Scantling ${role.name} (', parameters('clusterName'), ')')]`,
    description: role.description,
    type: 'CustomRole',
    permissions: [{ actions: role.actions, notActions: [], dataActions: [], notDataActions: [] }],
    assignableScopes: [assignableScopeOf(role)],
  },
})

const groupOf = ({ place }: Role): 'nodeResourceGroup' | 'clusterResourceGroup' | undefined =>
  place === 'node resource group' ? 'nodeResourceGroup' : place === 'agent pool' ? 'clusterResourceGroup' : undefined

const assignableScopeOf = (role: Role): string => {
  const group = groupOf(role)
  return group === undefined
    ? '[subscription().id]'
    : `[concat(subscription().id, '/resourceGroups/', parameters('${group}'))]`
}

const assignmentOf = (role: Role): ReadonlyArray<JsonObject> => {
  const assignment = {
    type: assignments,
    apiVersion: definitionVersion,
    properties: {
      roleDefinitionId: `[${definitionId(role)}]`,
      principalId: "[parameters('principalId')]",
      principalType: 'ServicePrincipal',
    },
  }
  const name = (scope: string) => `[guid(${scope}, parameters('principalId'), 'scantling-${role.name}')]`
  const dependsOn = [`[${definitionId(role)}]`]
  if (role.place === 'subscription') return [{ ...assignment, name: name('subscription().id'), dependsOn }]
  const group = groupOf(role)
  if (group === undefined) return []
  return [
    {
      type: 'Microsoft.Resources/deployments',
      apiVersion: deploymentVersion,
      name: `scantling-${role.name.toLowerCase()}`,
      ...(role.isOptional && { condition: "[parameters('usesMachines')]" }),
      resourceGroup: `[parameters('${group}')]`,
      dependsOn,
      properties: {
        mode: 'Incremental',
        template: {
          $schema: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',
          contentVersion: '1.0.0.0',
          resources: [{ ...assignment, name: name(`parameters('${group}')`) }],
        },
      },
    },
  ]
}
