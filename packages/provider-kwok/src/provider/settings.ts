import type { SettingsSpec } from '@scantling/core'
import * as t from 'io-ts'

export interface KwokSettings {
  /** Where the simulated cloud listens; empty: one in this process. */
  readonly cloudUrl: string
  /** Catalogue of a cloud in this process. */
  readonly catalog: string
  readonly seed: string
}

const text = new t.Type<string, string, unknown>('text', t.string.is, t.string.validate, (value) => value)

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
