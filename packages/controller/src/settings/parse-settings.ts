import * as E from 'fp-ts/lib/Either.js'
import type { Setting, SettingsSpec } from '@scantling/core'
import { type Settings, flagsWithoutEffect, settingsSpec } from './settings.ts'

/** Where settings come from: arguments after the script's name, and the environment. */
export interface SettingsInput {
  readonly argv: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string | undefined>>
}

export interface ParsedSettings<S> {
  readonly settings: Settings
  /** The provider's own, as its SettingsSpec declares them. */
  readonly providerSettings: S
  /** Flags that were given, or their variables, and have no effect here. */
  readonly withoutEffect: ReadonlyArray<string>
}

type AnySpec = SettingsSpec<Record<string, unknown>>

/**
 * Reads the controller's settings and those of its provider: a flag beats its variable, which beats the default.
 *
 * Errors: all of them at once, each with name, value and remedy; values of secrets are not repeated.
 */
export const parseSettings = <S>(
  input: SettingsInput,
  providerSpec: SettingsSpec<S> | undefined,
): E.Either<ReadonlyArray<string>, ParsedSettings<S>> => {
  const specs = [settingsSpec as unknown as AnySpec, (providerSpec ?? { fields: {} }) as unknown as AnySpec]
  const { flags, errors } = parseFlags(input.argv, specs)
  const [settings, providerSettings] = specs.map((spec) => decodeAll(spec, flags, input.env, errors))
  if (errors.length > 0) return E.left(errors)
  for (const [index, spec] of specs.entries()) {
    errors.push(...(spec.check?.((index === 0 ? settings : providerSettings) as Record<string, unknown>) ?? []))
  }
  if (errors.length > 0) return E.left(errors)
  return E.right({
    settings: settings as unknown as Settings,
    providerSettings: providerSettings as S,
    withoutEffect: flagsWithoutEffect.filter(
      (name) => flags.has(name) || (input.env[name.toUpperCase().replaceAll('-', '_')] ?? '') !== '',
    ),
  })
}

/** The provider's name alone, which decides what other flags there are. */
export const providerNameOf = (input: SettingsInput): string => {
  const { flags } = parseFlags(input.argv, [settingsSpec as unknown as AnySpec])
  return flags.get('provider') ?? input.env['PROVIDER'] ?? 'kwok'
}

/** Whether `--help` is asked for. */
export const asksForHelp = ({ argv }: SettingsInput): boolean => argv.includes('--help') || argv.includes('-h')

/** The text of `--help`. */
export const renderHelp = (provider: string, providerSpec: SettingsSpec<unknown> | undefined): string =>
  [
    'Usage: scantling-controller [--flag value]…',
    '',
    'Each flag can be given as an environment variable instead; the flag wins.',
    '',
    ...renderFields(settingsSpec as unknown as AnySpec),
    ...(providerSpec === undefined
      ? []
      : ['', `Provider ${provider}:`, ...renderFields(providerSpec as unknown as AnySpec)]),
    '',
  ].join('\n')

const renderFields = (spec: AnySpec): ReadonlyArray<string> =>
  Object.values(spec.fields).map((field) => {
    const name = field.flag === undefined ? field.env[0] : `--${field.flag}`
    const encoded = field.default === undefined || field.secret ? '' : field.codec.encode(field.default)
    return `  ${name.padEnd(30)} ${field.help}${encoded === '' ? '' : ` (default ${encoded})`}; ${field.env.join(', ')}`
  })

const parseFlags = (argv: ReadonlyArray<string>, specs: ReadonlyArray<AnySpec>) => {
  const flags = new Map<string, string>()
  const errors: Array<string> = []
  const fields = specs.flatMap((spec) => Object.values(spec.fields))
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index] as string
    if (!argument.startsWith('--')) {
      errors.push(`Cannot use argument ${JSON.stringify(argument)}: expected --flag value; see --help`)
      continue
    }
    const [name = '', ...inline] = argument.slice(2).split('=')
    const field = fields.find((each) => each.flag === name)
    if (field === undefined && !flagsWithoutEffect.includes(name) && name !== 'help') {
      errors.push(`Cannot use flag --${name}: there is no such flag; see --help`)
      // Its value, if it has one, is no mistake of its own.
      if (inline.length === 0 && argv[index + 1]?.startsWith('--') === false) index++
      continue
    }
    const next = argv[index + 1]
    if (inline.length > 0) flags.set(name, inline.join('='))
    else if (field?.codec.name === 'true or false' && next !== 'true' && next !== 'false') flags.set(name, 'true')
    else if (next === undefined || next.startsWith('--')) errors.push(`Cannot use flag --${name}: it has no value`)
    else {
      flags.set(name, next)
      index++
    }
  }
  return { flags, errors }
}

const decodeAll = (
  spec: AnySpec,
  flags: ReadonlyMap<string, string>,
  env: SettingsInput['env'],
  errors: Array<string>,
): Readonly<Record<string, unknown>> => {
  const decoded: Record<string, unknown> = {}
  for (const [key, field] of Object.entries(spec.fields)) {
    const found = find(field, flags, env)
    if (found === undefined) {
      if ('default' in field) decoded[key] = field.default
      else errors.push(`Cannot start without ${nameOf(field)}: ${field.help}`)
      continue
    }
    const result = field.codec.decode(found.text)
    if (E.isRight(result)) decoded[key] = result.right
    else {
      const value = field.secret ? '' : ` ${JSON.stringify(found.text)}`
      const reason = result.left.map((error) => error.message ?? `expected ${field.codec.name}`).join('; ')
      errors.push(`Cannot use ${found.name}${value}: ${reason}`)
    }
  }
  return decoded
}

const find = (field: Setting<unknown>, flags: ReadonlyMap<string, string>, env: SettingsInput['env']) => {
  const flag = field.flag === undefined ? undefined : flags.get(field.flag)
  if (flag !== undefined) return { name: `--${field.flag}`, text: flag }
  for (const name of field.env) {
    const value = env[name]
    // An empty variable is what a chart leaves of a value that was not set.
    if (value !== undefined && value !== '') return { name, text: value }
  }
  return undefined
}

const nameOf = (field: Setting<unknown>): string =>
  [...(field.flag === undefined ? [] : [`--${field.flag}`]), ...field.env].join(' or ')
