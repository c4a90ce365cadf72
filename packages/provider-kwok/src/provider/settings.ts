import type { SettingsSpec } from '@scantling/core'
import { SettingCodecs } from '@scantling/provider-kit'

export interface KwokSettings {
  /** Where the simulated cloud listens; empty: one in this process. */
  readonly cloudUrl: string
  /** Catalogue of a cloud in this process. */
  readonly catalog: string
  readonly seed: string
  /** How long machines of a cloud in this process take to boot, register and stop: 1 like a cloud's, 0 no time. */
  readonly latency: number
}

const { numberFrom, text } = SettingCodecs

export const kwokSettings: SettingsSpec<KwokSettings> = {
  fields: {
    cloudUrl: {
      env: ['KWOK_CLOUD_URL'],
      flag: 'kwok-cloud-url',
      codec: text,
      default: '',
      help: 'Address of the simulated cloud, such as http://127.0.0.1:8090; empty: one within this process',
    },
    catalog: {
      env: ['KWOK_CATALOG', 'INSTANCE_TYPES_FILE_PATH'],
      flag: 'instance-types-file-path',
      codec: text,
      default: 'ec2-like',
      help: 'Catalogue of a cloud within this process: ec2-like, azure-like, kwok, or a JSON file',
    },
    seed: {
      env: ['KWOK_SEED'],
      flag: 'kwok-seed',
      codec: text,
      default: 'scantling',
      help: 'Decides spot prices, latencies and addresses of a cloud within this process',
    },
    latency: {
      env: ['KWOK_LATENCY'],
      flag: 'kwok-latency',
      codec: numberFrom(0, 1),
      default: 1,
      help: 'How slow machines of a cloud within this process are, from 0 (at once) to 1 (like those of a large cloud)',
    },
  },
  check: ({ cloudUrl }) =>
    cloudUrl === '' || isLoopbackUrl(cloudUrl)
      ? []
      : [
          `kwok-cloud-url: Invalid value: ${JSON.stringify(cloudUrl)}: expected an address of this machine such as http://127.0.0.1:8090`,
        ],
}

const isLoopbackUrl = (address: string): boolean =>
  URL.canParse(address) &&
  new URL(address).protocol === 'http:' &&
  ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(address).hostname)
