import type { CancelSignal, ClusterView, NodeClassObject } from '@scantling/core'
import { fingerprint, memoize, pages, traverseBounded } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { isAlreadyThere, isNotFound, isRoleMissing } from '../error-codes.ts'
import { awsAnnotationKeys } from '../labels/index.ts'
import type { Ec2NodeClass } from '../node-class/index.ts'
import type { AwsError, IamPort } from '../sdk/index.ts'
import { legacyProfileName } from './legacy-profile-name.ts'

const rememberedMs = 900_000
const roleMissingForMs = 60_000
const protectedForMs = 3_600_000
const deletionsAtOnce = 5
const mostNames = 3

/** Instance profiles: the one a NodeClass names, or one that is kept for its role. */
export interface InstanceProfiles {
  /**
   * The profile that nodes of the class get, made where it is not there yet.
   *
   * Idempotent: a profile's name follows from region, class and role, so that whoever died on the way goes on with the
   * same one. A profile never gets another role: machines that run would get it with them.
   */
  readonly resolve: (nodeClass: Ec2NodeClass, cluster: string, signal: CancelSignal) => TE.TaskEither<AwsError, string>
  /** Deletes what no NodeClass and no claim uses any more. */
  readonly collect: (
    view: ClusterView<Ec2NodeClass>,
    cluster: string,
    signal: CancelSignal,
  ) => TE.TaskEither<AwsError, ReadonlyArray<string>>
  /** Deletes all that were made for a NodeClass. */
  readonly release: (nodeClass: Ec2NodeClass, cluster: string, signal: CancelSignal) => TE.TaskEither<AwsError, void>
}

interface Profile {
  readonly name: string
  readonly roles: ReadonlyArray<string>
  readonly createdAtMs: number
  readonly tags: ReadonlyArray<{ readonly Key?: string | undefined; readonly Value?: string | undefined }>
}

