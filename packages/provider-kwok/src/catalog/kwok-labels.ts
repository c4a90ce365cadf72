/** The group of the reference's kwok provider, and so of its labels and of KWOKNodeClass. */
export const kwokGroup = 'karpenter.kwok.sh'

/** Keys that every type of a catalogue defines (K-04). */
export const kwokLabelKeys = {
  size: `${kwokGroup}/instance-size`,
  family: `${kwokGroup}/instance-family`,
  cpu: `${kwokGroup}/instance-cpu`,
  memory: `${kwokGroup}/instance-memory`,
} as const

/** The labels of K-04 with the given values. */
export const kwokLabels = (values: Readonly<Record<keyof typeof kwokLabelKeys, string>>) => ({
  [kwokLabelKeys.size]: values.size,
  [kwokLabelKeys.family]: values.family,
  [kwokLabelKeys.cpu]: values.cpu,
  [kwokLabelKeys.memory]: values.memory,
})

const awsSize = /^\w+\.(nano|micro|small|medium|large|\d*xlarge|metal)$/

/** The size in names of the form `family.size`; otherwise the number of CPUs (K-04). */
export const sizeOf = (name: string, cpu: string): string => awsSize.exec(name)?.[1] ?? cpu

/** The name up to its first dot or dash; its first character where it has neither (K-04). */
export const familyOf = (name: string): string => {
  const end = name.search(/[.-]/)
  return end < 0 ? name.slice(0, 1) : name.slice(0, end)
}
