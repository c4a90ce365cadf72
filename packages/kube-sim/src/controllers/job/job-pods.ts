import type { DraftObject } from '../../face.ts'
import type { Container, JobObject, PodObject } from '../objects.ts'
import { podFromTemplate } from '../pod-template.ts'

/** Holds a pod of a Job until its end is counted. */
export const trackingFinalizer = 'batch.kubernetes.io/job-tracking'
const indexKey = 'batch.kubernetes.io/job-completion-index'
const indexVariable = 'JOB_COMPLETION_INDEX'

export const isTracked = ({ metadata }: PodObject): boolean => metadata.finalizers?.includes(trackingFinalizer) === true

/** Which of an indexed Job's completions a pod is for. */
export const indexOf = ({ metadata }: PodObject): number | undefined => {
  const text = metadata.annotations?.[indexKey] ?? ''
  return /^\d+$/.test(text) ? Number(text) : undefined
}

/**
 * A new pod of a Job; one of an indexed Job finds its index in a label, an annotation, its host name and its environment.
 * `marks` are further annotations of that.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode
 */
export const jobPod = (
  job: JobObject,
  index: number | undefined,
  marks: Readonly<Record<string, string>>,
): DraftObject => {
  const draft = podFromTemplate(job, job.spec.template)
  const finalizers = [...(draft.metadata?.finalizers ?? []), trackingFinalizer]
  if (index === undefined) return { ...draft, metadata: { ...draft.metadata, finalizers } }
  const { name } = job.metadata
  const mark = { [indexKey]: String(index) }
  const spec = job.spec.template?.spec ?? {}
  const valueFrom = { fieldRef: { fieldPath: `metadata.labels['${indexKey}']` } }
  const withIndex = (container: Container) => {
    const env = container.env ?? []
    const isSet = env.some((variable) => variable.name === indexVariable)
    return isSet ? container : { ...container, env: [...env, { name: indexVariable, valueFrom }] }
  }
  return {
    ...draft,
    metadata: {
      ...draft.metadata,
      generateName: `${name}-${index}-`,
      labels: { ...draft.metadata?.labels, ...mark },
      annotations: { ...draft.metadata?.annotations, ...mark, ...marks },
      finalizers,
    },
    spec: {
      ...spec,
      hostname: `${name}-${index}`,
      containers: (spec.containers ?? []).map(withIndex),
      ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(withIndex) }),
    },
  }
}