export const instanceProfiles = (options: {
  readonly iam: IamPort
  readonly region: string
  readonly nowMs: () => number
}): InstanceProfiles => {
  const { iam, region, nowMs } = options
  const cache = memoize<{ readonly name: string; readonly signal: CancelSignal }, AwsError, Profile | undefined>({
    idOf: ({ name }) => name,
    ttlMs: rememberedMs,
    nowMs,
    load: ({ name, signal }) =>
      pipe(
        iam.getInstanceProfile({ InstanceProfileName: name }, signal),
        TE.map(({ InstanceProfile }) => (InstanceProfile === undefined ? undefined : profileOf(InstanceProfile))),
        TE.orElse((error) => (isNotFound(error) ? TE.right(undefined) : TE.left(error))),
      ),
  })
  /** Roles that were not there a moment ago: without it a profile would be made and deleted in a loop. */
  const missingRoles = new Map<string, { readonly error: AwsError; readonly untilMs: number }>()
  /** Profiles that were in use until lately; claims under way may name them. */
  const protectedUntilMs = new Map<string, number>()
  const protect = (name: string) => protectedUntilMs.set(name, nowMs() + protectedForMs)

  const get = (name: string, signal: CancelSignal) => cache.get({ name, signal })
  const clusterPath = (cluster: string) => `/karpenter/${region}/${cluster}/`
  const pathOf = ({ metadata }: NodeClassObject, cluster: string) => `${clusterPath(cluster)}${metadata.uid}/`

  const create = (
    name: string,
    role: string,
    nodeClass: Ec2NodeClass,
    cluster: string,
    signal: CancelSignal,
  ): TE.TaskEither<AwsError, string> =>
    pipe(
      iam.createInstanceProfile(
        { InstanceProfileName: name, Path: pathOf(nodeClass, cluster), Tags: tagsOf(nodeClass, cluster, region) },
        signal,
      ),
      TE.map(() => undefined),
      TE.orElse((error) => (isAlreadyThere(error) ? TE.right(undefined) : TE.left(error))),
      TE.chain(() => addRole(name, role, signal)),
      TE.map(() => {
        cache.drop({ name, signal })
        protect(name)
        return name
      }),
    )

  const addRole =
    (name: string, role: string, signal: CancelSignal): TE.TaskEither<AwsError, void> =>
    async () => {
      const added = await iam.addRoleToInstanceProfile({ InstanceProfileName: name, RoleName: role }, signal)()
      if (E.isRight(added)) return E.right(undefined)
      const error = added.left
      if (isRoleMissing(error)) missingRoles.set(role, { error, untilMs: nowMs() + roleMissingForMs })
      // What has no role is of no use; that it may stay behind is for the collection.
      await iam.deleteInstanceProfile({ InstanceProfileName: name }, signal)()
      return E.left(error)
    }

  const remove = (profile: Profile, signal: CancelSignal): TE.TaskEither<AwsError, void> =>
    pipe(
      profile.roles,
      traverseBounded(1, (role) =>
        ignoringAbsence(
          iam.removeRoleFromInstanceProfile({ InstanceProfileName: profile.name, RoleName: role }, signal),
        ),
      ),
      TE.chain(() => ignoringAbsence(iam.deleteInstanceProfile({ InstanceProfileName: profile.name }, signal))),
      TE.map(() => cache.drop({ name: profile.name, signal })),
    )

  const list = (path: string, signal: CancelSignal): TE.TaskEither<AwsError, ReadonlyArray<Profile>> =>
    pages(
      (page) =>
        pipe(
          iam.listInstanceProfiles({ PathPrefix: path, ...(page !== undefined && { Marker: page }) }, signal),
          TE.map(({ InstanceProfiles = [], IsTruncated, Marker }) => ({
            items: InstanceProfiles.map(profileOf),
            ...(IsTruncated === true && Marker !== undefined && { next: Marker }),
          })),
        ),
      (page) => ({
        action: 'iam:ListInstanceProfiles',
        code: 'UnreadableAnswer',
        message: `The list of instance profiles does not get past page ${page}`,
      }),
    )

  return {
    resolve: (nodeClass, cluster, signal) => async () => {
      const { spec, status } = nodeClass
      const previous = status.instanceProfile
      if (spec.instanceProfile !== undefined) {
        if (previous !== undefined && previous !== spec.instanceProfile) protect(previous)
        return E.right(spec.instanceProfile)
      }
      // IAM names a role by the last part of its path (W-07).
      const role = shortNameOf(spec.role ?? '')
      if (previous !== undefined) {
        const current = await get(previous, signal)()
        if (E.isLeft(current)) return current
        if (current.right?.roles.includes(role) === true) return E.right(previous)
        protect(previous)
      }
      const missing = missingRoles.get(role)
      if (missing !== undefined && missing.untilMs > nowMs()) return E.left(missing.error)
      for (let attempt = 0; attempt < mostNames; attempt += 1) {
        const name = profileNameOf(nodeClass, { cluster, region, role, attempt })
        const present = await get(name, signal)()
        if (E.isLeft(present)) return present
        const roles = present.right?.roles
        if (roles?.includes(role) === true) return E.right(name)
        // One of our name with another role is not ours any more.
        if (roles === undefined || roles.length === 0) return create(name, role, nodeClass, cluster, signal)()
      }
      return E.left({
        action: 'iam:GetInstanceProfile',
        code: 'InstanceProfileTaken',
        message: `Cannot make an instance profile for role ${role}: ${mostNames} profiles of the names that are tried have another role; delete those under ${pathOf(nodeClass, cluster)}`,
      })
    },
    collect: (view, cluster, signal) =>
      pipe(
        list(clusterPath(cluster), signal),
        TE.chain((profiles) => {
          const used = new Set([
            ...view.nodeClasses.flatMap(({ status: { instanceProfile } }) => instanceProfile ?? []),
            ...view.claims.flatMap(({ annotations }) => {
              const name = Object.hasOwn(annotations, awsAnnotationKeys.instanceProfileName)
                ? annotations[awsAnnotationKeys.instanceProfileName]
                : undefined
              return name ?? []
            }),
          ])
          const unused = profiles.filter(
            ({ name, createdAtMs }) =>
              !used.has(name) &&
              nowMs() - createdAtMs >= protectedForMs &&
              (protectedUntilMs.get(name) ?? 0) <= nowMs(),
          )
          return pipe(
            unused,
            traverseBounded(deletionsAtOnce, (profile) => remove(profile, signal)),
            TE.map(() => unused.map(({ name }) => name)),
          )
        }),
      ),
    release: (nodeClass, cluster, signal) =>
      pipe(
        list(pathOf(nodeClass, cluster), signal),
        TE.chain((profiles) =>
          pipe(
            legacyOf(nodeClass, cluster, signal),
            TE.map((legacy) => [...profiles, ...legacy]),
          ),
        ),
        TE.chain(traverseBounded(deletionsAtOnce, (profile) => remove(profile, signal))),
        TE.map(() => undefined),
      ),
  }

  /** What versions of the reference before paths have left, where it bears the tags of this cluster. */
  function legacyOf(
    { metadata: { name } }: Ec2NodeClass,
    cluster: string,
    signal: CancelSignal,
  ): TE.TaskEither<AwsError, ReadonlyArray<Profile>> {
    const legacy = legacyProfileName(cluster, region, name)
    if (!/^[\w+=,.@-]{1,128}$/.test(legacy)) return TE.right([])
    return pipe(
      get(legacy, signal),
      TE.map((profile) =>
        profile !== undefined &&
        profile.tags.some(({ Key, Value }) => Key === `kubernetes.io/cluster/${cluster}` && Value === 'owned')
          ? [profile]
          : [],
      ),
    )
  }
}

/** `role` of `/path/role` and of an ARN. */
const shortNameOf = (role: string): string => role.slice(role.lastIndexOf('/') + 1)

const profileNameOf = (
  { metadata }: Ec2NodeClass,
  facts: { readonly cluster: string; readonly region: string; readonly role: string; readonly attempt: number },
): string => {
  const { cluster, region, role, attempt } = facts
  return `${cluster}_${fingerprint([region, metadata.name, metadata.uid, role, attempt])}`
}

const tagsOf = ({ metadata: { name }, spec }: Ec2NodeClass, cluster: string, region: string) =>
  Object.entries({
    ...spec.tags,
    [`kubernetes.io/cluster/${cluster}`]: 'owned',
    'eks:eks-cluster-name': cluster,
    'karpenter.k8s.aws/ec2nodeclass': name,
    'topology.kubernetes.io/region': region,
  }).map(([Key, Value]) => ({ Key, Value }))

const profileOf = (profile: {
  readonly InstanceProfileName?: string | undefined
  readonly Roles?: ReadonlyArray<{ readonly RoleName?: string | undefined }> | undefined
  readonly CreateDate?: Date | undefined
  readonly Tags?: Profile['tags'] | undefined
}): Profile => ({
  name: profile.InstanceProfileName ?? '',
  roles: (profile.Roles ?? []).flatMap(({ RoleName }) => RoleName ?? []),
  createdAtMs: profile.CreateDate?.getTime() ?? 0,
  tags: profile.Tags ?? [],
})

const ignoringAbsence = <A>(call: TE.TaskEither<AwsError, A>): TE.TaskEither<AwsError, void> =>
  pipe(
    call,
    TE.map(() => undefined),
    TE.orElse((error) => (isNotFound(error) ? TE.right(undefined) : TE.left(error))),
  )
