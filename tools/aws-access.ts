import { cloudFormation, policyDocuments } from '@scantling/provider-aws'

const json = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`

/** `deploy/aws`: the controller's policies one by one, and a CloudFormation template with all that it needs. */
export const renderAwsAccess = (): Readonly<Record<string, string>> => ({
  'deploy/aws/cloudformation.json': json(cloudFormation()),
  ...Object.fromEntries(
    Object.entries(policyDocuments()).map(([name, document]) => [`deploy/aws/policies/${name}.json`, json(document)]),
  ),
})
