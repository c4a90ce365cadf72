import { accessOf, type AnyProviderModule, type Grant } from '@scantling/controller'
import { provider as aws } from '@scantling/provider-aws'
import { provider as azure } from '@scantling/provider-azure'
import { provider as kwok } from '@scantling/provider-kwok'
import { renderYaml } from './yaml.ts'

/** The providers that we ship roles for, by the name that the chart's value `provider` has. */
const providers = { aws, azure, kwok } as unknown as Readonly<Record<string, AnyProviderModule>>

/** `deploy/chart/files/access-<provider>.yaml`: what the chart makes into roles. */
export const renderRoles = (): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(providers).map(([name, module]) => {
      const { cluster, own, elsewhere, surge } = accessOf(module)
      const access = {
        cluster: cluster.map(ruleOf),
        own: own.map(ruleOf),
        elsewhere: Object.fromEntries(
          Object.entries(elsewhere).map(([namespace, grants]) => [namespace, grants.map(ruleOf)]),
        ),
        surge: surge.map(ruleOf),
        admin: adminRules(module),
      }
      return [
        `deploy/chart/files/access-${name}.yaml`,
        `# Written by "npm run generate" from packages/controller/src/access; not edited by hand.\n${renderYaml(access)}`,
      ]
    }),
  )

const ruleOf = ({ group, resource, verbs, names }: Grant) => ({
  apiGroups: [group],
  resources: [resource],
  ...(names === undefined ? {} : { resourceNames: names }),
  verbs,
})

const everything = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

const adminRules = ({ nodeClasses }: AnyProviderModule) => [
  { apiGroups: ['karpenter.sh'], resources: ['nodeclaims', 'nodeoverlays', 'nodepools'], verbs: everything },
  { apiGroups: ['autoscaling.x-k8s.io'], resources: ['capacitybuffers'], verbs: everything },
  ...nodeClasses.map(({ group, names }) => ({ apiGroups: [group], resources: [names.plural], verbs: everything })),
]
