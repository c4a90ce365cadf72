import type { Filter } from '@aws-sdk/client-ec2'

/** Filters of EC2 for tags as a selector names them; `*` asks for the key alone. */
export const tagFilters = (tags: Readonly<Record<string, string>> | undefined): Array<Filter> =>
  Object.entries(tags ?? {}).map(([key, value]) =>
    value === '*' ? { Name: 'tag-key', Values: [key] } : { Name: `tag:${key}`, Values: [value] },
  )
