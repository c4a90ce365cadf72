import type { KubeObject } from '../face.ts'
import {
  forbidden,
  forbiddenValue,
  invalidValue,
  requiredValue,
  unsupportedValue,
  type FieldError,
} from '../server/failures.ts'
import { equalJson, isObject, objectAt, objectsAt, stringAt, type JsonObject } from '../server/json.ts'
import { labelName, qualifiedName, labelValue } from '../server/metadata.ts'
import type { Surroundings } from '../server/registry.ts'
import { canonicalResources, validateResources } from './amounts.ts'
import { mergeLabelKeys } from './label-keys.ts'

// `??=` for records: sets a default only where the client left the field out (or sent null).
const setDefault = (object: JsonObject, key: string, value: unknown): void => {
  if (object[key] === undefined || object[key] === null) object[key] = value
}

/** Defaults of a pod template's spec, in place: those that do not depend on the cluster. */
export const defaultPodSpec = (spec: JsonObject): void => {
  setDefault(spec, 'restartPolicy', 'Always')
  setDefault(spec, 'terminationGracePeriodSeconds', 30)
  setDefault(spec, 'dnsPolicy', 'ClusterFirst')
  setDefault(spec, 'schedulerName', 'default-scheduler')
  setDefault(spec, 'securityContext', {})
  const account = stringAt(spec, 'serviceAccountName') ?? stringAt(spec, 'serviceAccount')
  if (account) {
    spec['serviceAccountName'] = account
    spec['serviceAccount'] = account
  }
  for (const container of objectsAt(spec, 'initContainers')) defaultContainer(container)
  for (const container of objectsAt(spec, 'containers')) defaultContainer(container)
  canonicalResources(spec, 'overhead')
  for (const volume of objectsAt(spec, 'volumes')) defaultVolume(volume)
}

const defaultContainer = (container: JsonObject): void => {
  setDefault(container, 'terminationMessagePath', '/dev/termination-log')
  setDefault(container, 'terminationMessagePolicy', 'File')
  const image = stringAt(container, 'image') ?? ''
  const tag = /:([^/:@]+)(@|$)/.exec(image)?.[1]
  const moving = !image.includes('@') && (tag === undefined || tag === 'latest')
  setDefault(container, 'imagePullPolicy', moving ? 'Always' : 'IfNotPresent')
  setDefault(container, 'resources', {})
  const resources = objectAt(container, 'resources')
  if (resources !== undefined) {
    canonicalResources(resources, 'limits')
    canonicalResources(resources, 'requests')
  }
  for (const port of objectsAt(container, 'ports')) setDefault(port, 'protocol', 'TCP')
  for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    const settings = objectAt(container, probe)
    if (settings === undefined) continue
    setDefault(settings, 'timeoutSeconds', 1)
    setDefault(settings, 'periodSeconds', 10)
    setDefault(settings, 'successThreshold', 1)
    setDefault(settings, 'failureThreshold', 3)
    defaultRequest(settings)
  }
  for (const hook of ['postStart', 'preStop']) defaultRequest(objectAt(objectAt(container, 'lifecycle'), hook))
  for (const variable of objectsAt(container, 'env')) {
    const source = objectAt(objectAt(variable, 'valueFrom'), 'fieldRef')
    if (source !== undefined) setDefault(source, 'apiVersion', 'v1')
  }
}

const defaultRequest = (handler: JsonObject | undefined): void => {
  const http = objectAt(handler, 'httpGet')
  if (http === undefined) return
  setDefault(http, 'path', '/')
  setDefault(http, 'scheme', 'HTTP')
}

const defaultVolume = (volume: JsonObject): void => {
  const directory = objectAt(volume, 'hostPath')
  if (directory !== undefined) setDefault(directory, 'type', '')
  for (const source of ['configMap', 'secret', 'projected', 'downwardAPI']) {
    const settings = objectAt(volume, source)
    if (settings !== undefined) setDefault(settings, 'defaultMode', 420)
  }
  const claim = objectAt(objectAt(objectAt(volume, 'ephemeral'), 'volumeClaimTemplate'), 'spec')
  if (claim !== undefined) setDefault(claim, 'volumeMode', 'Filesystem')
}

