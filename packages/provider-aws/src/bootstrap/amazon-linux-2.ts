import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { BootstrapInput } from './bootstrap-input.ts'
import { kubeletArguments } from './kubelet-arguments.ts'
import { isMime, readMime, shellScript, writeMime } from './mime.ts'

/**
 * User data of AL2: the user's parts, then a script that joins the node by the bootstrap script of the image (A-UD-07,
 * A-UD-08).
 *
 * Errors: a sentence, where the user's MIME cannot be read.
 */
export const amazonLinux2UserData = (input: BootstrapInput): E.Either<string, string> => {
  const { userData = '' } = input
  const own = userData === '' ? E.right([]) : isMime(userData) ? readMime(userData) : E.right([shellScript(userData)])
  return pipe(
    own,
    E.map((parts) => writeMime([...parts, shellScript(joinScript(input))])),
  )
}

const joinScript = (input: BootstrapInput): string => {
  const { clusterName, clusterEndpoint, caBundle, kubelet, instanceStorePolicy } = input
  const [dns] = kubelet.settings.clusterDNS ?? []
  const authority = caBundle === undefined ? '' : ` --b64-cluster-ca '${caBundle}'`
  // The bootstrap script does not understand arguments with an equals sign.
  const call = [
    `/etc/eks/bootstrap.sh '${clusterName}' --apiserver-endpoint '${clusterEndpoint}'${authority}`,
    ...(dns?.includes(':') === true ? ['--ip-family ipv6'] : []),
    ...(dns === undefined ? [] : [`--dns-cluster-ip '${dns}'`]),
    ...(kubelet.settings.maxPods === undefined ? [] : ['--use-max-pods false']),
    `--kubelet-extra-args '${kubeletArguments(input).join(' ')}'`,
    ...(instanceStorePolicy === 'RAID0' ? ['--local-disks raid0'] : []),
  ]
  return [
    '#!/bin/bash -xe',
    'exec > >(tee /var/log/user-data.log|logger -t user-data -s 2>/dev/console) 2>&1',
    call.join(' \\\n'),
  ].join('\n')
}
