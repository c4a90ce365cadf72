import { bootTaints, labelKeys, type Labels, type NodeClaimFacts } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { ImageFamily } from '../node-class/index.ts'
import { amazonLinux2023UserData } from './amazon-linux-2023.ts'
import { amazonLinux2UserData } from './amazon-linux-2.ts'
import type { BootstrapInput } from './bootstrap-input.ts'
import { bottlerocketUserData } from './bottlerocket.ts'
import { windowsUserData } from './windows.ts'

/** What EC2 takes at most. **Units**: bytes before base64. */
export const userDataLimitBytes = 16_384
/** From here on a word of warning is due. */
export const userDataWarningBytes = userDataLimitBytes * 0.9

/** User data ready to be sent. */
export interface UserData {
  readonly base64: string
  readonly bytes: number
}

/**
 * The user data of a node.
 *
 * Custom images get the user's as it is: they join by themselves (A-UD-17). Errors: a sentence, where the user's data is
 * not in the form of the family, or AL2023 lacks the service range.
 */
export const userDataOf = (
  family: ImageFamily,
  input: BootstrapInput & { readonly bottlerocketVersion?: string },
): E.Either<string, UserData> =>
  pipe(
    textOf(family, input),
    E.map((text) => {
      const bytes = Buffer.from(text, 'utf8')
      return { base64: bytes.toString('base64'), bytes: bytes.length }
    }),
  )

const textOf = (
  family: ImageFamily,
  input: BootstrapInput & { readonly bottlerocketVersion?: string },
): E.Either<string, string> => {
  switch (family) {
    case 'AL2':
      return amazonLinux2UserData(input)
    case 'AL2023':
      return amazonLinux2023UserData(input)
    case 'Bottlerocket':
      return bottlerocketUserData({ ...input, version: input.bottlerocketVersion })
    case 'Windows2019':
    case 'Windows2022':
    case 'Windows2025':
      return E.right(windowsUserData(input))
    case 'Custom':
      return E.right(input.userData ?? '')
  }
}

/** What is wrong with the size, or what soon will be; `undefined` below nine tenths of the limit (A-UD-18). */
export const userDataSizeProblem = ({ bytes }: Pick<UserData, 'bytes'>): string | undefined => {
  if (bytes > userDataLimitBytes)
    return `User data has ${bytes} bytes and EC2 takes ${userDataLimitBytes}: shorten spec.userData, or let it fetch what it needs`
  return bytes >= userDataWarningBytes
    ? `User data has ${bytes} of the ${userDataLimitBytes} bytes that EC2 takes`
    : undefined
}

/** The taints that a node registers with (A-UD-02). */
export const nodeTaints = bootTaints

/**
 * The labels that a node registers with: the claim's and its capacity type, without those that a kubelet may not set on
 * itself (A-UD-03).
 *
 * Families but Custom are told to leave the taints to the controller.
 */
export const nodeLabels = (
  family: ImageFamily,
  claim: Pick<NodeClaimFacts, 'labels'>,
  capacityType: string,
): Labels => {
  const labels: Labels = {
    ...claim.labels,
    [labelKeys.capacityType]: capacityType,
    ...(family !== 'Custom' && { [labelKeys.doNotSyncTaints]: 'true' }),
  }
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !isForeignDomain(key)))
}

const foreignDomains = ['kubernetes.io', 'k8s.io']

// More than a kubelet may not set on itself: all of these are applied at registration.
const isForeignDomain = (key: string): boolean => {
  const slash = key.indexOf('/')
  const domain = slash < 0 ? '' : key.slice(0, slash)
  return foreignDomains.some((foreign) => domain === foreign || domain.endsWith(`.${foreign}`))
}
