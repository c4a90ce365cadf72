import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { findBuilt } from '../built-from-go.ts'

type Found = Awaited<ReturnType<typeof findBuilt>>

/** The Kubernetes minors that these tests run on: the newest, which CI builds, and one older. */
export const minors = ['1.36', '1.34'] as const

/**
 * The directories with etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubectl, kwok and its stages, as a
 * path to look for them in turn: what an older minor does not bring is that of the newest.
 *
 * Cost: some seven minutes on two cores the first time, 430 MB; an older minor five and 330 MB more.
 */
export const findControlPlane = async (
  say: (line: string) => void,
  minor: (typeof minors)[number] = minors[0],
): Promise<Found> => {
  const newest = await findBuilt(
    {
      title: 'a Kubernetes control plane',
      name: 'control-plane',
      directory: import.meta.dirname,
      sources: ['kubernetes/go.mod', 'kubernetes/go.sum'],
    },
    say,
  )
  if (typeof newest === 'string' || minor === minors[0]) return newest
  const older = await findBuilt(
    {
      title: `Kubernetes ${minor}`,
      name: `kubernetes-${minor}`,
      directory: join(import.meta.dirname, `kubernetes-${minor}`),
      sources: ['go.mod', 'go.sum'],
    },
    say,
  )
  return typeof older === 'string' ? older : { binaries: [older.binaries, newest.binaries].join(delimiter) }
}

/** Where a file of the control plane is, among the directories that `findControlPlane` found. */
export const fileOf = (path: string, name: string): string => {
  const found = path
    .split(delimiter)
    .map((directory) => join(directory, name))
    .find(existsSync)
  if (found === undefined) throw new Error(`There is no ${name} in ${path}`)
  return found
}

/** The directory with the reference's own controller, `kwok`, which brings a simulated provider of its own. */
export const findReference = (say: (line: string) => void) =>
  findBuilt(
    {
      title: "The reference's controller",
      name: 'reference-controller',
      directory: join(import.meta.dirname, 'reference'),
      sources: ['go.mod', 'go.sum'],
    },
    say,
  )
