import { taintEffects } from '@scantling/core'
import type { KubeObject } from '../face.ts'
import { forbiddenValue, invalidValue, requiredValue, unsupportedValue, type FieldError } from '../server/failures.ts'
import { equalJson, objectAt, objectsAt, stringAt, valueAtPath, type JsonObject } from '../server/json.ts'
import { dns1035Name, labelName, labelValue, pathSegmentName, qualifiedName } from '../server/metadata.ts'
import type { ResourceType } from '../server/registry.ts'
import { canonicalResources, validateResourceList } from './amounts.ts'
import { ageColumn, column, nameColumn, pathColumn, specOf, statusOf } from './columns.ts'
import { define } from './define.ts'

const setDefault = (object: JsonObject, key: string, value: unknown): void => {
  if (object[key] === undefined || object[key] === null) object[key] = value
}

const initialPhase =
  (phase: string): ResourceType['initialize'] =>
  (object) => {
    object['status'] = { phase }
  }

const conditionStatus = (object: KubeObject, type: string): unknown =>
  objectsAt(statusOf(object), 'conditions').find((condition) => condition['type'] === type)?.['status']

const nodeStatusText = (node: KubeObject): string => {
  const ready = conditionStatus(node, 'Ready')
  const words = [ready === 'True' ? 'Ready' : ready === undefined ? 'Unknown' : 'NotReady']
  if (specOf(node)?.['unschedulable'] === true) words.push('SchedulingDisabled')
  return words.join(',')
}

const rolePrefix = 'node-role.kubernetes.io/'

const nodeRoles = (node: KubeObject): string => {
  const roles = Object.keys(node.metadata.labels ?? {})
    .filter((key) => key.startsWith(rolePrefix))
    .map((key) => key.slice(rolePrefix.length))
  return roles.length === 0 ? '<none>' : roles.sort().join(',')
}

const nodeAddress = (node: KubeObject, type: string): string =>
  stringAt(
    objectsAt(statusOf(node), 'addresses').find((address) => address['type'] === type),
    'address',
  ) ?? '<none>'

const nodeInfoColumn = (name: string, key: string) =>
  pathColumn(name, 'string', `status.nodeInfo.${key}`, { priority: 1, none: '<unknown>' })

const validateNode = (node: KubeObject, previous: KubeObject | undefined): ReadonlyArray<FieldError> => {
  const errors: FieldError[] = []
  const seen = new Set<string>()
  objectsAt(specOf(node), 'taints').forEach((taint, index) => {
    const field = `spec.taints[${index}]`
    const key = stringAt(taint, 'key')
    if (!key) errors.push(requiredValue(`${field}.key`))
    else {
      const problem = qualifiedName(key)
      if (problem !== undefined) errors.push(invalidValue(`${field}.key`, key, problem))
    }
    const value = stringAt(taint, 'value') ?? ''
    const problem = labelValue(value)
    if (problem !== undefined) errors.push(invalidValue(`${field}.value`, value, problem))
    const effect = taint['effect']
    if (!taintEffects.some((known) => known === effect))
      errors.push(unsupportedValue(`${field}.effect`, effect ?? '', taintEffects))
    const place = `${key ?? ''}:${String(effect)}`
    if (seen.has(place)) {
      errors.push({
        field,
        reason: 'FieldValueDuplicate',
        message: `Duplicate value: ${JSON.stringify(taint)}: taints must be unique by key and effect pair`,
      })
    }
    seen.add(place)
  })
  for (const list of ['capacity', 'allocatable']) {
    errors.push(...validateResourceList(objectAt(statusOf(node), list), `status.${list}`))
  }
  const before = stringAt(previous === undefined ? undefined : specOf(previous), 'providerID')
  if (before && stringAt(specOf(node), 'providerID') !== before) {
    errors.push(forbiddenValue('spec.providerID', 'node updates may not change providerID except from "" to valid'))
  }
  return errors
}

const immutableFields =
  (...fields: ReadonlyArray<string>): ResourceType['validate'] =>
  (object, previous) =>
    previous === undefined
      ? []
      : fields
          .filter((field) => !equalJson(valueAtPath(object, field), valueAtPath(previous, field)))
          .map((field) => invalidValue(field, valueAtPath(object, field), 'field is immutable'))

const defaultClassAnnotation = 'storageclass.kubernetes.io/is-default-class'

const accessModes: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
}

const accessModesColumn = column('Access Modes', 'string', (object) => {
  const modes = specOf(object)?.['accessModes']
  return Array.isArray(modes) ? modes.map((mode) => accessModes[String(mode)] ?? mode).join(',') : ''
})

const sizeOf = (key: string) =>
  column(key, 'integer', (object) => {
    const data = object['data']
    return typeof data === 'object' && data !== null ? Object.keys(data).length : 0
  })

