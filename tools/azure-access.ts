import { armTemplate, roleDocuments } from '@scantling/provider-azure'

const json = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`

/** `deploy/azure`: the controller's roles one by one, and an ARM template that makes and assigns them. */
export const renderAzureAccess = (): Readonly<Record<string, string>> => ({
  'deploy/azure/access.json': json(armTemplate()),
  ...Object.fromEntries(
    Object.entries(roleDocuments()).map(([name, document]) => [`deploy/azure/roles/${name}.json`, json(document)]),
  ),
})
