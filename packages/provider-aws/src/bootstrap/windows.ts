import type { BootstrapInput } from './bootstrap-input.ts'
import { kubeletArguments } from './kubelet-arguments.ts'

/** User data of Windows: the user's lines, then the call of the image's bootstrap script, in PowerShell (A-UD-16). */
export const windowsUserData = (input: BootstrapInput): string => {
  const { clusterName, clusterEndpoint, caBundle, kubelet, userData = '' } = input
  const [dns] = kubelet.settings.clusterDNS ?? []
  const call = [
    `& $EKSBootstrapScriptFile -EKSClusterName '${clusterName}' -APIServerEndpoint '${clusterEndpoint}'`,
    ...(caBundle === undefined ? [] : [`-Base64ClusterCA '${caBundle}'`]),
    `-KubeletExtraArgs '${kubeletArguments(input).join(' ')}'`,
    ...(dns === undefined ? [] : [`-DNSClusterIP '${dns}'`]),
  ]
  return [
    '<powershell>',
    ...(userData === '' ? [] : [userData]),
    '[string]$EKSBootstrapScriptFile = "$env:ProgramFiles\\Amazon\\EKS\\Start-EKSBootstrap.ps1"',
    call.join(' '),
    '</powershell>',
  ].join('\n')
}
