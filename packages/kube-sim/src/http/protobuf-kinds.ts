/** A value on its own. */
export type Scalar =
  | 'string'
  | 'bytes'
  | 'int'
  /** A number whose zero means that it was not set. */
  | 'positive'
  | 'bool'
  /** An amount, sent as a message around its text. */
  | 'quantity'
  | 'intOrString'
  /** Sent empty or as seconds; the server sets times itself. */
  | 'ignored'

export type Field = Scalar | { readonly message: Message } | { readonly list: Field } | { readonly map: Field }

/** The fields of a message by their numbers. */
export type Message = Readonly<Record<number, readonly [name: string, field: Field]>>

const strings: Field = { list: 'string' }
const stringMap: Field = { map: 'string' }

const objectMeta: Message = {
  1: ['name', 'string'],
  2: ['generateName', 'string'],
  3: ['namespace', 'string'],
  4: ['selfLink', 'ignored'],
  5: ['uid', 'string'],
  6: ['resourceVersion', 'string'],
  7: ['generation', 'ignored'],
  8: ['creationTimestamp', 'ignored'],
  11: ['labels', stringMap],
  12: ['annotations', stringMap],
  13: [
    'ownerReferences',
    {
      list: {
        message: {
          1: ['kind', 'string'],
          3: ['name', 'string'],
          4: ['uid', 'string'],
          5: ['apiVersion', 'string'],
          6: ['controller', 'bool'],
          7: ['blockOwnerDeletion', 'bool'],
        },
      },
    },
  ],
  14: ['finalizers', strings],
}

const metadata = ['metadata', { message: objectMeta }] as const

const labelSelector: Message = {
  1: ['matchLabels', stringMap],
  2: [
    'matchExpressions',
    { list: { message: { 1: ['key', 'string'], 2: ['operator', 'string'], 3: ['values', strings] } } },
  ],
}

const container: Message = {
  1: ['name', 'string'],
  2: ['image', 'string'],
  3: ['command', strings],
  4: ['args', strings],
  5: ['workingDir', 'string'],
  6: [
    'ports',
    {
      list: {
        message: {
          1: ['name', 'string'],
          2: ['hostPort', 'positive'],
          3: ['containerPort', 'int'],
          4: ['protocol', 'string'],
          5: ['hostIP', 'string'],
        },
      },
    },
  ],
  7: ['env', { list: { message: { 1: ['name', 'string'], 2: ['value', 'string'] } } }],
  8: ['resources', { message: { 1: ['limits', { map: 'quantity' }], 2: ['requests', { map: 'quantity' }] } }],
  13: ['terminationMessagePath', 'string'],
  14: ['imagePullPolicy', 'string'],
  16: ['stdin', 'bool'],
  17: ['stdinOnce', 'bool'],
  18: ['tty', 'bool'],
  20: ['terminationMessagePolicy', 'string'],
}

const podTemplate: Message = {
  1: metadata,
  2: [
    'spec',
    {
      message: {
        2: ['containers', { list: { message: container } }],
        3: ['restartPolicy', 'string'],
        4: ['terminationGracePeriodSeconds', 'int'],
        6: ['dnsPolicy', 'string'],
        7: ['nodeSelector', stringMap],
        8: ['serviceAccountName', 'string'],
        9: ['serviceAccount', 'string'],
        10: ['nodeName', 'string'],
        11: ['hostNetwork', 'bool'],
        12: ['hostPID', 'bool'],
        13: ['hostIPC', 'bool'],
        14: ['securityContext', { message: {} }],
        16: ['hostname', 'string'],
        17: ['subdomain', 'string'],
        19: ['schedulerName', 'string'],
        24: ['priorityClassName', 'string'],
      },
    },
  ],
}

const jobSpec: Message = {
  1: ['parallelism', 'int'],
  2: ['completions', 'int'],
  3: ['activeDeadlineSeconds', 'int'],
  4: ['selector', { message: labelSelector }],
  5: ['manualSelector', 'bool'],
  6: ['template', { message: podTemplate }],
  7: ['backoffLimit', 'int'],
  8: ['ttlSecondsAfterFinished', 'int'],
  9: ['completionMode', 'string'],
  10: ['suspend', 'bool'],
  14: ['podReplacementPolicy', 'string'],
  15: ['managedBy', 'string'],
}

const servicePort: Message = {
  1: ['name', 'string'],
  2: ['protocol', 'string'],
  3: ['port', 'int'],
  4: ['targetPort', 'intOrString'],
  5: ['nodePort', 'positive'],
}

