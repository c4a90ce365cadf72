import { describe, expect, test } from '@jest/globals'
import { virtualClock } from '@scantling/provider-kit'
import { resource, StatusError, type DraftObject } from '../face.ts'
import { createApiServer } from '../server/api-server.ts'

const definitions = resource('apiextensions.k8s.io/v1', 'customresourcedefinitions')
const widgets = resource('example.com/v1', 'widgets')
const widget = { ...widgets, name: 'w' }

const specSchema = {
  type: 'object',
  required: ['size'],
  properties: {
    size: { type: 'integer', minimum: 1, maximum: 10 },
    mode: { type: 'string', enum: ['Fast', 'Slow'], default: 'Fast' },
    code: { type: 'string', pattern: '^[a-z]+$', maxLength: 3 },
    limit: { 'x-kubernetes-int-or-string': true },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    tags: { type: 'array', maxItems: 2, items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
    limits: { type: 'object', additionalProperties: { type: 'integer' } },
    replicas: { type: 'integer' },
    parts: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: {
        type: 'object',
        properties: { name: { type: 'string' }, weight: { type: 'integer', default: 1 } },
        'x-kubernetes-validations': [{ rule: 'self.weight >= oldSelf.weight', message: 'weight may only grow' }],
      },
    },
    'class-name': { type: 'string' },
    domain: {
      type: 'string',
      'x-kubernetes-validations': [{ rule: 'self.find("^([^/]+)").endsWith("example.com")', message: 'wrong domain' }],
    },
  },
  'x-kubernetes-validations': [
    { rule: 'has(self.code) == has(self.limit)', message: "'code' goes with 'limit'" },
    {
      rule: '!has(self.tags) || self.tags.size() <= self.size',
      messageExpression: '"at most " + string(self.size) + " tags"',
    },
    { rule: 'self.mode == oldSelf.mode', message: 'mode is immutable', fieldPath: '.mode' },
    { rule: '!has(self.class__dash__name) || self.class__dash__name != "bad"', message: 'bad class' },
  ],
}

const definition: DraftObject = {
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Cluster',
    names: { plural: 'widgets', kind: 'Widget', shortNames: ['wd'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: {
          status: {},
          scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
        },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: specSchema,
              status: { type: 'object', properties: { phase: { type: 'string' }, replicas: { type: 'integer' } } },
            },
          },
        },
      },
      {
        name: 'v1beta1',
        served: true,
        storage: false,
        schema: { openAPIV3Schema: { type: 'object', properties: { spec: specSchema } } },
      },
    ],
  },
}

const setUp = async () => {
  const server = createApiServer({ clock: virtualClock(0) })
  const face = server.face('test')
  await face.create(definitions, definition)
  const refusal = async (spec: object): Promise<StatusError> => {
    try {
      await face.create(widgets, { metadata: { name: 'w' }, spec } as DraftObject)
    } catch (error) {
      if (error instanceof StatusError) return error
      throw error
    }
    throw new Error('Expected the widget to be refused')
  }
  return { face, refusal }
}

