import { portsOverSdk } from '../src/sdk/clients.ts'
import type { AzurePorts, ConnectOptions } from '../src/sdk/index.ts'
import { agentPool, clusterGroup, managedCluster, subscription, type Emulator } from './emulator/index.ts'

const credential = {
  getToken: () => Promise.resolve({ token: 'a', expiresOnTimestamp: Date.now() + 3_600_000 }),
}

/** The ports over the real SDKs, which come to the emulator. */
export const portsTo = (emulator: Emulator, changes: Partial<ConnectOptions> = {}): AzurePorts =>
  portsOverSdk({
    subscriptionId: subscription,
    clusterResourceGroup: clusterGroup,
    clusterName: managedCluster,
    machinesPool: agentPool,
    endpoint: emulator.url,
    scope: '',
    priceList: `${emulator.url}/api/retail/prices`,
    nodeBootstrappingUrl: '',
    userAgent: 'scantling-test',
    credential,
    trustedCa: emulator.ca,
    nowMs: Date.now,
    ...changes,
  })
