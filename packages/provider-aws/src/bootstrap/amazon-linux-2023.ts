import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { isMap, parseDocument, stringify } from 'yaml'
import type { BootstrapInput } from './bootstrap-input.ts'
import { nodeLabelsArgument } from './kubelet-arguments.ts'
import { isMime, nodeConfig, readMime, shellScript, writeMime, type MimePart } from './mime.ts'

/**
 * User data of AL2023: the user's parts, then a NodeConfig. It comes last, since nodeadm lets later parts win (A-UD-09).
 *
 * Errors: a sentence, where the cluster's service range is not known, or the user's MIME cannot be read.
 */
export const amazonLinux2023UserData = (input: BootstrapInput): E.Either<string, string> => {
  const { clusterCidr } = input
  if (clusterCidr === undefined || clusterCidr === '')
    return E.left('Cannot make a NodeConfig: the range of the cluster’s service addresses is not known')
  return pipe(
    ownParts(input.userData ?? ''),
    E.map((parts) => writeMime([...parts, nodeConfig(nodeConfigText(input, clusterCidr))])),
  )
}

const ownParts = (userData: string): E.Either<string, ReadonlyArray<MimePart>> => {
  if (userData === '') return E.right([])
  if (isMime(userData)) return readMime(userData)
  return E.right([isYamlMapping(userData) ? nodeConfig(userData) : shellScript(userData)])
}

// A script of comments alone is YAML, too, but no mapping: it stays a script. So does one that says it is one, though a
// line such as `echo "a: b"` reads as a mapping.
const isYamlMapping = (text: string): boolean => {
  if (text.trimStart().startsWith('#!')) return false
  const document = parseDocument(text, { logLevel: 'silent' })
  return document.errors.length === 0 && isMap(document.contents)
}

const nodeConfigText = (input: BootstrapInput, cidr: string): string => {
  const { clusterName, clusterEndpoint, caBundle = '', kubelet, taints, instanceStorePolicy } = input
  const flags = nodeLabelsArgument(input)
  const config = {
    apiVersion: 'node.eks.aws/v1alpha1',
    kind: 'NodeConfig',
    metadata: {},
    spec: {
      cluster: {
        apiServerEndpoint: clusterEndpoint,
        ...(caBundle !== '' && { certificateAuthority: caBundle }),
        cidr,
        name: clusterName,
      },
      containerd: {},
      instance: { localStorage: instanceStorePolicy === 'RAID0' ? { strategy: 'RAID0' } : {} },
      kubelet: {
        config: {
          ...kubelet.fields,
          registerWithTaints: taints.map(({ key, value, effect }) => ({
            effect,
            key,
            ...(value !== undefined && value !== '' && { value }),
          })),
        },
        ...(flags.length > 0 && { flags }),
      },
    },
  }
  return `# NodeConfig of the NodeClaim\n${stringify(config, { sortMapEntries: true, lineWidth: 0 })}`
}