describe('custom resources', () => {
  test('are served once defined, and go with their definition', async () => {
    const { face } = await setUp()
    expect(await face.get({ ...definitions, name: 'widgets.example.com' })).toMatchObject({
      spec: { names: { singular: 'widget', listKind: 'WidgetList' } },
      status: {
        conditions: expect.arrayContaining([expect.objectContaining({ type: 'Established', status: 'True' })]),
      },
    })
    await face.create(widgets, { metadata: { name: 'w' }, spec: { size: 1 } })
    await face.delete({ ...definitions, name: 'widgets.example.com' })
    await expect(face.list(widgets)).rejects.toMatchObject({ code: 404 })
    await face.create(definitions, definition)
    expect((await face.list(widgets)).items).toEqual([])
  })

  test('get defaults and lose what their schema does not know', async () => {
    const { face } = await setUp()
    const warnings: string[] = []
    const made = await face.create(
      widgets,
      { metadata: { name: 'w' }, spec: { size: 1, colour: 'red', free: { any: [1] }, parts: [{ name: 'a', odd: 1 }] } },
      { fieldValidation: 'Warn', onWarning: (text) => warnings.push(text) },
    )
    expect(made['spec']).toEqual({ size: 1, mode: 'Fast', free: { any: [1] }, parts: [{ name: 'a', weight: 1 }] })
    expect(warnings).toEqual(['unknown field "spec.colour"', 'unknown field "spec.parts[0].odd"'])
    const strict = face.create(
      widgets,
      { metadata: { name: 'x' }, spec: { size: 1, colour: 'red' } },
      { fieldValidation: 'Strict' },
    )
    await expect(strict).rejects.toMatchObject({
      code: 400,
      message: 'strict decoding error: unknown field "spec.colour"',
    })
  })

  test.each([
    [{}, 'spec.size: Required value'],
    [{ size: 0 }, 'spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1'],
    [{ size: 11 }, 'spec.size: Invalid value: 11: spec.size in body should be less than or equal to 10'],
    [{ size: '1' }, 'spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"'],
    [{ size: 1, mode: 'Odd' }, 'spec.mode: Unsupported value: "Odd": supported values: "Fast", "Slow"'],
    [{ size: 1, code: 'A1', limit: 1 }, `spec.code: Invalid value: "A1": spec.code in body should match '^[a-z]+$'`],
    [{ size: 1, code: 'abcd', limit: 1 }, 'spec.code: Too long: may not be more than 3 bytes'],
    [
      { size: 1, limit: true, code: 'a' },
      'spec.limit: Invalid value: "boolean": spec.limit in body must be of type integer,string: "boolean"',
    ],
    [{ size: 9, tags: ['a', 'b', 'c'] }, 'spec.tags: Too many: 3: must have at most 2 items'],
    [{ size: 9, tags: ['a', 'a'] }, 'spec.tags[1]: Duplicate value: "a"'],
    [{ size: 1, parts: [{ name: 'a' }, { name: 'a' }] }, 'spec.parts[1]: Duplicate value: {"name":"a"}'],
    [
      { size: 1, limits: { cpu: 'x' } },
      'spec.limits.cpu: Invalid value: "string": spec.limits.cpu in body must be of type integer: "string"',
    ],
    [{ size: 1, code: 'a' }, `spec: Invalid value: "object": 'code' goes with 'limit'`],
    [{ size: 1, tags: ['a', 'b'] }, 'spec: Invalid value: "object": at most 1 tags'],
    [{ size: 1, domain: 'example.org/x' }, 'spec.domain: Invalid value: "string": wrong domain'],
    [{ size: 1, 'class-name': 'bad' }, 'spec: Invalid value: "object": bad class'],
  ])('refuse %j by field', async (spec, text) => {
    const { refusal } = await setUp()
    const error = await refusal(spec)
    expect(error).toMatchObject({ code: 422, reason: 'Invalid' })
    expect(error.message).toBe(`Widget.example.com "w" is invalid: ${text}`)
    expect(`${error.causes[0]?.field}: ${error.causes[0]?.message}`).toBe(text)
  })

  test('list every mistake at once', async () => {
    const { refusal } = await setUp()
    expect((await refusal({ size: 0, mode: 'Odd' })).causes.map(({ field }) => field)).toEqual([
      'spec.size',
      'spec.mode',
    ])
  })

  test('hold transitions against their old self, items of keyed lists included', async () => {
    const { face } = await setUp()
    await face.create(widgets, { metadata: { name: 'w' }, spec: { size: 1, parts: [{ name: 'a', weight: 5 }] } })
    await expect(face.patch(widget, 'merge', { spec: { mode: 'Slow' } })).rejects.toMatchObject({
      message: 'Widget.example.com "w" is invalid: spec.mode: Invalid value: "object": mode is immutable',
    })
    await expect(
      face.patch(widget, 'merge', {
        spec: {
          parts: [
            { name: 'b', weight: 1 },
            { name: 'a', weight: 4 },
          ],
        },
      }),
    ).rejects.toMatchObject({
      message: expect.stringContaining('spec.parts[1]: Invalid value: "object": weight may only grow'),
    })
    await face.patch(widget, 'merge', {
      spec: {
        parts: [
          { name: 'b', weight: 1 },
          { name: 'a', weight: 6 },
        ],
      },
    })
  })

  test('keep status apart, count generations, and insist on a resource version', async () => {
    const { face } = await setUp()
    const made = await face.create(widgets, { metadata: { name: 'w' }, spec: { size: 1 }, status: { phase: 'Odd' } })
    expect(made['status']).toBeUndefined()
    const status = { ...widget, subresource: 'status' }
    await face.patch(status, 'merge', { spec: { size: 5 }, status: { phase: 'Up' } })
    expect(await face.get(widget)).toMatchObject({
      metadata: { generation: 1 },
      spec: { size: 1 },
      status: { phase: 'Up' },
    })
    await face.patch({ ...widget, subresource: 'scale' }, 'merge', { spec: { replicas: 3 } })
    expect(await face.get(widget)).toMatchObject({ metadata: { generation: 2 }, spec: { replicas: 3 } })
    await expect(face.update(widget, { metadata: { name: 'w' }, spec: { size: 2 } })).rejects.toMatchObject({
      code: 422,
      message: expect.stringContaining('metadata.resourceVersion: Invalid value: 0: must be specified for an update'),
    })
    await expect(face.patch(widget, 'strategic', {})).rejects.toMatchObject({ code: 415 })
  })

  test('are shown in every served version', async () => {
    const { face } = await setUp()
    const old = resource('example.com/v1beta1', 'widgets')
    await face.create(old, { apiVersion: 'example.com/v1beta1', metadata: { name: 'w' }, spec: { size: 2 } })
    expect((await face.get(widget)).apiVersion).toBe('example.com/v1')
    expect((await face.list(old)).items.map(({ apiVersion }) => apiVersion)).toEqual(['example.com/v1beta1'])
  })

  test('a definition whose rule does not compile is refused', async () => {
    const { face } = await setUp()
    const gadgets = JSON.stringify(definition).replaceAll('widgets', 'gadgets')
    const copy = JSON.parse(gadgets.replaceAll('has(self.code)', 'has(self.code')) as DraftObject
    await expect(face.create(definitions, copy)).rejects.toMatchObject({
      code: 422,
      message: expect.stringContaining('compilation failed'),
    })
  })

  test('a field that was always wrong does not stand in the way of another change', async () => {
    const { face } = await setUp()
    await face.create(widgets, { metadata: { name: 'w' }, spec: { size: 5 } })
    const narrower = JSON.parse(JSON.stringify(definition).replaceAll('"maximum":10', '"maximum":3')) as DraftObject
    await face.update({ ...definitions, name: 'widgets.example.com' }, narrower)
    await face.patch(widget, 'merge', { spec: { limits: { cpu: 1 } } })
    await expect(face.patch(widget, 'merge', { spec: { size: 4 } })).rejects.toMatchObject({ code: 422 })
  })
})