/** Nodes, namespaces, storage, configuration, leases: what workloads lean on. */
export const clusterTypes: ReadonlyArray<ResourceType> = [
  define('v1', 'Node', 'nodes', {
    shortNames: ['no'],
    namespaced: false,
    hasStatus: true,
    keepsStatusOnCreate: true,
    selectableFields: ['spec.unschedulable'],
    admit: (node) => {
      setDefault(node, 'spec', {})
      const status = objectAt(node, 'status')
      if (status !== undefined) {
        canonicalResources(status, 'capacity')
        // What a node may give away is what it has, until its kubelet knows better.
        if (status['allocatable'] === undefined && status['capacity'] !== undefined) {
          status['allocatable'] = { ...objectAt(status, 'capacity') }
        }
        canonicalResources(status, 'allocatable')
      }
      return []
    },
    validate: validateNode,
    allColumns: [
      nameColumn,
      column('Status', 'string', nodeStatusText),
      column('Roles', 'string', nodeRoles),
      ageColumn,
      pathColumn('Version', 'string', 'status.nodeInfo.kubeletVersion', { none: '' }),
      column('Internal-IP', 'string', (node) => nodeAddress(node, 'InternalIP'), { priority: 1 }),
      column('External-IP', 'string', (node) => nodeAddress(node, 'ExternalIP'), { priority: 1 }),
      nodeInfoColumn('OS-Image', 'osImage'),
      nodeInfoColumn('Kernel-Version', 'kernelVersion'),
      nodeInfoColumn('Container-Runtime', 'containerRuntimeVersion'),
    ],
  }),
  define('v1', 'Namespace', 'namespaces', {
    shortNames: ['ns'],
    namespaced: false,
    hasStatus: true,
    selectableFields: ['status.phase'],
    nameRule: labelName,
    admit: (namespace) => {
      setDefault(namespace, 'spec', { finalizers: ['kubernetes'] })
      const metadata = namespace['metadata'] as JsonObject
      const labels = { ...objectAt(metadata, 'labels'), 'kubernetes.io/metadata.name': metadata['name'] }
      if (!equalJson(metadata['labels'], labels)) namespace['metadata'] = { ...metadata, labels }
      return []
    },
    initialize: initialPhase('Active'),
    columns: [pathColumn('Status', 'string', 'status.phase')],
  }),
  define('v1', 'Service', 'services', {
    shortNames: ['svc'],
    categories: ['all'],
    hasStatus: true,
    nameRule: dns1035Name,
    selectableFields: ['spec.clusterIP', 'spec.type'],
    admit: (service) => {
      const spec = objectAt(service, 'spec')
      if (spec !== undefined) {
        setDefault(spec, 'type', 'ClusterIP')
        setDefault(spec, 'sessionAffinity', 'None')
        setDefault(spec, 'internalTrafficPolicy', 'Cluster')
        for (const port of objectsAt(spec, 'ports')) {
          setDefault(port, 'protocol', 'TCP')
          setDefault(port, 'targetPort', port['port'])
        }
      }
      return []
    },
    initialize: (service) => {
      service['status'] = { loadBalancer: {} }
    },
    columns: [
      pathColumn('Type', 'string', 'spec.type'),
      pathColumn('Cluster-IP', 'string', 'spec.clusterIP'),
      column('External-IP', 'string', () => '<none>'),
      column('Port(s)', 'string', (service) => {
        const ports = objectsAt(specOf(service), 'ports')
        return ports.length === 0
          ? '<none>'
          : ports.map((port) => `${String(port['port'])}/${String(port['protocol'])}`).join(',')
      }),
    ],
  }),
  define('v1', 'Endpoints', 'endpoints', { shortNames: ['ep'] }),
  define('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices'),
  define('v1', 'ConfigMap', 'configmaps', { shortNames: ['cm'], columns: [sizeOf('Data')] }),
  define('v1', 'Secret', 'secrets', {
    selectableFields: ['type'],
    admit: (secret) => {
      setDefault(secret, 'type', 'Opaque')
      const plain = objectAt(secret, 'stringData')
      if (plain !== undefined) {
        const encoded = Object.entries(plain).map(([key, value]) => [
          key,
          Buffer.from(String(value)).toString('base64'),
        ])
        secret['data'] = { ...objectAt(secret, 'data'), ...Object.fromEntries(encoded) }
        delete secret['stringData']
      }
      return []
    },
    columns: [pathColumn('Type', 'string', 'type'), sizeOf('Data')],
  }),
  define('v1', 'ServiceAccount', 'serviceaccounts', { shortNames: ['sa'] }),
  define('v1', 'ResourceQuota', 'resourcequotas', { shortNames: ['quota'], hasStatus: true }),
  define('v1', 'LimitRange', 'limitranges', { shortNames: ['limits'] }),
  define('v1', 'PersistentVolume', 'persistentvolumes', {
    shortNames: ['pv'],
    namespaced: false,
    hasStatus: true,
    admit: (volume) => {
      const spec = objectAt(volume, 'spec')
      if (spec !== undefined) {
        setDefault(spec, 'persistentVolumeReclaimPolicy', 'Retain')
        setDefault(spec, 'volumeMode', 'Filesystem')
        canonicalResources(spec, 'capacity')
      }
      return []
    },
    initialize: initialPhase('Pending'),
    columns: [
      pathColumn('Capacity', 'string', 'spec.capacity.storage'),
      accessModesColumn,
      pathColumn('Reclaim Policy', 'string', 'spec.persistentVolumeReclaimPolicy'),
      pathColumn('Status', 'string', 'status.phase'),
      column('Claim', 'string', (volume) => {
        const claim = objectAt(specOf(volume), 'claimRef')
        return claim === undefined ? '' : `${stringAt(claim, 'namespace') ?? ''}/${stringAt(claim, 'name') ?? ''}`
      }),
      pathColumn('StorageClass', 'string', 'spec.storageClassName', { none: '' }),
    ],
  }),
  define('v1', 'PersistentVolumeClaim', 'persistentvolumeclaims', {
    shortNames: ['pvc'],
    hasStatus: true,
    admit: (claim, _version, surroundings) => {
      const spec = objectAt(claim, 'spec')
      if (spec === undefined) return []
      setDefault(spec, 'volumeMode', 'Filesystem')
      const resources = objectAt(spec, 'resources')
      if (resources !== undefined) canonicalResources(resources, 'requests')
      if (spec['storageClassName'] === undefined || spec['storageClassName'] === null) {
        for (const storageClass of surroundings.values('storageclasses.storage.k8s.io')) {
          const annotations = storageClass.metadata.annotations ?? {}
          if (annotations[defaultClassAnnotation] === 'true') spec['storageClassName'] = storageClass.metadata.name
        }
      }
      return []
    },
    initialize: initialPhase('Pending'),
    columns: [
      pathColumn('Status', 'string', 'status.phase'),
      pathColumn('Volume', 'string', 'spec.volumeName', { none: '' }),
      pathColumn('Capacity', 'string', 'status.capacity.storage', { none: '' }),
      accessModesColumn,
      pathColumn('StorageClass', 'string', 'spec.storageClassName', { none: '' }),
    ],
  }),
  define('storage.k8s.io/v1', 'StorageClass', 'storageclasses', {
    shortNames: ['sc'],
    namespaced: false,
    admit: (storageClass) => {
      setDefault(storageClass, 'reclaimPolicy', 'Delete')
      setDefault(storageClass, 'volumeBindingMode', 'Immediate')
      return []
    },
    validate: immutableFields('provisioner', 'parameters', 'reclaimPolicy', 'volumeBindingMode'),
    columns: [
      pathColumn('Provisioner', 'string', 'provisioner'),
      pathColumn('ReclaimPolicy', 'string', 'reclaimPolicy'),
      pathColumn('VolumeBindingMode', 'string', 'volumeBindingMode'),
      column('AllowVolumeExpansion', 'boolean', (object) => object['allowVolumeExpansion'] === true),
    ],
  }),
  define('storage.k8s.io/v1', 'CSINode', 'csinodes', {
    namespaced: false,
    columns: [column('Drivers', 'integer', (object) => objectsAt(specOf(object), 'drivers').length)],
  }),
  define('storage.k8s.io/v1', 'CSIDriver', 'csidrivers', { namespaced: false }),
  define('storage.k8s.io/v1', 'VolumeAttachment', 'volumeattachments', {
    namespaced: false,
    hasStatus: true,
    validate: immutableFields('spec'),
    columns: [
      pathColumn('Attacher', 'string', 'spec.attacher'),
      pathColumn('PV', 'string', 'spec.source.persistentVolumeName'),
      pathColumn('Node', 'string', 'spec.nodeName'),
      pathColumn('Attached', 'boolean', 'status.attached', { none: false }),
    ],
  }),
  define('scheduling.k8s.io/v1', 'PriorityClass', 'priorityclasses', {
    shortNames: ['pc'],
    namespaced: false,
    hasGeneration: true,
    admit: (priorityClass) => {
      setDefault(priorityClass, 'preemptionPolicy', 'PreemptLowerPriority')
      return []
    },
    validate: (object, previous) => [
      ...(typeof object['value'] === 'number' ? [] : [requiredValue('value')]),
      ...immutableFields('value', 'preemptionPolicy')(object, previous, { peek: () => undefined, values: () => [] }),
    ],
    columns: [
      pathColumn('Value', 'integer', 'value'),
      pathColumn('Global-Default', 'boolean', 'globalDefault', { none: false }),
      pathColumn('PreemptionPolicy', 'string', 'preemptionPolicy'),
    ],
  }),
  define('coordination.k8s.io/v1', 'Lease', 'leases', {
    columns: [pathColumn('Holder', 'string', 'spec.holderIdentity', { none: '' })],
    nameRule: pathSegmentName,
  }),
]