const role: Message = {
  1: metadata,
  2: [
    'rules',
    {
      list: {
        message: {
          1: ['verbs', strings],
          2: ['apiGroups', strings],
          3: ['resources', strings],
          4: ['resourceNames', strings],
          5: ['nonResourceURLs', strings],
        },
      },
    },
  ],
}

const roleBinding: Message = {
  1: metadata,
  2: [
    'subjects',
    {
      list: {
        message: {
          1: ['kind', 'string'],
          2: ['apiGroup', 'string'],
          3: ['name', 'string'],
          4: ['namespace', 'string'],
        },
      },
    },
  ],
  3: ['roleRef', { message: { 1: ['apiGroup', 'string'], 2: ['kind', 'string'], 3: ['name', 'string'] } }],
}

/**
 * The kinds that are known, with all that kubectl writes of them.
 *
 * Zero values are sent for fields that are not optional: what is empty is left out, as JSON would.
 */
export const kinds: Readonly<Record<string, Message>> = {
  'v1/Namespace': { 1: metadata, 2: ['spec', { message: { 1: ['finalizers', strings] } }], 3: ['status', 'ignored'] },
  'v1/ConfigMap': {
    1: metadata,
    2: ['data', stringMap],
    3: ['binaryData', { map: 'bytes' }],
    4: ['immutable', 'bool'],
  },
  'v1/Secret': { 1: metadata, 2: ['data', { map: 'bytes' }], 3: ['type', 'string'], 5: ['immutable', 'bool'] },
  'v1/ServiceAccount': { 1: metadata },
  'v1/Service': {
    1: metadata,
    2: [
      'spec',
      {
        message: {
          1: ['ports', { list: { message: servicePort } }],
          2: ['selector', stringMap],
          3: ['clusterIP', 'string'],
          4: ['type', 'string'],
          7: ['sessionAffinity', 'string'],
          8: ['loadBalancerIP', 'string'],
          10: ['externalName', 'string'],
          11: ['externalTrafficPolicy', 'string'],
          12: ['healthCheckNodePort', 'positive'],
          13: ['publishNotReadyAddresses', 'bool'],
        },
      },
    ],
    3: ['status', 'ignored'],
  },
  'v1/ResourceQuota': {
    1: metadata,
    2: ['spec', { message: { 1: ['hard', { map: 'quantity' }], 2: ['scopes', strings] } }],
    3: ['status', 'ignored'],
  },
  'batch/v1/Job': { 1: metadata, 2: ['spec', { message: jobSpec }], 3: ['status', 'ignored'] },
  'batch/v1/CronJob': {
    1: metadata,
    2: [
      'spec',
      {
        message: {
          1: ['schedule', 'string'],
          3: ['concurrencyPolicy', 'string'],
          4: ['suspend', 'bool'],
          5: ['jobTemplate', { message: { 1: metadata, 2: ['spec', { message: jobSpec }] } }],
          8: ['timeZone', 'string'],
        },
      },
    ],
    3: ['status', 'ignored'],
  },
  'rbac.authorization.k8s.io/v1/Role': role,
  'rbac.authorization.k8s.io/v1/ClusterRole': role,
  'rbac.authorization.k8s.io/v1/RoleBinding': roleBinding,
  'rbac.authorization.k8s.io/v1/ClusterRoleBinding': roleBinding,
  'apps/v1/Deployment': {
    1: metadata,
    2: [
      'spec',
      {
        message: {
          1: ['replicas', 'int'],
          2: ['selector', { message: labelSelector }],
          3: ['template', { message: podTemplate }],
          4: ['strategy', { message: { 1: ['type', 'string'] } }],
          5: ['minReadySeconds', 'positive'],
          7: ['paused', 'bool'],
        },
      },
    ],
    3: ['status', 'ignored'],
  },
  'policy/v1/PodDisruptionBudget': {
    1: metadata,
    2: [
      'spec',
      {
        message: {
          1: ['minAvailable', 'intOrString'],
          2: ['selector', { message: labelSelector }],
          3: ['maxUnavailable', 'intOrString'],
        },
      },
    ],
    3: ['status', 'ignored'],
  },
  'scheduling.k8s.io/v1/PriorityClass': {
    1: metadata,
    2: ['value', 'int'],
    3: ['globalDefault', 'bool'],
    4: ['description', 'string'],
    5: ['preemptionPolicy', 'string'],
  },
}
