import { s, type Rule, type TypeOf } from '@scantling/core'

type Term = Readonly<Record<string, unknown>>
type Terms = ReadonlyArray<Term>

/** Tags as a selector names them: `*` stands for any value. */
const selectorTags = s.optional(
  s.record(s.string(), {
    description: 'Tags that the resource has; "*" stands for any value.',
    maxProperties: 20,
    rules: [
      {
        message: "empty tag keys or values aren't supported",
        cel: "self.all(k, k != '' && self[k] != '')",
        holds: (tags: Readonly<Record<string, string>>) =>
          Object.entries(tags).every(([key, value]) => key !== '' && value !== ''),
      },
    ],
  }),
)

// The reference's identifiers are not anchored, save the two kinds that came last; the verdicts are to be the same.
const identifier = (description: string, pattern: string, example: string) =>
  s.optional(s.string({ description, pattern, expected: `an identifier such as ${example}` }))

const namesOf = (fields: ReadonlyArray<string>) => fields.map((field) => `'${field}'`).join(', ')
const anyOf = (fields: ReadonlyArray<string>) => fields.map((field) => `has(x.${field})`).join(' || ')
const hasAny = (term: Term, fields: ReadonlyArray<string>) => fields.some((field) => term[field] !== undefined)

const atLeastOne = (fields: ReadonlyArray<string>): Rule => ({
  message: `expected at least one, got none, [${namesOf(fields)}]`,
  cel: `self.all(x, ${anyOf(fields)})`,
  each: (term: Term) => hasAny(term, fields),
})

const notEmpty = (list: string): Rule => ({
  message: `${list} cannot be empty`,
  cel: 'self.size() != 0',
  holds: (terms: Terms) => terms.length > 0,
})

/**
 * `field` stands alone, as the reference's CRD has it: the list is refused only when every term breaks the rule.
 *
 * A term that breaks it beside one that does not is admitted there, and so here.
 */
const notAllCombine = (field: string, others: ReadonlyArray<string>): Rule => ({
  message: `'${field}' is mutually exclusive, cannot be set with a combination of other fields of a term`,
  cel: `!self.all(x, has(x.${field}) && (${anyOf(others)}))`,
  holds: (terms: Terms) => !terms.every((term) => term[field] !== undefined && hasAny(term, others)),
})

const noneCombines = (field: string, others: ReadonlyArray<string>): Rule => ({
  message: `'${field}' is mutually exclusive, cannot be set with a combination of other fields of a term`,
  cel: `!self.exists(x, has(x.${field}) && (${anyOf(others)}))`,
  holds: (terms: Terms) => !terms.some((term) => term[field] !== undefined && hasAny(term, others)),
})

const subnetTerm = s.object({
  tags: selectorTags,
  id: identifier('Identifier of the subnet.', 'subnet-[0-9a-z]+', 'subnet-0a1b2c3d'),
})
/** One way to find subnets. */
export interface SubnetSelectorTerm extends TypeOf<typeof subnetTerm> {}

export const subnetSelectorTerms = s.array(subnetTerm, {
  description: 'The subnets of the nodes: the union of what the terms find.',
  maxItems: 30,
  rules: [notEmpty('subnetSelectorTerms'), atLeastOne(['tags', 'id']), notAllCombine('id', ['tags'])],
})

const securityGroupTerm = s.object({
  tags: selectorTags,
  id: identifier('Identifier of the security group.', 'sg-[0-9a-z]+', 'sg-0a1b2c3d'),
  name: s.optional(s.string({ description: 'Name of the security group, which is not its tag Name.' })),
})
/** One way to find security groups. */
export interface SecurityGroupSelectorTerm extends TypeOf<typeof securityGroupTerm> {}

export const securityGroupSelectorTerms = s.array(securityGroupTerm, {
  description: 'The security groups of the nodes: the union of what the terms find. All are attached.',
  maxItems: 30,
  rules: [
    notEmpty('securityGroupSelectorTerms'),
    atLeastOne(['tags', 'id', 'name']),
    notAllCombine('id', ['tags', 'name']),
    notAllCombine('name', ['tags', 'id']),
  ],
})

