import { KubeConfig } from '@kubernetes/client-node'

import { whatWouldYouDo } from './operator.ts'

const config = new KubeConfig()
config.loadFromDefault()
for (const line of await whatWouldYouDo(config)) console.log(line)
