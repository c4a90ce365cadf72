import { startProcessCluster, type ProcessCluster } from '@scantling/simulation/testing'
import { provider } from '../../src/index.ts'
import { bootedMachines } from '../booted-machines.ts'
import { startEmulator, textOf, type Emulator } from '../emulator/index.ts'

/** A cluster in the emulated AWS, its controller a process of its own. */
export interface AwsCluster extends ProcessCluster {
  readonly aws: Emulator
  /** Ids of EC2's instances that are not on their way out. */
  readonly instanceIds: () => Promise<ReadonlyArray<string>>
}

export const startAwsCluster = async (name: string): Promise<AwsCluster> => {
  const aws = await startEmulator({ cluster: name, say: (sentence) => process.stdout.write(`${sentence}\n`) })
  const instanceIds = async () => (await aws.instances()).map((instance) => textOf(instance, 'instanceId'))
  const cluster = await startProcessCluster({
    provider: 'aws',
    module: provider,
    clusterName: name,
    flags: ['--interruption-queue', aws.queue],
    environment: aws.environment,
    machines: () => bootedMachines(aws),
    isEmpty: async () => (await instanceIds()).length === 0,
    calls: aws.calls,
  })
  return {
    ...cluster,
    aws,
    instanceIds,
    stop: async () => {
      await cluster.stop()
      await aws.stop()
    },
  }
}
