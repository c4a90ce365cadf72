import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { kubernetesVersion } from '@scantling/kube-sim'
import { startProcessCluster, type ProcessCluster } from '@scantling/simulation/testing'
import { provider } from '../../src/index.ts'
import { bootedMachines } from '../booted-machines.ts'
import {
  agentPool,
  clusterGroup,
  managedCluster,
  nodeGroup,
  startEmulator,
  subnetId,
  subscription,
  type Emulator,
} from '../emulator/index.ts'

/** A cluster in the emulated Azure, its controller a process of its own. */
export interface AzureCluster extends ProcessCluster {
  readonly azure: Emulator
  /** What there is of nodes in Azure that is not on its way out: VMs, machines, NICs and disks, as type and name. */
  readonly billed: (type?: string) => ReadonlyArray<string>
}

const billedTypes = /\/(virtualMachines|machines|networkInterfaces|disks)$/

export const startAzureCluster = async (
  provisionMode: 'aksscriptless' | 'aksmachineapiheaderbatch',
): Promise<AzureCluster> => {
  const azure = await startEmulator({ operationMs: 500, pageSize: 500, graphLagMs: 500 })
  const folder = mkdtempSync(path.join(tmpdir(), 'scantling-e2e-azure-'))
  const file = (name: string, text: string) => {
    const place = path.join(folder, name)
    writeFileSync(place, text)
    return place
  }
  const environmentFile = file(
    'environment.json',
    JSON.stringify({
      name: 'Emulated',
      resourceManagerEndpoint: azure.url,
      activeDirectoryEndpoint: azure.url,
      tokenAudience: azure.url,
    }),
  )
  const billed: AzureCluster['billed'] = (type) =>
    [...azure.world.all()].flatMap((one) => {
      const [, kind = ''] = billedTypes.exec(one.type) ?? []
      const isWanted = kind !== '' && (type === undefined || kind === type) && one.deletedAtMs === undefined
      return isWanted ? [`${kind} ${one.name}`] : []
    })
  const cluster = await startProcessCluster({
    provider: 'azure',
    module: provider,
    clusterName: managedCluster,
    flags: [
      ...['--subscription-id', subscription, '--location', azure.world.location],
      ...['--cluster-resource-group', clusterGroup, '--node-resource-group', nodeGroup],
      ...['--vnet-subnet-id', subnetId, '--azure-environment-filepath', environmentFile],
      ...['--provision-mode', provisionMode],
      ...(provisionMode === 'aksscriptless'
        ? []
        : ['--use-sig', 'true', '--sig-subscription-id', subscription, '--aks-machines-pool-name', agentPool]),
    ],
    environment: {
      NODE_EXTRA_CA_CERTS: file('ca.pem', azure.ca),
      AZURE_TENANT_ID: '00000000-0000-0000-0000-000000000002',
      AZURE_CLIENT_ID: '00000000-0000-0000-0000-000000000003',
      AZURE_CLIENT_SECRET: 'emulated',
      KUBELET_BOOTSTRAP_TOKEN: 'abcdef.0123456789abcdef',
      SSH_PUBLIC_KEY: 'ssh-rsa AAAA azureuser',
    },
    // Another version than the class's would be drift.
    machines: () => bootedMachines(azure.world, kubernetesVersion),
    isEmpty: () => billed().length === 0,
    calls: () =>
      new Map(Object.entries(azure.tally()).map(([action, count]) => [action.replace('Microsoft.', ''), count])),
  })
  return {
    ...cluster,
    azure,
    billed,
    stop: async () => {
      await cluster.stop()
      await azure.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
