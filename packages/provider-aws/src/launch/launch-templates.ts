import type { RequestLaunchTemplateData } from '@aws-sdk/client-ec2'
import type { CancelSignal, JsonObject, MaintenanceTask, ProviderHost } from '@scantling/core'
import { fingerprint, traverseBounded } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { isLaunchTemplateNotFound, isLaunchTemplateTaken, isNotFound, providerErrorOf } from '../error-codes.ts'
import type { Ec2NodeClass } from '../node-class/index.ts'
import { everyPage, type AwsError, type Ec2Port } from '../sdk/index.ts'
import { tagKeys, tagList } from '../tags.ts'

const prefix = 'karpenter.k8s.aws/'
const unusedForMs = 60_000
const sweepEveryMs = 60_000
const pageSize = 200
const deletionsAtOnce = 5

type Ec2 = Pick<Ec2Port, 'createLaunchTemplate' | 'deleteLaunchTemplate' | 'describeLaunchTemplates'>

/** A launch template to be there: its name follows from what it holds. */
export interface WantedTemplate {
  readonly name: string
  readonly data: RequestLaunchTemplateData
  readonly tags: Readonly<Record<string, string>>
}

/** The name of a template that holds this: the same for equal content, whatever the order of its lists (A-LT-01). */
export const wantedTemplate = (
  data: RequestLaunchTemplateData,
  tags: Readonly<Record<string, string>>,
): WantedTemplate => ({
  name: prefix + fingerprint({ data: JSON.parse(JSON.stringify(unordered(data))) as JsonObject, tags }),
  data,
  tags,
})

// Groups and tags have no order; the order of interfaces and volumes is theirs by index and by name.
const unordered = (data: RequestLaunchTemplateData): unknown => ({
  ...data,
  BlockDeviceMappings: [...(data.BlockDeviceMappings ?? [])].sort(byText),
  NetworkInterfaces: [...(data.NetworkInterfaces ?? [])]
    .map((one) => ({ ...one, Groups: [...(one.Groups ?? [])].sort() }))
    .sort(byText),
})
const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)

/** Launch templates of this cluster. They are made for launches and swept a minute after the last one that used them. */
export interface LaunchTemplates {
  readonly ensure: (wanted: WantedTemplate, signal: CancelSignal) => TE.TaskEither<AwsError, string>
  /** EC2 says that they are not there: forgets them. */
  readonly forget: (names: ReadonlyArray<string>) => void
  /** Deletes all of a NodeClass. */
  readonly release: (nodeClass: string, cluster: string, signal: CancelSignal) => TE.TaskEither<AwsError, void>
  /** Deletes those that nothing used for a minute, with those that another controller left. */
  readonly task: MaintenanceTask<Ec2NodeClass>
}

interface Known {
  readonly id: string
  usedAtMs: number
}

