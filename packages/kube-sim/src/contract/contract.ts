import { ok } from 'node:assert/strict'
import {
  budgets,
  configMap,
  deployment,
  deployments,
  makeNode,
  maps,
  names,
  nobody,
  onNode,
  pod,
  pods,
} from './benches.ts'
import { check, equal, refusal, type Body, type ContractCheck } from './contract-api.ts'
import { daemonSetChecks } from './daemon-sets.ts'
import { defaultChecks } from './defaults.ts'
import { jobChecks } from './jobs.ts'
import { workloadChecks } from './workloads.ts'

/** One list of checks, held against kube-sim and against Kubernetes' own API server. */
export const contract: ReadonlyArray<ContractCheck> = [
  check('create answers with what the server added, and refuses a name that is taken', async (bench) => {
    const { status, body } = await bench.post(maps(bench), configMap('one'))
    equal(status, 201)
    equal([body.kind, body.apiVersion, body.data], ['ConfigMap', 'v1', { a: '1' }])
    const { uid, resourceVersion, creationTimestamp, namespace } = body.metadata
    equal(namespace, bench.namespace)
    ok(uid !== undefined && resourceVersion !== undefined && /^\d{4}-.*Z$/.test(creationTimestamp ?? ''))
    const again = await bench.post(maps(bench), configMap('one'))
    equal(refusal(again), {
      status: 409,
      kind: 'Status',
      reason: 'AlreadyExists',
      message: 'configmaps "one" already exists',
    })
    equal(again.body.details, { name: 'one', kind: 'configmaps' })
  }),

  check('what is not there is a 404 that names it', async (bench) => {
    const missing = await bench.get(`${maps(bench)}/none`)
    equal(refusal(missing), {
      status: 404,
      kind: 'Status',
      reason: 'NotFound',
      message: 'configmaps "none" not found',
    })
    equal(missing.body.details, { name: 'none', kind: 'configmaps' })
    equal(refusal(await bench.delete(`${deployments(bench)}/none`)).message, 'deployments.apps "none" not found')
    equal(refusal(await bench.post('/api/v1/namespaces/nowhere/configmaps', configMap('x'))), {
      status: 404,
      kind: 'Status',
      reason: 'NotFound',
      message: 'namespaces "nowhere" not found',
    })
    equal((await bench.get(`/api/v1/namespaces/${bench.namespace}/unicorns`)).status, 404)
    equal((await bench.post(`${maps(bench)}/one`, configMap('one'))).status, 405)
  }),

  check('generateName makes names that differ', async (bench) => {
    const made = await Promise.all(
      [1, 2].map(() => bench.post(maps(bench), { metadata: { generateName: 'some-' }, data: {} })),
    )
    const [one, other] = made.map(({ body }) => body.metadata.name)
    ok(/^some-[a-z0-9]{5}$/.test(one ?? '') && /^some-[a-z0-9]{5}$/.test(other ?? '') && one !== other)
  }),

  check('a name that is none is a 422 with the field at fault', async (bench) => {
    const answer = await bench.post(maps(bench), configMap('No Name'))
    equal([answer.status, answer.body.reason, answer.body.details.causes[0]?.field], [422, 'Invalid', 'metadata.name'])
    equal(answer.body.details.causes[0]?.reason, 'FieldValueInvalid')
  }),

  check('a dry run answers like a write and changes nothing', async (bench) => {
    equal((await bench.post(`${maps(bench)}?dryRun=All`, configMap('dry'))).status, 201)
    equal((await bench.get(`${maps(bench)}/dry`)).status, 404)
    await bench.post(maps(bench), configMap('wet'))
    equal((await bench.patch(`${maps(bench)}/wet?dryRun=All`, { data: { a: '2' } })).body.data, { a: '2' })
    equal((await bench.delete(`${maps(bench)}/wet?dryRun=All`)).status, 200)
    equal((await bench.get(`${maps(bench)}/wet`)).body.data, { a: '1' })
  }),

  check('a list comes in pages of one moment, however it changes meanwhile', async (bench) => {
    for (const name of ['a', 'b', 'c', 'd', 'e'])
      await bench.post(maps(bench), configMap(name, { labels: { page: 'yes' } }))
    const path = `${maps(bench)}?labelSelector=page%3Dyes&limit=2`
    const first = await bench.get(path)
    equal(names(first.body), ['a', 'b'])
    await bench.delete(`${maps(bench)}/d`)
    const second = await bench.get(`${path}&continue=${encodeURIComponent(first.body.metadata.continue ?? '')}`)
    equal(names(second.body), ['c', 'd'])
    equal(second.body.metadata.resourceVersion, first.body.metadata.resourceVersion)
    const third = await bench.get(`${path}&continue=${encodeURIComponent(second.body.metadata.continue ?? '')}`)
    equal(names(third.body), ['e'])
    equal(third.body.metadata.continue ?? '', '')
  }),

  check('label selectors: equal, unequal, in, notin, there and not there', async (bench) => {
    for (const [name, labels] of [
      ['a', { tier: 'web', x: '1' }],
      ['b', { tier: 'db' }],
      ['c', { x: '2' }],
    ] as const)
      await bench.post(maps(bench), configMap(name, { labels: { mine: 'yes', ...labels } }))
    for (const [selector, expected] of [
      ['tier=web', ['a']],
      ['tier!=web', ['b', 'c']],
      ['tier in (web,db)', ['a', 'b']],
      ['tier notin (web)', ['b', 'c']],
      ['x', ['a', 'c']],
      ['!x', ['b']],
      ['x,tier=web', ['a']],
    ] as const) {
      const { body } = await bench.get(`${maps(bench)}?labelSelector=${encodeURIComponent(`mine=yes,${selector}`)}`)
      equal([selector, names(body)], [selector, expected])
    }
    equal((await bench.get(`${maps(bench)}?labelSelector=${encodeURIComponent('a in')}`)).status, 400)
  }),

  check('field selectors: of names and nodes; one that is not served is a 400', async (bench) => {
    await bench.post(maps(bench), configMap('a'))
    equal(names((await bench.get(`${maps(bench)}?fieldSelector=metadata.name%3Da`)).body), ['a'])
    await bench.post(pods(bench), pod('bound', { nodeName: 'nowhere' }))
    await bench.post(pods(bench), pod('unbound', { schedulerName: 'nobody' }))
    equal(names((await bench.get(`${pods(bench)}?fieldSelector=spec.nodeName%3D`)).body), ['unbound'])
    equal(names((await bench.get(`${pods(bench)}?fieldSelector=spec.nodeName%3Dnowhere`)).body), ['bound'])
    const { status, body } = await bench.get(`${maps(bench)}?fieldSelector=data.a%3D1`)
    equal([status, body.reason], [400, 'BadRequest'])
  }),

  check('an update of what has changed since is a 409; the newest wins; nothing new changes nothing', async (bench) => {
    const made = (await bench.post(maps(bench), configMap('one'))).body
    const path = `${maps(bench)}/one`
    const changed = await bench.put(path, { ...made, data: { a: '2' } })
    equal(changed.status, 200)
    equal(refusal(await bench.put(path, { ...made, data: { a: '3' } })), {
      status: 409,
      kind: 'Status',
      reason: 'Conflict',
      message:
        'Operation cannot be fulfilled on configmaps "one": the object has been modified; please apply your changes to the latest version and try again',
    })
    equal((await bench.put(path, configMap('one'))).body.data, { a: '1' })
    const before = (await bench.get(path)).body.metadata.resourceVersion
    equal((await bench.patch(path, { data: { a: '1' } })).body.metadata.resourceVersion, before)
    equal((await bench.patch(path, { metadata: { resourceVersion: '1' }, data: { a: '9' } })).status, 409)
  }),

  check('merge patches delete by null; JSON patches test; what is no patch is refused', async (bench) => {
    await bench.post(maps(bench), { ...configMap('one'), data: { a: '1', b: '2' } })
    const path = `${maps(bench)}/one`
    equal((await bench.patch(path, { data: { a: null, c: '3' } })).body.data, { b: '2', c: '3' })
    const operations = (value: string) => [
      { op: 'test', path: '/data/b', value },
      { op: 'replace', path: '/data/c', value: '4' },
    ]
    equal((await bench.patch(path, operations('2'), 'json')).body.data, { b: '2', c: '4' })
    const failed = await bench.patch(path, operations('7'), 'json')
    equal([failed.status, failed.body.reason], [422, 'Invalid'])
    const absent = [
      { op: 'test', path: '/metadata/annotations', value: null },
      { op: 'add', path: '/metadata/annotations', value: { 'example.com/a': '1' } },
    ]
    equal((await bench.patch(path, absent, 'json')).body.metadata.annotations, { 'example.com/a': '1' })
    equal((await bench.patch(path, absent, 'json')).status, 422)
    const version = [
      { op: 'test', path: '/metadata/resourceVersion', value: (await bench.get(path)).body.metadata.resourceVersion },
      { op: 'add', path: '/data/d', value: '5' },
    ]
    equal((await bench.patch(path, version, 'json')).body.data, { b: '2', c: '4', d: '5' })
    equal((await bench.patch(path, version, 'json')).status, 422)
    equal((await bench.patch(path, { op: 'test' }, 'json')).status, 400)
    equal((await bench.patch(`${maps(bench)}/none`, { data: {} })).status, 404)
  }),

  check('strategic patches merge lists by their keys, and delete from them', async (bench) => {
    await bench.post(deployments(bench), deployment('web', 0))
    const path = `${deployments(bench)}/web`
    const containers = async (patch: ReadonlyArray<object>) => {
      const { status, body } = await bench.patch(
        path,
        { spec: { template: { spec: { containers: patch } } } },
        'strategic',
      )
      equal(status, 200)
      return body.spec.template.spec.containers.map(({ name, image }) => `${name}:${image}`)
    }
    equal((await containers([{ name: 'second', image: 'two' }])).toSorted(), ['main:pause', 'second:two'])
    equal((await containers([{ name: 'main', image: 'new' }])).toSorted(), ['main:new', 'second:two'])
    equal(await containers([{ name: 'second', $patch: 'delete' }]), ['main:new'])
  }),

  check('server-side apply makes, changes, and takes away what is no longer stated', async (bench) => {
    const path = `${maps(bench)}/applied`
    const apply = (data: object, manager = 'one', more = '') =>
      bench.patch(
        `${path}?fieldManager=${manager}${more}`,
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied' }, data },
        'apply',
      )
    equal((await apply({ a: '1', b: '2' })).status, 201)
    const same = await apply({ a: '1', b: '2' })
    equal(same.status, 200)
    equal((await apply({ a: '1', b: '2' })).body.metadata.resourceVersion, same.body.metadata.resourceVersion)
    equal((await apply({ a: '2' })).body.data, { a: '2' })
    const missing = await bench.patch(path, configMap('applied'), 'apply')
    equal([missing.status, missing.body.reason], [422, 'Invalid'])
  }),

  check(
    'server-side apply refuses what another manager owns, gives it up to force, and shares what is equal',
    async (bench) => {
      const path = `${maps(bench)}/applied`
      const apply = (data: object, manager: string, more = '') =>
        bench.patch(
          `${path}?fieldManager=${manager}${more}`,
          { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied' }, data },
          'apply',
        )
      await apply({ a: '1', b: '2' }, 'one')
      equal((await apply({ a: '1' }, 'two')).status, 200)
      const refused = await apply({ a: '1', b: '3' }, 'two')
      equal(refusal(refused), {
        status: 409,
        kind: 'Status',
        reason: 'Conflict',
        message: 'Apply failed with 1 conflict: conflict with "one": .data.b',
      })
      equal(refused.body.details.causes, [
        { reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.data.b' },
      ])
      // What both state stays when one lets go of it.
      equal((await apply({ b: '2' }, 'one')).body.data, { a: '1', b: '2' })
      equal((await apply({ a: '1', b: '3' }, 'two', '&force=true')).body.data, { a: '1', b: '3' })
      equal((await apply({ b: '2' }, 'one')).status, 409)
      const managers = (await bench.get(path)).body.metadata.managedFields
      equal(managers.map(({ manager }) => manager).toSorted(), ['two'])
    },
  ),

  check('server-side apply knows items of lists by their keys', async (bench) => {
    const path = `${deployments(bench)}/web`
    const apply = (containers: ReadonlyArray<object>, manager: string, more = '') => {
      const { metadata, spec, ...rest } = deployment('web', 0)
      const template = { ...spec.template, spec: { containers } }
      return bench.patch(
        `${path}?fieldManager=${manager}${more}`,
        { ...rest, metadata, spec: manager === 'one' ? { ...spec, template } : { template: { spec: { containers } } } },
        'apply',
      )
    }
    equal((await apply([{ name: 'main', image: 'pause' }], 'one')).status, 201)
    const second = await apply([{ name: 'second', image: 'two' }], 'two')
    equal(second.status, 200)
    const imagesOf = ({ spec }: Body) => spec.template.spec.containers.map(({ image }) => image).toSorted()
    equal(imagesOf(second.body), ['pause', 'two'])
    equal(
      refusal(await apply([{ name: 'main', image: 'other' }], 'two')).message,
      'Apply failed with 1 conflict: conflict with "one": .spec.template.spec.containers[name="main"].image',
    )
    equal(imagesOf((await apply([{ name: 'third', image: 'three' }], 'two')).body), ['pause', 'three'])
  }),

  check('finalizers hold an object until the last one goes; none can be added then', async (bench) => {
    await bench.post(maps(bench), configMap('held', { finalizers: ['example.com/hold'] }))
    const path = `${maps(bench)}/held`
    const deleted = await bench.delete(path)
    equal(deleted.status, 200)
    ok(deleted.body.metadata.deletionTimestamp !== undefined)
    equal((await bench.get(path)).status, 200)
    const added = await bench.patch(path, { metadata: { finalizers: ['example.com/hold', 'example.com/new'] } })
    equal([added.status, added.body.reason], [422, 'Invalid'])
    equal((await bench.patch(path, { metadata: { finalizers: null } })).status, 200)
    equal((await bench.get(path)).status, 404)
  }),

  check('preconditions of a deletion: another UID is a 409', async (bench) => {
    await bench.post(maps(bench), configMap('one'))
    const refused = await bench.delete(`${maps(bench)}/one`, {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions: { uid: 'another' },
    })
    equal([refused.status, refused.body.reason], [409, 'Conflict'])
    equal((await bench.delete(`${maps(bench)}/one`)).body.status, 'Success')
  }),

  check('a collection is deleted by its labels', async (bench) => {
    for (const name of ['a', 'b', 'c'])
      await bench.post(maps(bench), configMap(name, { labels: { go: name === 'c' ? 'no' : 'yes' } }))
    equal((await bench.delete(`${maps(bench)}?labelSelector=go%3Dyes`)).status, 200)
    equal(names((await bench.get(`${maps(bench)}?labelSelector=go`)).body), ['c'])
  }),

  check(
    'dependents go after their owner in the background, before it in the foreground, and stay as orphans',
    async (bench) => {
      const path = (name: string) => `${maps(bench)}/${name}`
      const family = async (owner: string, finalizers: ReadonlyArray<string> = []) => {
        const { uid } = (await bench.post(maps(bench), configMap(owner))).body.metadata
        const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: owner, uid, blockOwnerDeletion: true }]
        await bench.post(maps(bench), configMap(`${owner}-child`, { ownerReferences, finalizers }))
      }
      const isGone = (name: string) => async () => (await bench.get(path(name))).status === 404
      await family('background')
      await bench.delete(`${path('background')}?propagationPolicy=Background`)
      equal(await isGone('background')(), true)
      await bench.until('the child is collected', isGone('background-child'))

      await family('foreground', ['example.com/hold'])
      const deleted = await bench.delete(`${path('foreground')}?propagationPolicy=Foreground`)
      equal(deleted.body.metadata.finalizers, ['foregroundDeletion'])
      await bench.until(
        'the child is being deleted',
        async () => (await bench.get(path('foreground-child'))).body.metadata.deletionTimestamp !== undefined,
      )
      equal((await bench.get(path('foreground'))).status, 200)
      await bench.patch(path('foreground-child'), { metadata: { finalizers: null } })
      await bench.until('the owner follows', isGone('foreground'))

      await family('orphan')
      await bench.delete(`${path('orphan')}?propagationPolicy=Orphan`)
      await bench.until('the owner is gone', isGone('orphan'))
      equal((await bench.get(path('orphan-child'))).body.metadata.ownerReferences, undefined)
    },
  ),

  check('status is written through its sub-resource alone, and counts no generation', async (bench) => {
    const made = (await bench.post(deployments(bench), deployment('web', 0))).body
    equal(made.metadata.generation, 1)
    const path = `${deployments(bench)}/web`
    equal((await bench.patch(path, { status: { replicas: 7 } })).body.status.replicas ?? 0, 0)
    const condition = { type: 'Test', status: 'True', reason: 'Test', message: 'test' }
    const written = await bench.patch(`${path}/status`, { status: { conditions: [condition] }, spec: { replicas: 5 } })
    equal([written.status, written.body.spec.replicas, written.body.metadata.generation], [200, 0, 1])
    equal((await bench.patch(path, { spec: { minReadySeconds: 1 } })).body.metadata.generation, 2)
  }),

  check('scale reads and writes replicas', async (bench) => {
    await bench.post(deployments(bench), deployment('web', 0))
    const path = `${deployments(bench)}/web/scale`
    const scale = (await bench.get(path)).body
    equal([scale.kind, scale.apiVersion, scale.spec.replicas ?? 0], ['Scale', 'autoscaling/v1', 0])
    equal(scale.status.selector, 'app=web')
    equal((await bench.patch(path, { spec: { replicas: 2 } })).body.spec.replicas, 2)
    equal((await bench.get(`${deployments(bench)}/web`)).body.spec.replicas, 2)
  }),

  check('label keys of a pod’s own terms are merged into their selectors when it is made', async (bench) => {
    const selected = { topologyKey: 'zone', labelSelector: { matchLabels: { app: 'web' } } }
    const term = { ...selected, matchLabelKeys: ['rev', 'none'], mismatchLabelKeys: ['team'] }
    const terms = {
      requiredDuringSchedulingIgnoredDuringExecution: [term],
      preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: term }],
    }
    const constraint = { ...selected, maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule', matchLabelKeys: ['rev'] }
    const affinity = { podAffinity: terms, podAntiAffinity: terms }
    const one = pod('one', { ...nobody, affinity, topologySpreadConstraints: [constraint] })
    const labels = { app: 'web', rev: '1', team: 'a' }
    await bench.post(pods(bench), { ...one, metadata: { name: 'one', labels } })
    await bench.patch(`${pods(bench)}/one`, { metadata: { labels: { rev: '2' } } })
    const { spec } = (await bench.get(`${pods(bench)}/one`)).body as unknown as {
      readonly spec: { readonly affinity: unknown; readonly topologySpreadConstraints: ReadonlyArray<object> }
    }
    const ofRevision = { key: 'rev', operator: 'In', values: ['1'] }
    const merged = (matchExpressions: ReadonlyArray<object>) => ({ matchLabels: { app: 'web' }, matchExpressions })
    const termNow = {
      ...term,
      labelSelector: merged([ofRevision, { key: 'team', operator: 'NotIn', values: ['a'] }]),
    }
    const termsNow = {
      requiredDuringSchedulingIgnoredDuringExecution: [termNow],
      preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: termNow }],
    }
    equal(spec.affinity, { podAffinity: termsNow, podAntiAffinity: termsNow })
    equal(spec.topologySpreadConstraints, [{ ...constraint, labelSelector: merged([ofRevision]) }])
  }),

  check('a pod is bound once, and what it asks for cannot change', async (bench) => {
    await bench.post(pods(bench), pod('one', { schedulerName: 'nobody' }))
    const bind = (name: string) =>
      bench.post(`${pods(bench)}/one/binding`, {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: 'one' },
        target: { apiVersion: 'v1', kind: 'Node', name },
      })
    equal((await bind('somewhere')).status, 201)
    equal((await bench.get(`${pods(bench)}/one`)).body.spec.nodeName, 'somewhere')
    const again = await bind('elsewhere')
    equal([again.status, again.body.reason], [409, 'Conflict'])
    const moved = await bench.patch(`${pods(bench)}/one`, { spec: { nodeName: 'elsewhere' } })
    equal([moved.status, moved.body.reason], [422, 'Invalid'])
  }),

  check('an eviction that a budget does not allow is a 429; one that it allows takes the pod', async (bench) => {
    const node = await makeNode(bench)
    await bench.post(deployments(bench), deployment('web', 1, onNode(node)))
    const selector = { matchLabels: { app: 'web' } }
    await bench.post(budgets(bench), {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'web' },
      spec: { minAvailable: 1, selector },
    })
    const statusOf = async () => (await bench.get(`${budgets(bench)}/web`)).body.status
    await bench.until('the budget has counted', async () => (await statusOf()).currentHealthy === 1)
    const runningThere = async () =>
      names(
        (
          await bench.get(
            `${pods(bench)}?fieldSelector=${encodeURIComponent(`spec.nodeName=${node},status.phase=Running`)}`,
          )
        ).body,
      )
    const [name = ''] = await runningThere()
    const evict = () =>
      bench.post(`${pods(bench)}/${name}/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } })
    const refused = await evict()
    equal(refusal(refused), {
      status: 429,
      kind: 'Status',
      reason: 'TooManyRequests',
      message: "Cannot evict pod as it would violate the pod's disruption budget.",
    })
    equal(refused.body.details.causes[0]?.reason, 'DisruptionBudget')
    await bench.patch(`${budgets(bench)}/web`, { spec: { minAvailable: 0 } })
    await bench.until('the budget allows one', async () => (await statusOf()).disruptionsAllowed === 1)
    equal((await evict()).status, 201)
    await bench.until('the pod is gone', async () => (await bench.get(`${pods(bench)}/${name}`)).status === 404)
    equal((await bench.delete(`${deployments(bench)}/web`)).status, 200)
    await bench.delete(`/api/v1/nodes/${node}`)
  }),

  check('a watch tells what happened after a version, and what leaves a selector as deleted', async (bench) => {
    const start = (await bench.get(maps(bench))).body.metadata.resourceVersion
    const made = (await bench.post(maps(bench), configMap('one', { labels: { seen: 'yes' } }))).body
    await bench.patch(`${maps(bench)}/one`, { data: { a: '2' } })
    await bench.patch(`${maps(bench)}/one`, { metadata: { labels: { seen: 'no' } } })
    await bench.delete(`${maps(bench)}/one`)
    const told = async (query: string) =>
      (await bench.watch(`${maps(bench)}?${query}`))
        .filter(({ type, object }) => type !== 'BOOKMARK' && object.metadata.name === 'one')
        .map(({ type }) => type)
    equal(await told(`resourceVersion=${start}`), ['ADDED', 'MODIFIED', 'MODIFIED', 'DELETED'])
    const from = made.metadata.resourceVersion
    equal(await told(`resourceVersion=${from}`), ['MODIFIED', 'MODIFIED', 'DELETED'])
    equal(await told(`resourceVersion=${start}&labelSelector=seen%3Dyes`), ['ADDED', 'MODIFIED', 'DELETED'])
  }),

  check('a watch can begin with what there is, closed by a bookmark', async (bench) => {
    await bench.post(maps(bench), configMap('one', { labels: { list: 'yes' } }))
    const events = await bench.watch(
      `${maps(bench)}?labelSelector=list%3Dyes&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
    )
    equal(
      events.slice(0, 2).map(({ type }) => type),
      ['ADDED', 'BOOKMARK'],
    )
    equal(events[1]?.object.metadata.annotations, { 'k8s.io/initial-events-end': 'true' })
  }),

  check(
    'what happens while a watch begins with what there is follows the bookmark, and nothing is lost',
    async (bench) => {
      const begin = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan'
      for (const name of ['b', 'a']) await bench.post(maps(bench), configMap(name, { labels: { list: 'yes' } }))
      const { resourceVersion } = (await bench.get(maps(bench))).body.metadata
      const watching = Promise.all([
        bench.watch(`${maps(bench)}?${begin}&labelSelector=list%3Dyes&allowWatchBookmarks=true`),
        // Who asks for no bookmarks is told no end.
        bench.watch(`${maps(bench)}?${begin}&labelSelector=list%3Dyes`),
        bench.watch(`${maps(bench)}?${begin}&labelSelector=list%3Dno&allowWatchBookmarks=true`),
      ])
      await bench.pause(500)
      await bench.patch(`${maps(bench)}/a`, { data: { a: '2' } })
      await bench.delete(`${maps(bench)}/b`)
      const [events, bare, none] = await watching
      const told = ['ADDED a', 'ADDED b', 'MODIFIED a', 'DELETED b']
      const said = (all: typeof events) => all.map(({ type, object }) => `${type} ${object.metadata.name ?? ''}`.trim())
      equal(said(events).slice(0, 5), [...told.slice(0, 2), 'BOOKMARK', ...told.slice(2)])
      equal(said(bare), told)
      equal(none[0]?.object.metadata.annotations, { 'k8s.io/initial-events-end': 'true' })
      ok(Number(events[2]?.object.metadata.resourceVersion) >= Number(resourceVersion))
    },
  ),

  check('initial events are refused where their parameters contradict each other', async (bench) => {
    const refused = async (query: string) => {
      const { status, body } = await bench.get(`${maps(bench)}?${query}`)
      return [status, body.reason, body.message]
    }
    const because = (words: string) => [422, 'Invalid', `ListOptions.meta.k8s.io "" is invalid: ${words}`]
    equal(
      await refused('watch=true&sendInitialEvents=true'),
      because(
        'resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
      ),
    )
    equal(
      await refused('watch=true&resourceVersionMatch=NotOlderThan'),
      because(
        'resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
      ),
    )
    equal(
      await refused('sendInitialEvents=true'),
      because('sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list'),
    )
  }),

  check('what the server has forgotten is a 410', async (bench) => {
    for (const name of ['a', 'b', 'c']) await bench.post(maps(bench), configMap(name, { labels: { old: 'yes' } }))
    const first = await bench.get(`${maps(bench)}?labelSelector=old&limit=1`)
    const { resourceVersion, continue: token } = first.body.metadata
    await bench.patch(`${maps(bench)}/a`, { data: { a: '2' } })
    await bench.forget()
    const exact = await bench.get(`${maps(bench)}?resourceVersion=${resourceVersion}&resourceVersionMatch=Exact`)
    equal([exact.status, exact.body.reason], [410, 'Expired'])
    const next = await bench.get(`${maps(bench)}?limit=1&continue=${encodeURIComponent(token ?? '')}`)
    equal([next.status, next.body.reason], [410, 'Expired'])
    const [event] = await bench.watch(`${maps(bench)}?resourceVersion=${resourceVersion}`)
    // As an event of the watch, or as its only answer.
    const failure = event?.type === 'ERROR' ? event.object : (event as unknown as Body | undefined)
    equal([failure?.code, failure?.reason], [410, 'Expired'])
  }),

  ...defaultChecks,
  ...workloadChecks,
  ...daemonSetChecks,
  ...jobChecks,
]