/** What admission does to a pod, beyond a template's defaults: priority, default tolerations, service account. */
export const admitPod = (pod: JsonObject, surroundings: Surroundings): void => {
  const spec = objectAt(pod, 'spec')
  if (spec === undefined) return
  defaultPodSpec(spec)
  for (const list of ['initContainers', 'containers']) objectsAt(spec, list).forEach(askForLimits)
  setDefault(spec, 'enableServiceLinks', true)
  if (!stringAt(spec, 'serviceAccountName')) {
    spec['serviceAccountName'] = 'default'
    spec['serviceAccount'] = 'default'
  }
  admitPriority(pod, spec, surroundings)
  for (const key of ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']) tolerateForAWhile(spec, key)
}

/** A limit without a request asks for the limit; in the template of a workload it does not yet. */
const askForLimits = (container: JsonObject): void => {
  const resources = objectAt(container, 'resources')
  const limits = objectAt(resources, 'limits')
  if (resources === undefined || limits === undefined) return
  const requests = objectAt(resources, 'requests') ?? {}
  for (const [name, amount] of Object.entries(limits)) if (!Object.hasOwn(requests, name)) requests[name] = amount
  resources['requests'] = requests
}

const tolerateForAWhile = (spec: JsonObject, key: string): void => {
  const tolerations = objectsAt(spec, 'tolerations')
  const tolerated = tolerations.some(
    (toleration) =>
      (!stringAt(toleration, 'key') || toleration['key'] === key) &&
      (!stringAt(toleration, 'effect') || toleration['effect'] === 'NoExecute'),
  )
  if (tolerated) return
  const added = { key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }
  spec['tolerations'] = [...tolerations, added]
}

const admitPriority = (pod: JsonObject, spec: JsonObject, surroundings: Surroundings): void => {
  const className = stringAt(spec, 'priorityClassName')
  const name = stringAt(objectAt(pod, 'metadata'), 'name') ?? ''
  const key = 'priorityclasses.scheduling.k8s.io'
  let priorityClass: KubeObject | undefined
  if (className) {
    priorityClass = surroundings.peek(key, '', className)
    if (priorityClass === undefined) {
      throw forbidden({ group: '', kind: 'pods', name }, `no PriorityClass with name ${className} was found`)
    }
  } else {
    for (const candidate of surroundings.values(key)) if (candidate['globalDefault'] === true) priorityClass = candidate
    if (priorityClass !== undefined) spec['priorityClassName'] = priorityClass.metadata.name
  }
  const priority = typeof priorityClass?.['value'] === 'number' ? priorityClass['value'] : 0
  const given = spec['priority']
  if (typeof given === 'number' && given !== priority) {
    throw forbidden(
      { group: '', kind: 'pods', name },
      `the integer value of priority (${given}) must not be provided in pod spec; priority admission controller computed ${priority} from the given PriorityClass name`,
    )
  }
  spec['priority'] = priority
  setDefault(spec, 'preemptionPolicy', priorityClass?.['preemptionPolicy'] ?? 'PreemptLowerPriority')
}

/** What a new pod gets once. Source: Kubernetes' documentation of pod quality of service classes. */
export const initializePod = (pod: JsonObject): void => {
  mergeLabelKeys(pod)
  pod['status'] = { phase: 'Pending', qosClass: qosClassOf(objectAt(pod, 'spec')) }
}

const qosClassOf = (spec: JsonObject | undefined): string => {
  const containers = [...objectsAt(spec, 'containers'), ...objectsAt(spec, 'initContainers')]
  let any = false
  let guaranteed = true
  for (const container of containers) {
    const resources = objectAt(container, 'resources')
    const requests = objectAt(resources, 'requests') ?? {}
    const limits = objectAt(resources, 'limits') ?? {}
    for (const name of ['cpu', 'memory']) {
      if (requests[name] !== undefined || limits[name] !== undefined) any = true
      if (limits[name] === undefined || !equalJson(limits[name], requests[name])) guaranteed = false
    }
  }
  return !any ? 'BestEffort' : guaranteed ? 'Guaranteed' : 'Burstable'
}

const restartPolicies = ['Always', 'OnFailure', 'Never']

/** Light validation of a pod's spec, at `field` (`spec`, or `spec.template.spec`). */
export const validatePodSpec = (spec: JsonObject | undefined, field: string): ReadonlyArray<FieldError> => {
  if (spec === undefined) return [requiredValue(`${field}.containers`)]
  const errors: FieldError[] = []
  if (objectsAt(spec, 'containers').length === 0) errors.push(requiredValue(`${field}.containers`))
  for (const list of ['initContainers', 'containers']) {
    objectsAt(spec, list).forEach((container, index) => {
      errors.push(...validateContainer(container, `${field}.${list}[${index}]`))
    })
  }
  const restartPolicy = spec['restartPolicy']
  if (!restartPolicies.includes(String(restartPolicy))) {
    errors.push(unsupportedValue(`${field}.restartPolicy`, restartPolicy, restartPolicies))
  }
  const grace = spec['terminationGracePeriodSeconds']
  if (typeof grace !== 'number' || grace < 0) {
    errors.push(invalidValue(`${field}.terminationGracePeriodSeconds`, grace, 'must be greater than or equal to 0'))
  }
  objectsAt(spec, 'tolerations').forEach((toleration, index) => {
    errors.push(...validateToleration(toleration, `${field}.tolerations[${index}]`))
  })
  objectsAt(spec, 'topologySpreadConstraints').forEach((constraint, index) => {
    errors.push(...validateSpread(constraint, `${field}.topologySpreadConstraints[${index}]`))
  })
  for (const [key, value] of Object.entries(objectAt(spec, 'nodeSelector') ?? {})) {
    const problem = qualifiedName(key) ?? (typeof value === 'string' ? labelValue(value) : 'must be a string')
    if (problem !== undefined) errors.push(invalidValue(`${field}.nodeSelector`, key, problem))
  }
  return errors
}

const validateContainer = (container: JsonObject, field: string): ReadonlyArray<FieldError> => {
  const errors: FieldError[] = []
  const name = stringAt(container, 'name')
  if (!name) errors.push(requiredValue(`${field}.name`))
  else {
    const problem = labelName(name)
    if (problem !== undefined) errors.push(invalidValue(`${field}.name`, name, problem))
  }
  if (!stringAt(container, 'image')) errors.push(requiredValue(`${field}.image`))
  const resources = objectAt(container, 'resources')
  if (resources !== undefined) errors.push(...validateResources(resources, `${field}.resources`))
  return errors
}

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

const validateToleration = (toleration: JsonObject, field: string): ReadonlyArray<FieldError> => {
  const errors: FieldError[] = []
  const operator = toleration['operator'] ?? 'Equal'
  const key = stringAt(toleration, 'key')
  if (operator !== 'Equal' && operator !== 'Exists' && operator !== '') {
    errors.push(unsupportedValue(`${field}.operator`, operator, ['Equal', 'Exists']))
  }
  if (!key && operator !== 'Exists') {
    errors.push(
      invalidValue(
        `${field}.operator`,
        operator,
        'operator must be Exists when `key` is empty, which means "match all values and all keys"',
      ),
    )
  }
  if (operator === 'Exists' && toleration['value']) {
    errors.push(
      invalidValue(`${field}.operator`, toleration['value'], "value must be empty when `operator` is 'Exists'"),
    )
  }
  const effect = toleration['effect']
  if (typeof effect === 'string' && effect !== '' && !effects.includes(effect)) {
    errors.push(unsupportedValue(`${field}.effect`, effect, effects))
  }
  if (toleration['tolerationSeconds'] !== undefined && effect !== 'NoExecute') {
    errors.push(
      invalidValue(`${field}.effect`, effect ?? '', "effect must be 'NoExecute' when `tolerationSeconds` is set"),
    )
  }
  return errors
}

const spreadActions = ['DoNotSchedule', 'ScheduleAnyway']

const validateSpread = (constraint: JsonObject, field: string): ReadonlyArray<FieldError> => {
  const errors: FieldError[] = []
  const { maxSkew, minDomains, whenUnsatisfiable } = constraint
  if (typeof maxSkew !== 'number' || maxSkew <= 0) {
    errors.push(invalidValue(`${field}.maxSkew`, maxSkew ?? 0, 'must be greater than zero'))
  }
  if (!stringAt(constraint, 'topologyKey')) errors.push(requiredValue(`${field}.topologyKey`, 'can not be empty'))
  if (!spreadActions.includes(String(whenUnsatisfiable))) {
    errors.push(unsupportedValue(`${field}.whenUnsatisfiable`, whenUnsatisfiable ?? '', spreadActions))
  }
  if (minDomains !== undefined && (typeof minDomains !== 'number' || minDomains <= 0)) {
    errors.push(invalidValue(`${field}.minDomains`, minDomains, 'must be greater than zero'))
  }
  if (minDomains !== undefined && whenUnsatisfiable === 'ScheduleAnyway') {
    errors.push(
      invalidValue(
        `${field}.minDomains`,
        minDomains,
        'can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway',
      ),
    )
  }
  return errors
}

/** A pod's spec at creation, and what of it may change afterwards. */
export const validatePod = (pod: KubeObject, previous: KubeObject | undefined): ReadonlyArray<FieldError> => {
  const spec = objectAt(pod, 'spec')
  if (previous === undefined) return validatePodSpec(spec, 'spec')
  const before = objectAt(previous, 'spec')
  if (spec === undefined || before === undefined || equalJson(fixedPart(spec), fixedPart(before))) {
    return spec === undefined || before === undefined ? [] : validateTolerationChange(spec, before)
  }
  return [
    forbiddenValue(
      'spec',
      'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
    ),
  ]
}

const fixedPart = (spec: JsonObject): JsonObject => {
  const { tolerations: _t, activeDeadlineSeconds: _a, schedulingGates, ...rest } = spec
  const withoutImages = (list: unknown): unknown =>
    Array.isArray(list) ? list.map((each) => (isObject(each) ? { ...each, image: undefined } : each)) : undefined
  const gated = Array.isArray(schedulingGates) && schedulingGates.length > 0
  return {
    ...rest,
    // A gated pod's placement may still be narrowed; that it is only narrowed is not checked.
    ...(gated ? { nodeSelector: undefined, affinity: undefined } : {}),
    containers: withoutImages(spec['containers']),
    initContainers: withoutImages(spec['initContainers']),
  }
}

const validateTolerationChange = (spec: JsonObject, before: JsonObject): ReadonlyArray<FieldError> => {
  const now = objectsAt(spec, 'tolerations')
  const kept = objectsAt(before, 'tolerations').every((old) =>
    now.some((each) => equalJson({ ...each, tolerationSeconds: undefined }, { ...old, tolerationSeconds: undefined })),
  )
  return kept
    ? []
    : [forbiddenValue('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds')]
}
