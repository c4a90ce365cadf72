import { KubeConfig } from '@kubernetes/client-node'

import { whatWouldYouDo } from './operator.ts'

const [server] = process.argv.slice(2)
const config = new KubeConfig()
// client-node speaks plain HTTP, as the embedded cluster does, only where TLS is not verified.
if (server === undefined) config.loadFromDefault()
else config.loadFromClusterAndUser({ name: 'given', server, skipTLSVerify: true }, { name: 'nobody' })

try {
  for (const line of await whatWouldYouDo(config)) console.log(line)
} catch (error) {
  const reason = error instanceof Error ? error.message : String(error)
  console.error(
    `Cannot read the cluster at ${config.getCurrentCluster()?.server ?? 'the address of the kubeconfig'}: ${reason}`,
  )
  process.exitCode = 1
}