export const launchTemplates = (options: {
  readonly ec2: Ec2
  readonly host: Pick<ProviderHost, 'clock' | 'log'>
}): LaunchTemplates => {
  const { ec2, host } = options
  const { nowMs } = host.clock
  const known = new Map<string, Known>()
  const making = new Map<string, Promise<E.Either<AwsError, string>>>()
  let isHydrated = false

  const describe = (name: string, signal: CancelSignal): TE.TaskEither<AwsError, string | undefined> =>
    pipe(
      ec2.describeLaunchTemplates({ LaunchTemplateNames: [name] }, signal),
      TE.chain(({ LaunchTemplates: found = [] }) =>
        found.length === 1
          ? TE.right(found[0]?.LaunchTemplateId)
          : TE.left<AwsError, string | undefined>({
              action: 'ec2:DescribeLaunchTemplates',
              code: 'UnreadableAnswer',
              message: `Expected one launch template of name ${name}, found ${found.length}`,
            }),
      ),
      TE.orElse((error) => (isLaunchTemplateNotFound(error) ? TE.right(undefined) : TE.left(error))),
    )
  const create = ({ name, data, tags }: WantedTemplate, signal: CancelSignal): TE.TaskEither<AwsError, string> =>
    pipe(
      ec2.createLaunchTemplate(
        {
          LaunchTemplateName: name,
          LaunchTemplateData: data,
          TagSpecifications: [{ ResourceType: 'launch-template', Tags: tagList(tags) }],
        },
        signal,
      ),
      TE.map(({ LaunchTemplate }) => LaunchTemplate?.LaunchTemplateId ?? ''),
    )
  const find = (wanted: WantedTemplate, signal: CancelSignal): TE.TaskEither<AwsError, string> =>
    pipe(
      describe(wanted.name, signal),
      TE.chain((id) => (id === undefined ? create(wanted, signal) : TE.right(id))),
      // Another replica was faster.
      TE.orElse((error) =>
        isLaunchTemplateTaken(error)
          ? pipe(
              describe(wanted.name, signal),
              TE.chain((id) => (id === undefined ? TE.left(error) : TE.right(id))),
            )
          : TE.left(error),
      ),
    )
  const remove = (id: string, signal: CancelSignal): TE.TaskEither<AwsError, void> =>
    pipe(
      ec2.deleteLaunchTemplate({ LaunchTemplateId: id }, signal),
      TE.map(() => undefined),
      TE.orElse((error) => (isNotFound(error) ? TE.right(undefined) : TE.left(error))),
    )
  const list = (filters: ReadonlyArray<{ Name: string; Values: Array<string> }>, signal: CancelSignal) =>
    everyPage(
      ec2.describeLaunchTemplates,
      { Filters: [...filters], MaxResults: pageSize },
      signal,
      ({ LaunchTemplates: found }) => found,
    )

  return {
    ensure: (wanted, signal) => async () => {
      const { name } = wanted
      const present = known.get(name)
      if (present !== undefined) {
        present.usedAtMs = nowMs()
        return E.right(name)
      }
      const under = making.get(name)
      if (under !== undefined) return under
      const made = (async () => {
        try {
          const id = await find(wanted, signal)()
          if (E.isLeft(id)) return id
          known.set(name, { id: id.right, usedAtMs: nowMs() })
          return E.right(name)
        } finally {
          making.delete(name)
        }
      })()
      making.set(name, made)
      return made
    },
    forget: (names) => {
      for (const name of names) known.delete(name)
    },
    release: (nodeClass, cluster, signal) =>
      pipe(
        list(
          [
            { Name: `tag:${tagKeys.cluster}`, Values: [cluster] },
            { Name: `tag:${tagKeys.nodeClass}`, Values: [nodeClass] },
          ],
          signal,
        ),
        TE.chain(
          traverseBounded(deletionsAtOnce, ({ LaunchTemplateId = '', LaunchTemplateName = '' }) =>
            pipe(
              remove(LaunchTemplateId, signal),
              TE.map(() => known.delete(LaunchTemplateName)),
            ),
          ),
        ),
        TE.map(() => undefined),
      ),
    task: {
      name: 'launch-templates',
      everyMs: sweepEveryMs,
      runsOn: 'leader',
      run: (_view, call) => async () => {
        if (!isHydrated) {
          const left = await list([{ Name: `tag:${tagKeys.cluster}`, Values: [call.cluster.name] }], call.signal)()
          if (E.isLeft(left)) return E.left(providerErrorOf(left.left))
          isHydrated = true
          for (const { LaunchTemplateId: id, LaunchTemplateName: name = '' } of left.right)
            if (id !== undefined && name.startsWith(prefix) && !known.has(name))
              known.set(name, { id, usedAtMs: nowMs() })
        }
        const unused = [...known].filter(([, { usedAtMs }]) => nowMs() - usedAtMs >= unusedForMs)
        // Forgotten first: a launch that comes meanwhile makes its own.
        for (const [name] of unused) known.delete(name)
        const removed = await pipe(
          unused,
          traverseBounded(deletionsAtOnce, ([name, template]) =>
            pipe(
              remove(template.id, call.signal),
              TE.mapLeft((error) => {
                if (!known.has(name)) known.set(name, template)
                return error
              }),
            ),
          ),
        )()
        return E.isLeft(removed) ? E.left(providerErrorOf(removed.left)) : E.right({})
      },
    },
  }
}