const capacityReservationTerm = s.object({
  tags: selectorTags,
  id: identifier('Identifier of the capacity reservation.', '^cr-[0-9a-z]+$', 'cr-0a1b2c3d'),
  ownerID: s.optional(
    s.string({
      description: 'Account that owns the reservation.',
      pattern: '^[0-9]{12}$',
      expected: 'an account of 12 digits',
    }),
  ),
  instanceMatchCriteria: s.optional(
    s.literals(['open', 'targeted'], { description: 'Which launches the reservation takes.' }),
  ),
})
/** One way to find capacity reservations. */
export interface CapacityReservationSelectorTerm extends TypeOf<typeof capacityReservationTerm> {}

export const capacityReservationSelectorTerms = s.array(capacityReservationTerm, {
  description: 'The capacity reservations that nodes may use: the union of what the terms find.',
  maxItems: 30,
  rules: [
    atLeastOne(['tags', 'id', 'instanceMatchCriteria']),
    notAllCombine('id', ['tags', 'ownerID', 'instanceMatchCriteria']),
  ],
})

const imageTerm = s.object({
  alias: s.optional(
    s.string({
      description:
        'An EKS optimised image as family@version: al2, al2023, bottlerocket, windows2019, windows2022 or windows2025, and a release or "latest".',
      maxLength: 30,
      rules: [
        {
          message: "'alias' is improperly formatted, must match the format 'family@version'",
          cel: "self.matches('^[a-zA-Z0-9]+@.+$')",
          holds: (alias: string) => /^[a-zA-Z0-9]+@.+$/.test(alias),
        },
        {
          message:
            "family is not supported, must be one of the following: 'al2', 'al2023', 'bottlerocket', 'windows2019', 'windows2022', 'windows2025'",
          cel: "self.split('@')[0] in ['al2', 'al2023', 'bottlerocket', 'windows2019', 'windows2022', 'windows2025']",
          holds: (alias: string) => aliasFamilies.has(alias.split('@')[0] ?? ''),
        },
        {
          message: "windows families may only specify version 'latest'",
          cel: "!self.startsWith('windows') || self.split('@')[1] == 'latest'",
          holds: (alias: string) => !alias.startsWith('windows') || alias.split('@')[1] === 'latest',
        },
      ],
    }),
  ),
  tags: selectorTags,
  id: identifier('Identifier of the image.', 'ami-[0-9a-z]+', 'ami-0a1b2c3d'),
  name: s.optional(s.string({ description: 'Name of the image, which is not its tag Name; wildcards are allowed.' })),
  owner: s.optional(
    s.string({ description: 'Who owns the image: an account, "self", "amazon" or "aws-marketplace".' }),
  ),
  ssmParameter: s.optional(
    s.string({ description: 'Name or ARN of an SSM parameter that holds the identifier of the image.' }),
  ),
})
/** One way to find images. */
export interface ImageSelectorTerm extends TypeOf<typeof imageTerm> {}

const aliasFamilies: ReadonlySet<string> = new Set([
  'al2',
  'al2023',
  'bottlerocket',
  'windows2019',
  'windows2022',
  'windows2025',
])

export const imageSelectorTerms = s.array(imageTerm, {
  description: 'The images of the nodes: the union of what the terms find.',
  minItems: 1,
  maxItems: 30,
  rules: [
    atLeastOne(['tags', 'id', 'name', 'alias', 'ssmParameter']),
    noneCombines('id', ['alias', 'tags', 'name', 'owner']),
    noneCombines('alias', ['id', 'tags', 'name', 'owner']),
    {
      message: "'alias' is mutually exclusive, cannot be set with a combination of other amiSelectorTerms",
      cel: '!(self.exists(x, has(x.alias)) && self.size() != 1)',
      holds: (terms: Terms) => terms.length === 1 || !terms.some((term) => term['alias'] !== undefined),
    },
  ],
})

const oldImageTerm = s.object({
  tags: selectorTags,
  id: identifier('Identifier of the image.', 'ami-[0-9a-z]+', 'ami-0a1b2c3d'),
  name: s.optional(s.string()),
  owner: s.optional(s.string()),
})

const idStandsAlone = notAllCombine('id', ['tags', 'name', 'owner'])

/** The image selectors of v1beta1: no aliases, no parameters, and none at all for a family's latest image. */
export const oldImageSelectorTerms = s.array(oldImageTerm, {
  maxItems: 30,
  rules: [
    atLeastOne(['tags', 'id', 'name']),
    // Absent selectors are read as none, which the rule of today's form would refuse.
    {
      ...idStandsAlone,
      holds: (terms: Terms) => terms.length === 0 || idStandsAlone.holds?.(terms as never) !== false,
    },
  ],
})
